import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegListener } from '../leg/leg-listener.ts';

/** An AI backend that is to answer a call, and all it is told of it. */
export interface AgentBackend {
  /** The protocol it speaks: `openai-realtime`, `deepgram-agent`, `native`, or a provider's. */
  readonly dialect: string;
  /** `ws` or `wss`; null for the protocol's own public address. */
  readonly url: string | null;
  readonly apiKey: string | null;
  readonly model: string | null;
  readonly voice: string | null;
  readonly language: string | null;
  readonly instructions: string | null;
  /** What it says first; not said again where there is a history. */
  readonly greeting: string | null;
  readonly tools: readonly AgentTool[];
  /** What was said before, where it takes over in mid-call. */
  readonly history: readonly { readonly speaker: 'caller' | 'agent'; readonly text: string }[];
  /** Options of the dialect, by name. */
  readonly options: { readonly [name: string]: string };
  /** Laid over the protocol's own settings. */
  readonly settings: JsonObject;
}

/** A function the agent may call, its arguments described as JSON Schema describes them. */
export interface AgentTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

/** What of the call the backend is told. */
export interface AgentCall {
  readonly callId: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly parameters: { readonly [name: string]: string };
  /** Of the caller's samples: the backend is asked for a format of this rate. */
  readonly sampleRateHz: number;
}

/** Opens legs to backends: what the call asks of whoever owns the sockets. */
export interface AgentDialler {
  /** Exactly one of the listener's two is told, in a later turn; neither once it was cancelled. */
  dial(backend: AgentBackend, call: AgentCall, listener: AgentDialListener): DialledAgent;
}

/** A dial that is under way. */
export interface DialledAgent {
  /** Nobody waits for it any more. A leg that was made of it goes on. */
  cancel(): void;
}

export interface AgentDialListener {
  /** Whom the leg tells what happens on it. */
  readonly legListener: LegListener;
  /** Of the leg whose place it takes; absent where it is a new one. */
  readonly legId?: string | undefined;
  connected(agent: AgentLine, nowMs: AtMs): void;
  failed(failure: AgentDialFailure, nowMs: AtMs): void;
}

/** A backend on the line. What it says beside audio comes as inputs of its leg. */
export interface AgentLine {
  readonly leg: Leg;
  /** The caller heard only `playedMs` of this item, or of the latest: the backend forgets the rest. */
  interrupt(itemId: string | null, playedMs: number): void;
  answerTool(result: AgentToolResult): void;
  /** Tells it something the caller did not say. False where its protocol has no words for that. */
  tell(text: string): boolean;
  /** It has spoken far enough ahead: until further notice nothing more is read of it. */
  pauseReading(): void;
  resumeReading(): void;
}

export interface AgentToolResult {
  readonly id: string;
  readonly name: string;
  readonly ok: boolean;
  /** Of what failed: `error`, one stable word, and `detail` for the model. */
  readonly value: JsonObject;
}

/** Why a backend is not on the line: one stable word, and a sentence for people. */
export interface AgentDialFailure {
  readonly error: string;
  readonly detail: string;
}
