import type { Cause } from '../load/callers.ts';
import { distributionOf, type Distribution } from '../load/distribution.ts';
import { FRAME_MS } from '../load/speech.ts';

/** One request at the receiver. */
export interface Told {
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  readonly callId: string;
  /** The provider's own id of the call, which the load chose. */
  readonly callSid: string;
  /** Media time of the end of the frame that decided it; null where no frame did. */
  readonly mediaMs: number | null;
  /** Of a call that went on elsewhere, the gap it tells of. */
  readonly gapMs: number | null;
  /** Of its last byte, on CLOCK_MONOTONIC. */
  readonly arrivedAtMs: number;
}

/** A hook with the instant of what caused it. */
export interface Traced extends Told {
  readonly causedAtMs: number;
  readonly latencyMs: number;
}

/** What is wrong with what a receiver was told; all zero where nothing is. */
export interface HookFaults {
  readonly callsTold: number;
  readonly events: number;
  /** Told again: allowed, and counted. */
  readonly repeats: number;
  /** First arrivals that came after a later event of the same call. */
  readonly outOfOrder: number;
  /** Holes in the numbers of a call, and calls without their last event. */
  readonly missing: number;
  /** Events nobody can say the cause of: the load never sent it. */
  readonly untraced: number;
}

/** What of a call made the node tell this event. */
export function causeOf({ type, mediaMs }: Told): Cause {
  if (mediaMs !== null) return mediaMs / FRAME_MS - 1;
  return type === 'call_started' || type === 'leg_connected' ? 'start' : 'stop';
}

/** First arrivals with their latencies: from the write of the causing message to the hook's last byte. */
export function trace(told: readonly Told[], causedAtMs: ArrayLike<number>): Traced[] {
  const seen = new Set<string>();
  return told.flatMap((one, i) => {
    if (seen.has(one.id)) return [];
    seen.add(one.id);
    return [{ ...one, causedAtMs: causedAtMs[i]!, latencyMs: one.arrivedAtMs - causedAtMs[i]! }];
  });
}

export function faultsOf(told: readonly Told[], traced: readonly Traced[]): HookFaults {
  const calls = Map.groupBy(traced, ({ callId }) => callId);
  let [outOfOrder, missing] = [0, 0];
  for (const events of calls.values()) {
    const numbers = events.map(({ sequence }) => sequence);
    const highest = Math.max(...numbers);
    outOfOrder += numbers.filter((number, i) => i > 0 && number < numbers[i - 1]!).length;
    missing += highest - numbers.length;
    if (events.find(({ sequence }) => sequence === highest)?.type !== 'call_analyzed') missing++;
  }
  return {
    callsTold: calls.size,
    events: traced.length,
    repeats: told.length - traced.length,
    outOfOrder,
    missing,
    untraced: traced.filter(({ latencyMs }) => !(latencyMs > 0)).length,
  };
}

export function latencyOf(traced: readonly Traced[]): Distribution {
  return distributionOf(traced.map(({ latencyMs }) => latencyMs).filter((ms) => Number.isFinite(ms)));
}
