import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Refusal } from '../base/errors.ts';
import type { AudioFormat } from '../media/format.ts';

/**
 * What a dialect can do, as data: calls never ask which provider they talk to. What is missing is emulated
 * where it
 * can be (marks by played time, clear by not sending more).
 */
export interface Capabilities {
  readonly marks: boolean;
  readonly clear: boolean;
  readonly dtmfIn: boolean;
  readonly dtmfOut: boolean;
  /** The wire carries sequence numbers, so loss and reordering can be seen. */
  readonly sequenced: boolean;
  /** Milliseconds of audio that may be in flight at the provider's side. */
  readonly inFlightMsMax: number;
  /** A clean close (1000) without another word is a hang-up; elsewhere it is a lost connection. */
  readonly closeEnds: boolean;
  /** The client can come back to its leg after a lost connection. */
  readonly resume: boolean;
  /** Its facts rest on second-hand sources (dialects.md [S], [?]). */
  readonly unverified: boolean;
}

/** One protocol, as data and as a maker of sessions. */
export interface Dialect {
  readonly name: string;
  /** WebSocket subprotocols it answers with, most wanted first; none for most providers. */
  readonly subprotocols: readonly string[];
  readonly capabilities: Capabilities;
  /** A fresh server-side session for one connection. Holds the protocol's own state only. */
  openSession(options: SessionOptions): DialectSession;
  /** The provider's side of the same protocol: `omnivoice call --as`, tests and load. */
  openCaller(options: CallerOptions): DialectCaller;
  /** Whether the upgrade's proof (signature, token) holds. Absent where the path is the only proof. */
  isUpgradeAuthentic?(upgrade: UpgradeFacts, authToken: string): boolean;
}

export interface SessionOptions {
  readonly nowMs: AtMs;
}

/** What a provider proved itself with at the upgrade. `urls` are the URL variants it may have signed. */
export interface UpgradeFacts {
  readonly headers: { readonly [name: string]: string | undefined };
  readonly urls: readonly string[];
}

/**
 * Where a session puts the audio of one message. One per node: it is read before the next message is.
 * `payload` holds codec bytes as they came off the wire; it is valid until the next `read`.
 */
export interface Inbound {
  readonly payload: Uint8Array;
  payloadBytes: number;
  /** The wire's own number, or -1 where the dialect has none. Wraps at 16 bits. */
  sequence: number;
  /** The sender's media clock in milliseconds, or -1. */
  timestampMs: number;
}

/** The message was audio: it is in `Inbound`. */
export const AUDIO = { type: 'audio' } as const;
/** The message was understood and needs nothing; providers add events without notice. */
export const IGNORED = { type: 'ignored' } as const;

/** What a message means, when it is not audio. */
export type LegInput =
  | LegStarted
  | { readonly type: 'dtmf'; readonly digit: string; readonly durationMs: number | null }
  | { readonly type: 'mark_played'; readonly name: string }
  | { readonly type: 'hung_up'; readonly reason: 'provider' | 'peer' }
  /** A command in `native` words, for the call to carry out; `id` comes back in the answer. */
  | { readonly type: 'command'; readonly id: string | null; readonly name: string; readonly args: JsonObject }
  | { readonly type: 'ping'; readonly id: string | null }
  | LegResume;

/** The client asks for its leg back (`native`). Whether the token is good is the gateway's to say. */
export interface LegResume {
  readonly type: 'resume';
  readonly token: string;
  /** What the client said of its audio and its wishes, as in its start. */
  readonly started: LegStarted;
}

/** The protocol's own start: who is calling, and what audio goes each way. */
export interface LegStarted {
  readonly type: 'started';
  /** Ids of the provider, to find its records by. */
  readonly providerCallId: string | null;
  readonly providerStreamId: string | null;
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
  /** False where the provider listens to nothing we send (a Twilio `<Start><Stream>`). */
  readonly bidirectional: boolean;
  /**
   * `from`, `to`, `direction`, `lead_id`, `contact_id`, `conversation_id` are lifted out by the call; the
   * rest is metadata.
   */
  readonly parameters: { readonly [name: string]: string };
  /** Only audio while somebody speaks, with its pre-roll (`gate:"speech"`). */
  readonly speechOnly: boolean;
  /** The leg wants the call's events in-band (`native`). */
  readonly wantsEvents: boolean;
}

export type ReadResult = typeof AUDIO | typeof IGNORED | LegInput | Refusal;

/** A message to send, and how. Text where `isBinary` is false. */
export interface WireMessage {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** Server side of one connection: translates, never decides. Bad input is an answer, not an exception. */
export interface DialectSession {
  /** True when audio messages are binary. */
  readonly audioIsBinary: boolean;
  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult;
  /**
   * One frame of codec bytes as a whole wire message, in the session's own template: *calling* this
   * overwrites the message before, so call it only where nothing waits on the socket (media.md §3), and
   * never where the start said that the stream is not bidirectional.
   */
  writeAudio(frame: Uint8Array): Uint8Array;
  /** A frame was dropped instead of written: where audio is numbered, its number is used up. */
  skipAudio?(): void;
  writeMark(name: string): WireMessage | undefined;
  writeClear(): WireMessage | undefined;
  writeDtmf(digit: string): WireMessage | undefined;
  /**
   * The protocol's answer to its start, where it has one (`native`: `started` with resume token and URLs).
   */
  writeStarted(started: StartedFacts): WireMessage | undefined;
  /** A call event in-band, where the protocol carries them. */
  writeEvent(envelope: object): WireMessage | undefined;
  /**
   * The answer to a `command`, or to a `ping` where it is written before the next message is read. A failure
   * without an id is what a peer is told before its socket is closed.
   */
  writeAnswer(answer: CommandAnswer): WireMessage | undefined;
  /** What the client marked in the audio it sent (command `mark`) has been played. */
  writeMarkPlayed?(name: string): WireMessage | undefined;
  /** Come back elsewhere, before the socket closes (`native`: `goaway`). */
  writeGoaway(facts: {
    readonly url: string;
    readonly token: string;
    readonly reason: string;
  }): WireMessage | undefined;
  /** The protocol's proper ending, sent before the close. */
  writeEnd(reason: string): WireMessage | undefined;
}

export interface StartedFacts {
  readonly callId: string;
  readonly legId: string;
  readonly resumed: boolean;
  readonly resumeToken: string | null;
  /** Where to come back to, most wanted first. */
  readonly resumeUrls: readonly string[];
  readonly resumeWindowMs: number;
}

export interface CommandAnswer {
  readonly id: string | null;
  readonly ok: boolean;
  readonly value?: JsonObject;
  readonly fault?: string;
  readonly detail?: string;
}

export interface CallerOptions {
  readonly nowMs: AtMs;
  readonly format: AudioFormat;
  readonly from: string | null;
  readonly to: string | null;
  readonly parameters: { readonly [name: string]: string };
  /** Ids a provider would make. Deterministic for tests. */
  readonly streamId: string;
  readonly callId: string;
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
  /** What it says first, in order. */
  hello(): readonly WireMessage[];
  /** Whether audio may flow after `hello`, or only once `read` has said `ready`. */
  readonly waitsForReady: boolean;
  /**
   * One 20 ms frame; `index` is the frame's place in the stream, so that a lost frame leaves its hole. The
   * message is the caller's own template: the next call overwrites it, so call at the moment of sending.
   */
  audio(frame: Uint8Array, index: number): WireMessage;
  dtmf(digit: string): readonly WireMessage[];
  /** What the server's message means. Audio payload bytes are in `into`. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead;
  /** What the provider sends back at once (Twilio: nothing; marks are returned by `markPlayed`). */
  markPlayed(name: string): WireMessage | undefined;
  /** The provider's hang-up. */
  goodbye(): readonly WireMessage[];
}

export type CallerRead =
  | typeof AUDIO
  | typeof IGNORED
  | { readonly type: 'ready'; readonly callId: string | null; readonly resume?: ResumeOffer }
  | { readonly type: 'mark'; readonly name: string }
  | { readonly type: 'clear' }
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
