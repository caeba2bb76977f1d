import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Refusal } from '../base/errors.ts';
import type { AudioFormat } from '../media/format.ts';
import type { CallerOptions, DialectCaller } from './caller.ts';
import type { Capabilities, DialectOption, OptionValues } from './capabilities.ts';
import type { AgentInput } from './client.ts';
import type {
  OwnProof,
  ProofVerdict,
  StreamProof,
  TokenIssuer,
  UpgradeDraft,
  UpgradeFacts,
  WebhookProof,
} from './proof.ts';

/** One protocol a provider speaks to us, as data and as a maker of sessions. */
export interface Dialect {
  readonly name: string;
  /** WebSocket subprotocols it answers with, most wanted first; none for most providers. */
  readonly subprotocols: readonly string[];
  readonly capabilities: Capabilities;
  /** Unconfirmed facts of its wire, each a setting of the stream credential. */
  readonly options: readonly DialectOption[];
  /** What its provider calls audio formats it can speak: the first is what `omnivoice call` offers. */
  readonly formats: readonly AudioFormat[];
  /** A fresh server-side session for one connection. Holds the protocol's own state only. */
  openSession(options: SessionOptions): DialectSession;
  /** The provider's side of the same protocol: `omnivoice call --as`, tests and load. */
  openCaller(options: CallerOptions): DialectCaller;
  /** The proofs it checks by its own rules; what is not named here lets nobody in who must show it. */
  readonly proofs: readonly OwnProof[];
  /** Signs the JWT of its upgrades with keys that have to be fetched; absent for most. */
  readonly issuer?: TokenIssuer;
  /** What of it only the provider's requests over HTTP show, never its streams. */
  readonly webhookProofs?: readonly WebhookProof[];
  /** Whether the provider's own proofs hold; absent where `proofs` is empty. */
  verify?(upgrade: UpgradeFacts, proof: StreamProof, nowUnixMs: number): ProofVerdict;
  /**
   * The headers by which the provider shows these proofs on an upgrade, for `openCaller`'s connection; absent
   * where `proofs` is empty.
   */
  prove?(upgrade: UpgradeDraft, proof: StreamProof): { readonly [name: string]: string };
}

export interface SessionOptions {
  readonly nowMs: AtMs;
  /** What was said at the upgrade: some protocols carry ids, formats and secrets there. */
  readonly upgrade: UpgradeFacts;
  readonly options: OptionValues;
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
  /** All that was sent has been played (Genesys `playback_completed`). */
  | { readonly type: 'played_out' }
  | { readonly type: 'hung_up'; readonly reason: 'provider' | 'peer' }
  /** A command in `native` words, for the call to carry out; `id` comes back in the answer. */
  | { readonly type: 'command'; readonly id: string | null; readonly name: string; readonly args: JsonObject }
  | { readonly type: 'ping'; readonly id: string | null }
  /** The protocol's own answer to what was read: sent at once, whoever is on the line. */
  | { readonly type: 'reply'; readonly message: WireMessage }
  /** The provider's queue is full (`maySend` false: Asterisk MEDIA_XOFF), or has room again. */
  | { readonly type: 'flow'; readonly maySend: boolean }
  | Several
  | AgentInput
  | LegResume;

/** One message that means several things, in order. None of them is audio, a start or several again. */
export interface Several {
  readonly type: 'several';
  readonly inputs: readonly Exclude<LegInput, LegStarted | LegResume | Several>[];
}

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
  /**
   * The provider lost its connection and asks for the call it names by `providerCallId` (AudioCodes
   * `session.resume`). It says nothing of its audio again: the formats here are placeholders.
   */
  readonly returns?: true;
}

/** The audio of a line, as it was settled when it first came. */
export interface SettledAudio {
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
  readonly bidirectional: boolean;
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
  /**
   * Nothing it says is counted or said but once: where the call moves, another session may go on in its place
   * on the same connection. Absent where that would break the protocol.
   */
  readonly isReplaceable?: true;
  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult;
  /**
   * Where audio belongs to a stream that has to be begun first (AudioCodes): its beginning; undefined where
   * it was said. Asked before each frame.
   */
  writeHead?(): WireMessage | undefined;
  /**
   * One frame of codec bytes as a whole wire message, in the session's own template: *calling* this
   * overwrites the message before, so call it only where nothing waits on the socket (media.md §3), and
   * never where the start said that the stream is not bidirectional. Undefined where the provider wants
   * longer messages and this frame was only collected (`Capabilities.messageFrames`).
   */
  writeAudio(frame: Uint8Array): Uint8Array | undefined;
  /**
   * Where messages hold several frames: what was collected so far, padded as the provider wants it; undefined
   * when nothing waits. Asked when speech ends, and before a mark.
   */
  flushAudio?(): Uint8Array | undefined;
  /**
   * Where the provider holds back what came last until more follows (jambonz): silence that brings it out,
   * and the mark before it. Said when speech has ended.
   */
  writeTail?(): WireMessage | undefined;
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
  /**
   * What the client marked in the audio it sent (command `mark`) has been played: so many milliseconds of
   * that speech were heard, null where they are not counted.
   */
  writeMarkPlayed?(name: string, playedMs: number | null): WireMessage | undefined;
  /** Come back elsewhere, before the socket closes (`native`: `goaway`). */
  writeGoaway(facts: {
    readonly url: string;
    readonly token: string;
    readonly reason: string;
  }): WireMessage | undefined;
  /** Transfers the telephone call by the protocol's own words (`Capabilities.transfer`). */
  writeTransfer?(target: string): WireMessage | undefined;
  /** Said when nothing else was for `Capabilities.keepAliveMs`. */
  writeKeepAlive?(): WireMessage | undefined;
  /** Where a start says that it `returns`: the audio it goes on with. Said before `writeStarted`. */
  goOn?(audio: SettledAudio): void;
  /** The protocol's proper ending, sent before the close. */
  writeEnd(reason: string): WireMessage | undefined;
  /**
   * How long the peer may take to end the connection itself after `writeEnd`; what it says meanwhile is still
   * read and its replies sent. Absent or 0: the socket is closed at once.
   */
  readonly endGraceMs?: number;
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
