import type { AtMs } from '../base/clock.ts';
import type { Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import type { AudioFormat } from '../media/format.ts';
import type { OptionValues } from './capabilities.ts';
import type { AUDIO, IGNORED, Inbound, WireMessage } from './dialect.ts';

export interface CallerOptions {
  readonly nowMs: AtMs;
  readonly format: AudioFormat;
  readonly from: string | null;
  readonly to: string | null;
  readonly parameters: { readonly [name: string]: string };
  /** Ids a provider would make. Deterministic for tests. */
  readonly streamId: string;
  readonly callId: string;
  readonly options: OptionValues;
  /** `native` only: carry the 12-byte RTP header, so that loss and jitter can be shown. */
  readonly rtpHeaders: boolean;
  /** `native` only: ask for the call's events in-band; true when absent. */
  readonly wantsEvents?: boolean;
  /** `native` only: come back to the leg of this token instead of starting one. */
  readonly resumeToken?: string;
}

/** The provider's side of a connection, as the provider speaks. */
export interface DialectCaller {
  readonly upgradeHeaders: { readonly [name: string]: string };
  /** Subprotocols it offers. */
  readonly subprotocols: readonly string[];
  /** What it hears, where that is another format than the one it speaks. */
  readonly heardFormat?: AudioFormat;
  /** How its start names the call, where the protocol cannot say the `callId` it was given. */
  readonly providerCallId?: string;
  /** A sample of L16 it is never sent, the one above it coming instead. */
  readonly unsaidSample?: number;
  /** What it says first, in order. */
  hello(): readonly WireMessage[];
  /** What it says first on a connection by which it comes back; absent where its protocol has no words. */
  comeBack?(token: string): readonly WireMessage[];
  /** Whether audio may flow after `hello`, or only once `read` has said `ready`. */
  readonly waitsForReady: boolean;
  /**
   * One 20 ms frame; `index` is the frame's place in the stream, so that a lost frame leaves its hole. The
   * message is the caller's own template: the next call overwrites it, so call at the moment of sending.
   * Undefined where the provider sends longer messages and this frame was only collected.
   */
  audio(frame: Uint8Array, index: number): WireMessage | undefined;
  dtmf(digit: string): readonly WireMessage[];
  /** What the server's message means. Audio payload bytes are in `into`. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead;
  /** What the provider sends back at once (Twilio: nothing; marks are returned by `markPlayed`). */
  markPlayed(name: string): WireMessage | undefined;
  /** Its loudspeaker begins to play, and nothing played before; absent where it has no word for that. */
  playbackStarted?(): WireMessage;
  /** All that it was sent has played; absent where it has no word for that. */
  playedOut?(): WireMessage;
  /** The provider's hang-up. */
  goodbye(): readonly WireMessage[];
}

export type CallerRead =
  | typeof AUDIO
  | typeof IGNORED
  | { readonly type: 'ready'; readonly callId: string | null; readonly resume?: ResumeOffer }
  | { readonly type: 'mark'; readonly name: string }
  | { readonly type: 'clear' }
  | { readonly type: 'dtmf'; readonly digit: string }
  /** The provider answers this at once. */
  | { readonly type: 'reply'; readonly message: WireMessage }
  | { readonly type: 'transfer'; readonly target: string }
  | { readonly type: 'event'; readonly envelope: JsonObject }
  | { readonly type: 'goaway'; readonly url: string; readonly token: string; readonly reason: string }
  | { readonly type: 'ended'; readonly reason: string }
  | Refusal;

/** How to come back after a lost connection: what `started` and `resumed` carry in `native`. */
export interface ResumeOffer {
  readonly token: string;
  /** Most wanted first. */
  readonly urls: readonly string[];
  readonly windowMs: number;
}
