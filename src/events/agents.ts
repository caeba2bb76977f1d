import type { JsonObject } from '../base/json.ts';
import type { HandoverTarget } from './call-commands/hand-over.ts';

/** What an agent may do to its call by itself. */
export const AGENT_TOOLS = [
  'transfer_to_human',
  'end_call',
  'send_dtmf',
  'set_disposition',
  'qualify',
] as const;

export type AgentToolName = (typeof AGENT_TOOLS)[number];

/** Whom an agent dials and what it is told, as the API takes it: who answers a call. */
export interface AgentTerms {
  readonly name: string;
  /** In the order they are tried. */
  readonly backends: readonly BackendTerms[];
  readonly prompt: string | null;
  /** What it says first; null where it waits for the caller. */
  readonly greeting: string | null;
  readonly language: string | null;
  readonly tools: readonly AgentToolName[];
  /** Functions of its own, carried out over HTTP; absent in terms older than these. */
  readonly http_tools?: readonly HttpTool[];
  /** Where `transfer_to_human` leads; null where nobody takes over. */
  readonly transfer: TransferTerms | null;
  /** What becomes of the agent's words when it is spoken over (contract.md §5.2, `barge_in`). */
  readonly barge_in: 'notify' | 'pause' | 'clear' | 'ignore';
  /** Whether `voice_detected` and `voice_ended` are told of the agent's own voice as well. */
  readonly voice_events: boolean;
  /** Whether its calls are recorded from their first moment on; absent in terms older than recording. */
  readonly record?: boolean;
  /** From the dial to the first audio where there is a greeting; else from the end of the caller's words. */
  readonly first_audio_timeout_ms: number;
  /** How often in a call a backend that was lost is dialled again before the next one has its turn. */
  readonly reconnects_max: number;
  /** What becomes of a call that no backend answers. */
  readonly when_unavailable: 'end_call' | 'go_on';
  /** 0: no limit beyond the node's own. */
  readonly duration_max_ms: number;
  /** The call ends after so much silence; 0 or absent: no limit beyond the node's own. */
  readonly silence_timeout_ms?: number;
  /** How its caller's voice is told from noise; null or absent: as the node hears everybody. */
  readonly voice_detection?: VoiceTerms | null;
  readonly qualification_threshold: number | null;
}

/** What an agent says of hearing its caller (media.md §1); what it does not say is the node's to say. */
export interface VoiceTerms {
  /** 0 (permissive) to 3 (strict). */
  readonly aggressiveness?: number;
  readonly start_ms?: number;
  readonly stop_ms?: number;
  readonly level_min_dbfs?: number;
}

/** One backend of an agent's chain. */
export interface BackendTerms {
  /** What `agent_failed` calls it. */
  readonly name: string;
  readonly dialect: string;
  readonly url: string | null;
  readonly api_key: string | null;
  readonly model: string | null;
  readonly voice: string | null;
  readonly options: { readonly [name: string]: string };
  readonly settings: JsonObject;
}

/** A function that its owner's HTTP server carries out for an agent. */
export interface HttpTool {
  /** As backends name functions: letters, digits, `_` and `-`. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  /** From the agent's call to the result it gets; at most 8 s. */
  readonly timeout_ms: number;
  /** Null on a media node: control sends the request, and no node sees its secrets. */
  readonly request: HttpToolRequest | null;
}

/** Where a function is carried out. */
export interface HttpToolRequest {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: { readonly [name: string]: string };
  /** `whsec_…`: what the request is signed with. */
  readonly secret: string;
}

/** What a backend did when it was tried without a call. */
export interface BackendTrial {
  readonly name: string;
  readonly dialect: string;
  /** It answered, and where it is to greet it was heard. */
  readonly ok: boolean;
  /** One stable word (docs/agents.md), and a sentence for people. */
  readonly error: string | null;
  readonly detail: string | null;
  /** From the dial on. */
  readonly ready_ms: number | null;
  readonly first_audio_ms: number | null;
}

/** How an agent hands over. */
export interface TransferTerms {
  readonly target: HandoverTarget;
  readonly mode: 'cold' | 'warm' | 'whisper';
  readonly hold: 'music' | 'silence' | 'agent_keeps_talking';
  readonly timeout_ms: number;
}

/** An agent as calls see it: what was published last. */
export interface PublishedAgent {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly version: number;
  readonly terms: AgentTerms;
}

/** Every agent that may answer now; a node replaces its view by this one, and keeps it in memory only. */
export interface AgentView {
  readonly version: number;
  readonly agents: readonly PublishedAgent[];
}

/** What a node is told of an agent: where its own functions are carried out is for control to know. */
export function termsForNodes(terms: AgentTerms): AgentTerms {
  if (terms.http_tools === undefined) return terms;
  return { ...terms, http_tools: terms.http_tools.map((tool) => ({ ...tool, request: null })) };
}
