import type { AtMs } from '../../base/clock.ts';

/**
 * How often a drain looks whose turn it is, one call at a time: fifty a second, and never two at once, for
 * whoever takes them has calls of its own.
 */
export const LOOK_EVERY_MS = 20;
/**
 * So many are on their way at once, and the next waits: a machine that has too much to do takes them more
 * slowly. Who does not come is waited for no longer than that.
 */
export const UNDER_WAY_MAX = 4;
export const UNDER_WAY_MS = 200;
/** Whose turns they are is worked out anew so often: with hundreds of calls that takes a while. */
export const TURNS_EVERY_MS = 200;
/** Who was told and is still here is told again. */
export const AGAIN_MS = 5_000;
/** A provider takes its time, and an order is not repeated while it may be under way. */
export const PROVIDER_AGAIN_MS = 30_000;

/** A call that could go on elsewhere. */
export interface Candidate {
  readonly callId: string;
  readonly legs: number;
  /** By words of its protocol in the socket, or by its provider's REST account. */
  readonly way: 'away' | 'provider';
  /** A backend was dialled for it: it is dialled anew elsewhere. */
  readonly hasAgent: boolean;
  /** Nobody speaks in it. */
  readonly isPausing: boolean;
  /** When it was last told to go; undefined where it was not. */
  readonly toldAtMs: AtMs | undefined;
}

export interface MoveTimes {
  readonly nowMs: AtMs;
  /** Providers are asked from then on: their callers hear a short break. */
  readonly providersFromAtMs: AtMs;
  /** A call whose agent never pauses is moved all the same from then on. */
  readonly talkersFromAtMs: AtMs;
}

/** Who may go now, in the order of their turns: fewest legs first, calls with an agent last. */
export function turnsOf(candidates: readonly Candidate[], times: MoveTimes): readonly Candidate[] {
  return candidates.filter((candidate) => isDue(candidate, times)).toSorted(byOrder);
}

function isDue({ way, hasAgent, isPausing, toldAtMs }: Candidate, times: MoveTimes): boolean {
  const { nowMs, providersFromAtMs, talkersFromAtMs } = times;
  const againMs = way === 'provider' ? PROVIDER_AGAIN_MS : AGAIN_MS;
  if (toldAtMs !== undefined && nowMs - toldAtMs < againMs) return false;
  if (way === 'provider' && nowMs < providersFromAtMs) return false;
  return !hasAgent || isPausing || nowMs >= talkersFromAtMs;
}

function byOrder(one: Candidate, other: Candidate): number {
  if (one.hasAgent !== other.hasAgent) return one.hasAgent ? 1 : -1;
  return one.legs - other.legs;
}
