import { pastAtMsOf, unixMsOf, type Clock } from '../../base/clock.ts';
import { isObject, newestWithin, numberOf, textOf, type JsonObject } from '../../base/json.ts';
import { KIB } from '../../base/units.ts';
import { readCallCommand, type CallCommand } from '../../events/call-commands.ts';
import type { Decisions, Hold } from '../hearing/conversation.ts';
import type { Seat } from '../parties/roster.ts';
import { isOver, type HandoverPlan, type HandoverState } from './handover.ts';

/** So much of the briefing goes with the call to its next owner: the newest words of it. */
const BRIEFING_BYTES_MAX = 8 * KIB;

const SOURCES = ['music', 'silence', 'agent_keeps_talking'] as const;
const SEATS: readonly Seat[] = ['partner', 'guest', 'aside'];

/** A handover that runs, as one owner of its call leaves it to the next. */
export interface KeptHandover {
  readonly command: Extract<CallCommand, { name: 'hand_over' }>;
  readonly told: JsonObject;
  readonly formerId: string | null;
  readonly state: HandoverState;
  /** How things were before it, and go back to where it fails. */
  readonly before: Decisions;
  readonly seatBefore: Seat | undefined;
  readonly isBriefed: boolean;
}

/** As plain JSON, its instants in Unix time. The way in for the target is left out: it has it already. */
export function keepHandover(
  kept: Omit<KeptHandover, 'told'> & { context: JsonObject },
  clock: Clock,
): JsonObject {
  const { command, context, formerId, state, before, seatBefore, isBriefed } = kept;
  const { name: _, context: __, ...args } = command;
  const { startedAtMs, deadlineAtMs, id } = state.plan;
  return {
    id,
    command: args,
    context,
    former_leg_id: formerId,
    state: state.name,
    has_lost_agent: state.hasLostAgent,
    target_leg_id: isOver(state) ? null : state.targetLegId,
    started_unix_ms: unixMsOf(clock, startedAtMs),
    remaining_ms: Math.max(0, Math.round(deadlineAtMs - clock.nowMs())),
    before: keptDecisions(before, clock),
    seat_before: seatBefore ?? null,
    is_briefed: isBriefed,
  };
}

/** The other way round; undefined where it is not what was kept. */
export function readHandover(kept: JsonObject, clock: Clock): KeptHandover | undefined {
  const command = isObject(kept['command']) ? readCallCommand('hand_over', kept['command']) : undefined;
  if (command === undefined || 'type' in command || command.name !== 'hand_over') return undefined;
  const state = stateOf(kept, command, clock);
  if (state === undefined) return undefined;
  const context = isObject(kept['context']) ? kept['context'] : {};
  return {
    command,
    told: { reason: command.reason, context },
    formerId: textOf(kept['former_leg_id']) ?? null,
    state,
    before: decisionsOf(kept['before'], clock),
    seatBefore: SEATS.find((seat) => seat === kept['seat_before']),
    isBriefed: kept['is_briefed'] === true,
  };
}

/** When the next owner has it, the time without an owner has passed as well. */
function stateOf(
  kept: JsonObject,
  { mode, timeout_ms }: KeptHandover['command'],
  clock: Clock,
): HandoverState | undefined {
  const id = textOf(kept['id']);
  const startedUnixMs = numberOf(kept['started_unix_ms']);
  if (id === undefined || startedUnixMs === undefined) return undefined;
  const nowMs = clock.nowMs();
  const startedAtMs = pastAtMsOf(clock, startedUnixMs);
  const remainingMs = numberOf(kept['remaining_ms']) ?? 0;
  const deadlineAtMs = Math.min(startedAtMs + timeout_ms, nowMs + remainingMs);
  const plan: HandoverPlan = { id, mode, startedAtMs, deadlineAtMs };
  const ongoing = { plan, hasLostAgent: kept['has_lost_agent'] === true };
  const targetLegId = textOf(kept['target_leg_id']) ?? null;
  const { state: name } = kept;
  if (name === 'offered') return { ...ongoing, name, targetLegId };
  if (targetLegId === null) return undefined;
  if (name === 'consulting') return { ...ongoing, name, targetLegId, acceptedAtMs: nowMs };
  return name === 'bridged' ? { ...ongoing, name, targetLegId, bridgedAtMs: nowMs } : undefined;
}

/** What of a briefing goes with it: of the talk the newest words, and nothing where the rest is too long. */
export function keptBriefing(context: unknown): JsonObject {
  if (!isObject(context)) return {};
  const { transcript, ...rest } = context;
  const roomBytes = BRIEFING_BYTES_MAX - Buffer.byteLength(JSON.stringify(rest));
  if (roomBytes < 0) return {};
  return Array.isArray(transcript) ? { ...rest, transcript: newestWithin(transcript, roomBytes) } : rest;
}

function keptDecisions({ partnerId, consultedId, hold }: Decisions, clock: Clock): JsonObject {
  const on = hold.name === 'on' ? { source: hold.source, since: unixMsOf(clock, hold.startedAtMs) } : null;
  return { partner_leg_id: partnerId, consulted_leg_id: consultedId, hold: on };
}

function decisionsOf(kept: unknown, clock: Clock): Decisions {
  const given = isObject(kept) ? kept : {};
  return {
    partnerId: textOf(given['partner_leg_id']) ?? null,
    consultedId: textOf(given['consulted_leg_id']) ?? null,
    hold: holdOf(given['hold'], clock),
  };
}

function holdOf(kept: unknown, clock: Clock): Hold {
  if (!isObject(kept)) return { name: 'off' };
  const source = SOURCES.find((one) => one === kept['source']) ?? 'music';
  return { name: 'on', source, startedAtMs: pastAtMsOf(clock, numberOf(kept['since']) ?? clock.unixMs()) };
}
