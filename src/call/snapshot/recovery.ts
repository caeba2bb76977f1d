import type { AtMs } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { CallSnapshot } from './call-snapshot.ts';
import type { SavedTimes } from './saved-times.ts';

/** From whom a call was taken over, and under which token. */
export interface Takeover {
  /** The token under which the registry gave this node the call. */
  readonly fence: number;
  /** The nodes, as `call_recovered` names them. */
  readonly from: string;
  readonly to: string;
  /** Since when the lines that were there are lost, by this host's wall clock. */
  readonly lostSinceUnixMs: number;
}

/** A call has changed its owner, and none of its legs is back yet. */
export interface Recovery {
  readonly from: string;
  readonly to: string;
  readonly lostAtMs: AtMs;
}

/** Of a call that was taken over twice before anybody was back, the gap began with the first. */
export function recoveryOf(
  { recovery }: CallSnapshot,
  { from, to, lostSinceUnixMs }: Takeover,
  times: SavedTimes,
): Recovery {
  if (recovery === null) return { from, to, lostAtMs: times.ownAt(lostSinceUnixMs) };
  return { from: recovery.from, to, lostAtMs: times.savedAt(recovery.lostAtUnixMs) };
}

/** Own fields of `call_recovered`: the gap ends with the first leg that is back. */
export function recoveredFields({ from, to, lostAtMs }: Recovery, nowMs: AtMs): JsonObject {
  return { from_node: from, to_node: to, gap_ms: Math.round(nowMs - lostAtMs) };
}
