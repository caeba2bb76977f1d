import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { CallEndReason, CallHead } from '../events/catalogue.ts';

/** Everything about a call that was settled before it began. */
export interface CallFacts {
  readonly id: string;
  readonly workspaceId: string;
  readonly testMode: boolean;
  readonly region: string;
  readonly node: string;
  readonly agentId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly conversationId: string;
  readonly leadId: string | null;
  readonly contactId: string | null;
  readonly metadata: JsonObject;
  /** The stream credential its caller came in with: names the provider's account. */
  readonly credentialId?: string | null;
}

/** How long things may last; 0 switches a limit off. */
export interface CallLimits {
  readonly durationMaxMs: number;
  readonly silenceMs: number;
  readonly resumeWindowMs: number;
}

/** Where a call is in its life. */
export type CallState =
  | { readonly name: 'ringing' }
  | { readonly name: 'active'; readonly startedAtMs: AtMs }
  | { readonly name: 'ending'; readonly startedAtMs: AtMs; readonly reason: CallEndReason }
  | { readonly name: 'ended'; readonly startedAtMs: AtMs; readonly reason: CallEndReason };

/** What every event of a call says of it. */
export function headOf(facts: CallFacts, state: CallState, startedAt: string): CallHead {
  return {
    call_id: facts.id,
    state: state.name,
    direction: facts.direction,
    from: facts.from,
    to: facts.to,
    agent_id: facts.agentId,
    conversation_id: facts.conversationId,
    lead_id: facts.leadId,
    contact_id: facts.contactId,
    metadata: facts.metadata,
    started_at: startedAt,
  };
}
