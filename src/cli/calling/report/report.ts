import { Distribution, toHundredths, type Spread } from '../distribution.ts';
import type { RunCall } from '../call-run.ts';
import type { PlacedCall } from '../placed-call.ts';

/** Everything a run found out, as `--json` prints it. */
export interface RunReport {
  /** All calls were hung up in order, and told to the end where events could be read. */
  readonly ok: boolean;
  readonly dialect: string;
  readonly agent_id: string | null;
  readonly calls: number;
  readonly completed_calls: number;
  readonly failed_calls: number;
  readonly most_calls_at_once: number;
  readonly duration_ms: number;
  readonly seed: number | null;
  /** Null where the key may not read events, or the stream failed. */
  readonly events: EventsReport | null;
  readonly events_failure: string | null;
  readonly connect_ms: Spread | null;
  readonly audio: AudioReport;
  readonly per_call: readonly CallReport[];
}

/** How events came. */
export interface EventsReport {
  readonly count: number;
  readonly in_order: boolean;
  readonly missing: number;
  readonly duplicates: number;
  readonly out_of_order: number;
  /** From `created_at` to its arrival here. */
  readonly latency_ms: Spread | null;
  /** From the sending of the frame that decided a voice event to its arrival here. */
  readonly since_decided_ms: Spread | null;
  /** From the sending of the frame in which a voice began to the arrival of `voice_detected`. */
  readonly since_onset_ms: Spread | null;
}

/** How audio went and came. */
export interface AudioReport {
  readonly sent_frames: number;
  readonly received_frames: number;
  readonly dropped_frames: number;
  /** Null where no echo was expected, or the line was made bad on purpose. */
  readonly identical: boolean | null;
  /** How like what was said the echo is, of the worst call: where a codec or rate changes every sample. */
  readonly similarity_percent: number | null;
  /** Went on at another node, as they were told to. */
  readonly moves: number;
  /** Came back after their connection broke. */
  readonly comebacks: number;
  readonly missing_frames: number;
  readonly changed_frames: number;
  readonly repeated_frames: number;
  readonly lost_on_purpose_frames: number;
  readonly reordered_on_purpose_frames: number;
  readonly round_trip_ms: Spread | null;
  /** The longest silence between two received frames. */
  readonly gap_max_ms: number;
  /** Came more than 40 ms after the one before. */
  readonly late_frames: number;
  /** How late this tool itself sent, by its plan. */
  readonly sent_late_ms: Spread | null;
}

/** One call of the run. */
export interface CallReport {
  readonly number: number;
  readonly call_id: string | null;
  readonly ok: boolean;
  readonly outcome: string;
  readonly reason: string;
  readonly connect_ms: number | null;
  readonly duration_ms: number;
  readonly sound: string;
  readonly recorded: string | null;
  readonly completed_seen: boolean;
  readonly events: readonly EventReport[];
  readonly events_in_order: boolean;
  readonly audio: AudioReport;
}

/** One event of a call. */
export interface EventReport {
  readonly type: string;
  readonly sequence: number;
  readonly created_at: string;
  readonly latency_ms: number;
  readonly onset_ms?: number;
  readonly since_decided_ms?: number;
  readonly since_onset_ms?: number;
}

export interface ReportFacts {
  readonly dialect: string;
  readonly agentId: string | null;
  readonly calls: readonly RunCall[];
  /** How many were asked for; fewer were placed where somebody stopped the run. */
  readonly mostCalls: number;
  readonly durationMs: number;
  readonly isImpaired: boolean;
  readonly seed: number | null;
  /** Why there are no events; null where there are. */
  readonly eventsFailure: string | null;
}

/** Adds a run up. */
export function reportOf(facts: ReportFacts): RunReport {
  const { calls, eventsFailure, isImpaired } = facts;
  const perCall = calls.map((call) => callReport(call, eventsFailure === null, isImpaired));
  const completed = perCall.filter(({ ok }) => ok).length;
  return {
    ok: completed === calls.length && calls.length > 0,
    dialect: facts.dialect,
    agent_id: facts.agentId,
    calls: calls.length,
    completed_calls: completed,
    failed_calls: calls.length - completed,
    most_calls_at_once: facts.mostCalls,
    duration_ms: Math.round(facts.durationMs),
    seed: facts.seed,
    events: eventsFailure === null ? eventsReport(calls) : null,
    events_failure: eventsFailure,
    connect_ms: spreadOf(calls.flatMap(({ placed }) => placed?.connectMs ?? [])),
    audio: audioReport(calls, isImpaired),
    per_call: perCall,
  };
}

function callReport(call: RunCall, hasEvents: boolean, isImpaired: boolean): CallReport {
  const { placed, outcome, watch } = call;
  const isHungUp = outcome?.type === 'hung_up';
  const connectMs = placed?.connectMs ?? null;
  return {
    number: call.index + 1,
    call_id: call.callId,
    ok: isHungUp && (!hasEvents || watch.isCompleted),
    outcome: isHungUp ? `hung_up_by_${outcome.by}` : 'failed',
    reason: isHungUp ? outcome.reason : (outcome?.detail ?? 'not over'),
    connect_ms: connectMs === null ? null : toHundredths(connectMs),
    duration_ms: Math.round(placed?.durationMs ?? 0),
    sound: call.sound.name,
    recorded: call.recordFile ?? null,
    completed_seen: watch.isCompleted,
    events: watch.seen.map(
      ({ type, sequence, createdAt, latencyMs, onsetMs, sinceDecidedMs, sinceOnsetMs }) => ({
        type,
        sequence,
        created_at: createdAt,
        latency_ms: latencyMs,
        ...(onsetMs !== undefined && { onset_ms: onsetMs }),
        ...(sinceDecidedMs !== undefined && { since_decided_ms: toHundredths(sinceDecidedMs) }),
        ...(sinceOnsetMs !== undefined && { since_onset_ms: toHundredths(sinceOnsetMs) }),
      }),
    ),
    events_in_order: watch.isInOrder,
    audio: audioReport([call], isImpaired),
  };
}

function eventsReport(calls: readonly RunCall[]): EventsReport {
  const watches = calls.map(({ watch }) => watch);
  const seen = watches.flatMap((watch) => watch.seen);
  const sum = (pick: (watch: RunCall['watch']) => number): number => total(watches.map(pick));
  return {
    count: sum(({ stats }) => stats.events),
    in_order: watches.every(({ isInOrder }) => isInOrder),
    missing: sum(({ stats }) => stats.missing),
    duplicates: sum(({ stats }) => stats.duplicates),
    out_of_order: sum(({ stats }) => stats.outOfOrder),
    latency_ms: spreadOf(seen.map(({ latencyMs }) => latencyMs)),
    since_decided_ms: spreadOf(seen.flatMap(({ sinceDecidedMs }) => sinceDecidedMs ?? [])),
    since_onset_ms: spreadOf(seen.flatMap(({ sinceOnsetMs }) => sinceOnsetMs ?? [])),
  };
}

function audioReport(calls: readonly RunCall[], isImpaired: boolean): AudioReport {
  const placed = calls.flatMap(({ placed }) => placed ?? []);
  // A call that never connected owes no echo.
  const connected = placed.filter(({ connectMs }) => connectMs !== null);
  const echoes = connected.flatMap(({ echo }) => echo ?? []);
  const isCompared = echoes.length > 0 && !isImpaired;
  return {
    sent_frames: total(placed.map(({ talk }) => talk.stats.sentFrames)),
    received_frames: total(placed.map(({ hearing }) => hearing.stats.receivedFrames)),
    dropped_frames: total(placed.map(({ talk }) => talk.stats.droppedFrames)),
    identical: isCompared ? echoes.every(({ isIdentical }) => isIdentical) : null,
    similarity_percent: isImpaired ? null : similarityOf(connected),
    moves: total(placed.map(({ lines }) => lines.moves)),
    comebacks: total(placed.map(({ lines }) => lines.comebacks)),
    missing_frames: isCompared ? total(echoes.map(({ missingFrames }) => missingFrames)) : 0,
    changed_frames: isCompared ? total(echoes.map(({ stats }) => stats.changedFrames)) : 0,
    repeated_frames: isCompared ? total(echoes.map(({ stats }) => stats.repeatedFrames)) : 0,
    lost_on_purpose_frames: total(placed.map(({ impaired }) => impaired.lostFrames)),
    reordered_on_purpose_frames: total(placed.map(({ impaired }) => impaired.reorderedFrames)),
    round_trip_ms: merged(echoes.map(({ roundTrips }) => roundTrips)),
    gap_max_ms: toHundredths(Math.max(0, ...placed.map(({ hearing }) => hearing.stats.gapMsMax))),
    late_frames: total(placed.map(({ hearing }) => hearing.stats.lateFrames)),
    sent_late_ms: merged(placed.map(({ talk }) => talk.lateness)),
  };
}

function similarityOf(calls: readonly PlacedCall[]): number | null {
  const similarities = calls.flatMap(({ signal }) => signal?.similarityPercent() ?? []);
  return similarities.length === 0 ? null : toHundredths(Math.min(...similarities));
}

function merged(parts: readonly Distribution[]): Spread | null {
  const whole = new Distribution();
  for (const part of parts) whole.merge(part);
  return whole.spread();
}

function spreadOf(durationsMs: readonly number[]): Spread | null {
  const distribution = new Distribution();
  for (const durationMs of durationsMs) distribution.add(durationMs);
  return distribution.spread();
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}
