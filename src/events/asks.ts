import type { TranscriptSegment } from './call-commands/transcript.ts';
import type { CommandResult } from './commands.ts';

/** What a media node may ask of control. Answered once control has done or refused it. */
export type Ask = ProviderControlAsk | AgentToolAsk | RegistryAsk | QueueAsk | SumUpAsk;

/** What control answers: a value, or the fault it refused or failed with. */
export type AskResult = CommandResult;

/** A function of an agent's own, to be carried out by its HTTP server (docs/agents.md). */
export interface AgentToolAsk {
  readonly name: 'agent_tool';
  readonly workspace_id: string;
  /** Of the agent, which may be of test mode though the call is not. */
  readonly agent_id: string;
  readonly tool: string;
  /** How the backend names this call of the function. */
  readonly tool_call_id: string;
  /** A JSON object, as the backend wrote it. */
  readonly arguments_text: string;
  /** What the function is told of the call. */
  readonly call: {
    readonly call_id: string;
    readonly test_mode: boolean;
    readonly direction: string;
    readonly from: string | null;
    readonly to: string | null;
    readonly conversation_id: string | null;
    readonly lead_id: string | null;
    readonly contact_id: string | null;
  };
}

/** A question to the registry of one host, which control keeps (`cluster/asked-registry.ts`). */
export interface RegistryAsk {
  readonly name: 'registry';
  readonly question: object;
}

/**
 * A handover that waits for a member of a queue. Said again as long as it waits: the node alone knows, and
 * control that starts anew knows again within one round.
 */
export interface QueueAsk {
  readonly name: 'queue_handover';
  readonly workspace_id: string;
  readonly test_mode: boolean;
  readonly queue: string;
  readonly call_id: string;
  readonly handover_id: string;
  /**
   * `claimed`: a member was given the way in, and has not come yet. `over`: nobody is to be asked any
   * more.
   */
  readonly standing: 'waiting' | 'claimed' | 'over';
  readonly since_unix_ms: number;
  /** What is left of its time. */
  readonly remaining_ms: number;
  /** What members are told of it before they accept. */
  readonly offer: Readonly<Record<string, unknown>>;
}

/** What a call was about so far, in its own words: for whoever it is handed over to. */
export interface SumUpAsk {
  readonly name: 'sum_up';
  readonly segments: readonly TranscriptSegment[];
}

/** Something to be done with a call at the provider it came from, through its REST account. */
export interface ProviderControlAsk {
  readonly name: 'provider_control';
  readonly workspace_id: string;
  /** The stream credential the call came in with: its `control` is the account. */
  readonly credential_id: string;
  /** What its leg speaks, where the credential itself may be for whatever comes. */
  readonly dialect?: string;
  /** How the provider names the call. */
  readonly provider_call_id: string;
  readonly order: ProviderOrder;
}

/** What is done with a call at its provider. */
export type ProviderOrder =
  | { readonly action: 'hang_up' }
  /** The call leaves this house for a phone number (E.164) or a SIP URI. */
  | { readonly action: 'transfer'; readonly to: string; readonly from: string | null }
  /** The call's audio is streamed to another place of this house; the call itself goes on. */
  | { readonly action: 'redirect'; readonly to: RedirectTarget };

/** Where a call's audio goes on. */
export interface RedirectTarget {
  /** `wss:` URL of the media port, resume token or credential in its path. */
  readonly streamUrl: string;
  /** `https:` URL that answers the provider's document; wanted where the provider takes no document. */
  readonly answerUrl?: string;
  /** As the stream is now, where a provider can be told: only the same sound comes back to its leg. */
  readonly audio?: { readonly heard: StreamAudio; readonly said: StreamAudio };
}

/** A codec as media names it, and its rate. */
export interface StreamAudio {
  readonly codec: string;
  readonly sampleRateHz: number;
}
