import type { Clock } from '../../base/clock.ts';
import type { Attempt, Endpoint } from '../outbox.ts';
import { nextDelayMs, pauseMsOf } from '../schedule.ts';
import type { SendResult } from '../wire/sender.ts';

/** What becomes of a delivery, and of its endpoint, after an attempt. */
export interface Aftermath {
  readonly next:
    | { readonly state: 'delivered' }
    | { readonly state: 'dead'; readonly reason: 'gone' | 'blocked' | 'exhausted' }
    | { readonly state: 'retrying'; readonly delayMs: number };
  /** How long the whole endpoint asked to be left alone; 0 when it did not. */
  readonly pauseMs: number;
  /** The receiver understood the event and will not have it: others need not wait for it for long. */
  readonly isRefusal: boolean;
  /** The receiver asked for no more hooks at all; null when it did not. */
  readonly disables: 'gone' | 'asked' | null;
}

// 4xx that speak of the moment, not of the event (contract.md §6).
const MOMENTARY = [408, 425, 429];

/** Decides by the answer, the endpoint's schedule and the age of the event. */
export function aftermathOf(
  { attempt, retryAfterMs }: Pick<SendResult, 'attempt' | 'retryAfterMs'>,
  endpoint: Pick<Endpoint, 'retryDelaysMs'>,
  ageMs: number,
  dice: Pick<Clock, 'randomBytes'>,
): Aftermath {
  const { errorClass, status, number } = attempt;
  const pauseMs = retryAfterMs === null ? 0 : pauseMsOf(retryAfterMs, endpoint.retryDelaysMs);
  const isRefusal = errorClass === 'http_4xx' && !MOMENTARY.includes(status ?? 0);
  const rest = { pauseMs, isRefusal, disables: disablesOf(attempt) };
  if (errorClass === null) return { next: { state: 'delivered' }, ...rest };
  if (status === 410) return { next: { state: 'dead', reason: 'gone' }, ...rest };
  if (errorClass === 'blocked') return { next: { state: 'dead', reason: 'blocked' }, ...rest };
  const delayMs = nextDelayMs(endpoint.retryDelaysMs, number, ageMs, dice);
  if (delayMs === null) return { next: { state: 'dead', reason: 'exhausted' }, ...rest };
  return { next: { state: 'retrying', delayMs: Math.max(delayMs, pauseMs) }, ...rest };
}

function disablesOf({ status, responseHeaders }: Attempt): Aftermath['disables'] {
  if (status === 410) return 'gone';
  // Svix, "Delivery control": a receiver that cannot answer 410 says it in a header.
  return responseHeaders['webhook-delivery']?.trim().toLowerCase() === 'disable' ? 'asked' : null;
}
