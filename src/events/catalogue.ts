import type { LegRole } from '../base/roles.ts';

/** Every event type the house knows, in the words of contract.md §5. */
export const CALL_EVENT_TYPES = [
  'call_started',
  'leg_connected',
  'leg_disconnected',
  'voice_detected',
  'voice_ended',
  'barge_in',
  'silence_timeout',
  'dtmf_received',
  'tone_detected',
  'amd_result',
  'mark_reached',
  'playback_finished',
  'handover_started',
  'handover_offered',
  'handover_accepted',
  'handover_declined',
  'transfer_success',
  'transfer_failed',
  'hold_started',
  'hold_ended',
  'supervisor_joined',
  'supervisor_left',
  'transcript_segment',
  'transcript_complete',
  'qualification_met',
  'disposition_set',
  'recording_started',
  'recording_paused',
  'recording_resumed',
  'recording_ready',
  'recording_failed',
  'fork_started',
  'fork_failed',
  'fork_ended',
  'media_degraded',
  'media_recovered',
  'call_recovered',
  'agent_failed',
  'tool_called',
  'tool_result',
  'call_ended',
  'call_completed',
  'call_analyzed',
] as const;

export const OPERATOR_EVENT_TYPES = [
  'endpoint.failing',
  'endpoint.disabled',
  'endpoint.recovered',
  'endpoint.test',
  'node.joined',
  'node.drained',
  'node.lost',
] as const;

/** What happens to records (contract.md §5.3). */
export const RECORD_EVENT_TYPES = [
  'conversation.created',
  'conversation.message_added',
  'conversation.resolved',
  'conversation.reopened',
  'ticket.created',
  'ticket.updated',
  'ticket.status_changed',
  'ticket.resolved',
  'ticket.merged',
  'contact.created',
  'contact.updated',
  'company.created',
  'company.updated',
  'customer.created',
  'customer.updated',
  'lead.created',
  'lead.updated',
  'lead.completed',
  'opportunity.created',
  'opportunity.updated',
  'scorecard.created',
  'scorecard.overridden',
  'agent.published',
  'agent.failed',
  'training_attempt.completed',
  'training_attempt.reviewed',
  'automation.triggered',
  'sla.breach_imminent',
  'sla.breached',
  'document.received',
  'document.extracted',
  'action_log.completed',
  'action_log.failed',
] as const;

export type CallEventType = (typeof CALL_EVENT_TYPES)[number];
export type OperatorEventType = (typeof OPERATOR_EVENT_TYPES)[number];

/** Why a call ended (contract.md §5.2). */
export const CALL_END_REASONS = [
  'caller_hangup',
  'agent_hangup',
  'human_hangup',
  'api',
  'provider_stop',
  'transferred',
  'max_duration',
  'silence_timeout',
  'no_agent',
  'protocol_error',
  'connection_lost',
  'node_lost',
  'drained',
] as const;

export type CallEndReason = (typeof CALL_END_REASONS)[number];

/** The part of every call event that says which call: an event stays under 2 KiB (contract.md §5.1). */
export interface CallHead {
  readonly call_id: string;
  readonly state: CallStateName;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly agent_id: string | null;
  readonly conversation_id: string;
  readonly lead_id: string | null;
  readonly contact_id: string | null;
  readonly metadata: { readonly [key: string]: unknown };
  readonly started_at: string;
}

export type CallStateName = 'ringing' | 'active' | 'ending' | 'ended';

/** A leg as the outside sees it: in `GET /calls/{id}` and in `call_completed`. */
export interface LegSummary {
  readonly leg_id: string;
  readonly role: LegRole;
  readonly dialect: string;
  readonly codec: string | null;
  readonly connected_at: string;
  readonly disconnected_at: string | null;
  readonly reason: string | null;
}

/** Delivery's classes of latency: a closed set, so that it can label a metric. */
export const EVENT_CLASSES = ['voice', 'dtmf', 'call', 'leg', 'media', 'other'] as const;

export type EventClass = (typeof EVENT_CLASSES)[number];

export function classOf(type: string): EventClass {
  if (type === 'voice_detected' || type === 'voice_ended' || type === 'barge_in') return 'voice';
  if (type === 'dtmf_received' || type === 'tone_detected' || type === 'amd_result') return 'dtmf';
  if (type.startsWith('call_')) return 'call';
  if (type.startsWith('leg_')) return 'leg';
  if (type === 'mark_reached' || type === 'playback_finished' || type.startsWith('media_')) return 'media';
  return 'other';
}

/**
 * Whether `type` passes a subscriber's filter: exact names, `call.*`-like prefixes, or `*`. An empty filter
 * lets all pass.
 */
export function isSelected(type: string, filters: readonly string[]): boolean {
  if (filters.length === 0) return true;
  return filters.some((filter) => {
    if (filter === '*' || filter === type) return true;
    // `call.*` names both families: record events with dots and runtime events with underscores (contract.md
    // §4.1).
    if (!filter.endsWith('.*')) return false;
    const family = filter.slice(0, -2);
    return type.startsWith(`${family}.`) || type.startsWith(`${family}_`);
  });
}

/** Built-in agents, always there: `echo` plays back what it hears, frame for frame; `silent` listens only. */
const BUILT_IN_AGENTS = ['echo', 'silent'] as const;

export type BuiltInAgent = (typeof BUILT_IN_AGENTS)[number];

/** Whether the house itself answers to this agent id. */
export function isBuiltIn(agentId: string | null): agentId is BuiltInAgent {
  return BUILT_IN_AGENTS.some((builtIn) => builtIn === agentId);
}
