import { randomRatio, type Clock } from '../base/clock.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** An event is not tried anew once it is older than this, or than all its delays if they are longer. */
const WINDOW_MS = 24 * HOUR_MS;
const JITTER_RATIO = 0.2;
/** The longest that one Retry-After may stop an endpoint. */
const PAUSE_MS_MAX = 15 * MINUTE_MS;
const OWN_DELAYS_MAX = 50;
const OWN_DELAY_MS_MAX = 24 * HOUR_MS;

/** The named retry policies of contract.md §6: delays between attempts. */
export const RETRY_POLICIES: { readonly [name: string]: readonly number[] } = {
  '24h': [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800].map((delayS) => delayS * SECOND_MS),
  '30m': [1, 2, 4, 8, 16].map((minutes) => minutes * MINUTE_MS),
  omniai: [1, 2].map((minutes) => minutes * MINUTE_MS),
};

/** The policy of endpoints that name none. */
export const RETRY_POLICY_DEFAULT = '24h';

/** Delays of a named policy or of an own list in seconds; undefined for anything else. */
export function retryDelaysMsOf(policy: string | readonly number[]): readonly number[] | undefined {
  if (typeof policy === 'string') {
    return Object.hasOwn(RETRY_POLICIES, policy) ? RETRY_POLICIES[policy] : undefined;
  }
  const delaysMs = policy.map((delayS) => delayS * SECOND_MS);
  const isValid = delaysMs.every((delayMs) => delayMs > 0 && delayMs <= OWN_DELAY_MS_MAX);
  return isValid && delaysMs.length <= OWN_DELAYS_MAX ? delaysMs : undefined;
}

/**
 * How long to wait after the `attempts`-th attempt failed, ±20 % so that the heads of many lanes do not come
 * back as one wave; null when the event has had its attempts or its time. The last wait is cut to the window.
 */
export function nextDelayMs(
  retryDelaysMs: readonly number[],
  attempts: number,
  ageMs: number,
  dice: Pick<Clock, 'randomBytes'>,
): number | null {
  const nominalMs = retryDelaysMs[attempts - 1];
  if (nominalMs === undefined) return null;
  const windowMs = Math.max(WINDOW_MS, sumOf(retryDelaysMs));
  const leftMs = windowMs - ageMs;
  if (leftMs <= 0) return null;
  const jitter = 1 - JITTER_RATIO + 2 * JITTER_RATIO * randomRatio(dice);
  return Math.min(Math.round(nominalMs * jitter), leftMs);
}

/** No delivery of such an endpoint ever has to wait longer than this for its next attempt. */
export function longestWaitMs(retryDelaysMs: readonly number[]): number {
  return Math.max(PAUSE_MS_MAX, ...retryDelaysMs) * (1 + JITTER_RATIO);
}

/** How long a Retry-After stops the endpoint: its first delay at least, a quarter of an hour at most. */
export function pauseMsOf(retryAfterMs: number, retryDelaysMs: readonly number[]): number {
  const leastMs = Math.min(retryDelaysMs[0] ?? 5 * SECOND_MS, PAUSE_MS_MAX);
  return Math.min(Math.max(retryAfterMs, leastMs), PAUSE_MS_MAX);
}

// RFC 9110 §5.6.7: the one form of date that senders generate.
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** What a Retry-After asks for: seconds, also with a fraction, or an HTTP date; undefined for nonsense. */
export function parseRetryAfter(value: string | undefined, nowUnixMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) return Math.ceil(Number(text)) * SECOND_MS;
  if (!HTTP_DATE.test(text)) return undefined;
  const unixMs = Date.parse(text);
  return Number.isNaN(unixMs) ? undefined : Math.max(0, unixMs - nowUnixMs);
}

function sumOf(delaysMs: readonly number[]): number {
  return delaysMs.reduce((sum, delayMs) => sum + delayMs, 0);
}
