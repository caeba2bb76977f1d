import { isObject, numberOf, textOf, type JsonObject } from '../base/json.ts';
import type { LegRole } from '../base/roles.ts';
import type { CallHead, CallStateName, LegSummary } from './catalogue.ts';
import type { Envelope } from './envelope.ts';

/** Timelines are bounded: the journal has every event, the view only the story. */
export const TIMELINE_ENTRIES_MAX = 500;

/** A call as its events tell it: what `GET /calls/{id}` answers, and what the reaper finishes. */
export interface CallView {
  readonly id: string;
  readonly workspace_id: string;
  readonly test_mode: boolean;
  readonly region: string;
  /** The media node that runs or ran it, and which start of that node it was. */
  readonly node: string;
  readonly incarnation: string;
  readonly state: CallStateName;
  readonly head: Omit<CallHead, 'state'>;
  readonly ended_at: string | null;
  readonly end_reason: string | null;
  readonly completed: boolean;
  /** The highest sequence seen. */
  readonly sequence: number;
  readonly legs: readonly LegSummary[];
  readonly timeline: readonly TimelineEntry[];
  readonly quality: JsonObject;
  readonly cost: JsonObject | null;
  /** When numbers, words and recordings were erased; absent while they are there. */
  readonly erased_at?: string;
}

export interface TimelineEntry {
  readonly sequence: number;
  readonly type: string;
  readonly at: string;
  readonly leg_id?: string;
}

/**
 * The view after one more event of the call. The first event must be `call_started`, or there is no view to
 * make.
 */
export function applyToCall(
  view: CallView | undefined,
  envelope: Envelope,
  incarnation: string,
): CallView | undefined {
  const before = view ?? startedView(envelope, incarnation);
  if (before === undefined || envelope.sequence <= before.sequence) return view;
  const after: CallView = {
    ...before,
    // Whoever told last has the call; what control tells itself comes from no node.
    incarnation: incarnation === '' ? before.incarnation : incarnation,
    sequence: envelope.sequence,
    state: stateOf(envelope) ?? before.state,
    timeline: extended(before.timeline, envelope),
  };
  switch (envelope.type) {
    case 'leg_connected':
      return { ...after, legs: [...after.legs, legOf(envelope)] };
    case 'leg_disconnected':
      return { ...after, legs: after.legs.map((leg) => disconnected(leg, envelope)) };
    case 'call_ended':
      return { ...after, ended_at: envelope.created_at, end_reason: textOf(envelope.data['reason']) ?? null };
    case 'call_completed':
      return { ...after, completed: true, ...completion(envelope) };
    default:
      return after;
  }
}

function startedView(envelope: Envelope, incarnation: string): CallView | undefined {
  if (envelope.resource.type !== 'call' || envelope.type !== 'call_started') return undefined;
  const { state: _, ...head } = headOf(envelope.data);
  return {
    id: envelope.resource.id,
    workspace_id: envelope.workspace_id,
    test_mode: envelope.test_mode,
    region: envelope.region,
    node: textOf(envelope.data['node']) ?? '',
    incarnation,
    state: 'ringing',
    head,
    ended_at: null,
    end_reason: null,
    completed: false,
    sequence: 0,
    legs: [],
    timeline: [],
    quality: {},
    cost: null,
  };
}

/** The head out of an event's data. */
export function headOf(data: JsonObject): CallHead {
  return {
    call_id: textOf(data['call_id']) ?? '',
    state: (textOf(data['state']) ?? 'active') as CallStateName,
    direction: data['direction'] === 'outbound' ? 'outbound' : 'inbound',
    from: textOf(data['from']) ?? null,
    to: textOf(data['to']) ?? null,
    agent_id: textOf(data['agent_id']) ?? null,
    conversation_id: textOf(data['conversation_id']) ?? '',
    lead_id: textOf(data['lead_id']) ?? null,
    contact_id: textOf(data['contact_id']) ?? null,
    metadata: isObject(data['metadata']) ? data['metadata'] : {},
    started_at: textOf(data['started_at']) ?? '',
  };
}

function stateOf(envelope: Envelope): CallStateName | undefined {
  return textOf(envelope.data['state']) as CallStateName | undefined;
}

function extended(timeline: readonly TimelineEntry[], envelope: Envelope): readonly TimelineEntry[] {
  return timeline.length >= TIMELINE_ENTRIES_MAX ? timeline : [...timeline, timelineEntryOf(envelope)];
}

/** What a timeline says of one event. */
export function timelineEntryOf(envelope: Envelope): TimelineEntry {
  const legId = textOf(envelope.data['leg_id']);
  const entry = { sequence: envelope.sequence, type: envelope.type, at: envelope.created_at };
  return legId === undefined ? entry : { ...entry, leg_id: legId };
}

function legOf({ data, created_at }: Envelope): LegSummary {
  return {
    leg_id: textOf(data['leg_id']) ?? '',
    role: (textOf(data['role']) ?? 'caller') as LegRole,
    dialect: textOf(data['dialect']) ?? '',
    codec: textOf(data['codec']) ?? null,
    connected_at: created_at,
    disconnected_at: null,
    reason: null,
  };
}

function disconnected(leg: LegSummary, { data, created_at }: Envelope): LegSummary {
  if (leg.leg_id !== data['leg_id']) return leg;
  return { ...leg, disconnected_at: created_at, reason: textOf(data['reason']) ?? null };
}

function completion({ data }: Envelope): Pick<CallView, 'quality' | 'cost'> {
  return {
    quality: isObject(data['quality']) ? data['quality'] : {},
    cost: isObject(data['cost']) ? data['cost'] : null,
  };
}

/** Milliseconds the call lasted, by its own events; 0 while unknown. */
export function durationMsOf(view: CallView, endedAt: string): number {
  return Math.max(0, numberOf(Date.parse(endedAt) - Date.parse(view.head.started_at)) ?? 0);
}
