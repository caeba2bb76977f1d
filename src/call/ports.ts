import type { CostRates } from '../events/cost.ts';
import type { EventRecord } from '../events/envelope.ts';
import type { AgentDialler } from './agent-dialler.ts';
import type { FrameSource } from './sounds/frame-source.ts';
import type { Sounds } from './sounds/sounds.ts';
import type { ProviderOrders } from './provider/provider-orders.ts';
import type { Invitations } from './parties/invitation.ts';
import type { Summaries } from './handover/call-summary.ts';
import type { Queues } from './handover/queue-wait.ts';
import type { MakeCallPart } from './call-part.ts';

/** What a call's last words are made of beside the call itself. */
export interface PostCall {
  readonly rates: CostRates;
  /** Where the transcript of a call can be read. */
  transcriptUrl(callId: string): string;
}

/**
 * What calls need of the world. Whatever is missing on a node is refused by name when somebody asks for it:
 * `failed_precondition`, "… is not available on this node".
 */
export interface CallPorts {
  /** Files and URLs, as samples. */
  readonly sounds?: Sounds;
  /** Tokens for parties that are to join. */
  readonly invitations?: Invitations;
  /** Opens legs to software, and to targets of handovers. */
  readonly dialler?: AgentDialler;
  /** Where somebody is asked to take a handover. */
  readonly queues?: Queues;
  /** Sums a call up for whoever it is handed over to. */
  readonly summaries?: Summaries;
  /** The provider's REST account: what its protocol has no words for. */
  readonly provider?: ProviderOrders;
  /** What callers on hold hear, where it is not the house's own music. */
  readonly holdMusic?: (sampleRateHz: number) => FrameSource;
  /** What calls cost, and where they are written down; null in `call_completed` where it is missing. */
  readonly postCall?: PostCall;
  /** Events of a call that the journal has not acknowledged, oldest first: no more than a snapshot holds. */
  readonly unacknowledged?: (callId: string) => readonly EventRecord[];
  /** What is built on top of a call: handovers, recording, forks, agents, barge-in. */
  readonly parts?: readonly MakeCallPart[];
}
