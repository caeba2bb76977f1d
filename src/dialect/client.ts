import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { AudioFormat } from '../media/format.ts';
import type { Capabilities, DialectOption, OptionValues } from './capabilities.ts';
import type { DialectSession, LegStarted, WireMessage } from './dialect.ts';

/**
 * A protocol in which we are the client: an AI backend that answers calls, or one that writes down speech.
 */
export interface ClientDialect {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly options: readonly DialectOption[];
  /** Audio formats it can speak, most wanted first. */
  readonly formats: readonly AudioFormat[];
  /** A session for one connection we dial. Throws `invalid_argument` where the target cannot be dialled. */
  openClient(options: ClientOptions): ClientSession;
}

/** Who is dialled, and what it is told. */
export interface ClientOptions {
  readonly nowMs: AtMs;
  /** `wss://…`; null for the protocol's own public address. */
  readonly url: string | null;
  /** The backend's key; it goes into a header and nowhere else. */
  readonly apiKey: string | null;
  /** What our side would like to carry; the backend's own is in `started`. */
  readonly format: AudioFormat;
  readonly model: string | null;
  readonly voice: string | null;
  readonly language: string | null;
  readonly instructions: string | null;
  /** What the agent says first; null where it waits, and on a reconnect. */
  readonly greeting: string | null;
  readonly tools: readonly ToolDefinition[];
  /** What was said before, when a session is opened anew in mid-call. */
  readonly history: readonly SpokenTurn[];
  readonly callId: string;
  readonly streamId: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly parameters: { readonly [name: string]: string };
  readonly options: OptionValues;
  /** Laid over the protocol's own settings message, for whatever the house has no word for. */
  readonly settings: JsonObject;
}

/** A function the agent may call, described as JSON Schema describes it. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

export interface SpokenTurn {
  readonly speaker: 'caller' | 'agent';
  readonly text: string;
}

/** What is sent to open the connection. */
export interface ClientRequest {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly subprotocols: readonly string[];
}

/**
 * Our side of a connection we dialled. `read` says `started` once the backend takes and gives audio; what
 * else it says are `AgentInput`s. `writeAudio` carries the caller to the backend.
 */
export interface ClientSession extends DialectSession {
  readonly request: ClientRequest;
  /** Where the backend says nothing before it takes audio: its start, as soon as the connection is open. */
  readonly startedAtOpen?: LegStarted;
  /** What we say first, in order, as soon as the connection is open. */
  hello(): readonly WireMessage[];
  /** The caller heard only `playedMs` of this item: the backend forgets the rest, and stops speaking. */
  writeInterrupted?(itemId: string | null, playedMs: number): readonly WireMessage[];
  writeToolResult?(result: ToolResult): readonly WireMessage[];
  /** Tells the backend something the caller did not say: a digit, a disposition, a human's note. */
  writeContext?(text: string): readonly WireMessage[];
  /** Asks for what was heard so far to be written down now: before a hold, or an end. */
  writeFinalize?(): readonly WireMessage[];
}

export interface ToolResult {
  readonly id: string;
  readonly name: string;
  readonly ok: boolean;
  /** Of what failed: `error`, one stable word, and `detail` for the model. */
  readonly value: JsonObject;
}

/** What an agent's backend says beside audio. */
export type AgentInput =
  /** It heard the caller begin to speak: what it said and nobody heard yet is to be dropped. */
  | { readonly type: 'caller_speaking' }
  /** The audio that follows belongs to this item of its speech. */
  | { readonly type: 'agent_speaking'; readonly itemId: string | null }
  /** All audio of the item was sent; it is not played yet. */
  | { readonly type: 'agent_spoke'; readonly itemId: string | null }
  | Transcript
  | ToolCall
  /** `isFatal`: nothing more will come of this connection. */
  | {
      readonly type: 'agent_error';
      readonly code: string;
      readonly detail: string;
      readonly isFatal: boolean;
    };

export interface Transcript {
  readonly type: 'transcript';
  readonly speaker: 'caller' | 'agent';
  readonly text: string;
  readonly isFinal: boolean;
  /** Media time of the leg that was heard; null where the backend does not say. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** 0 to 1; null where the backend does not say. */
  readonly confidence: number | null;
}

export interface ToolCall {
  readonly type: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: JSON text that may be none. */
  readonly argumentsText: string;
}
