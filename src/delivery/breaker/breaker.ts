import type { AtMs } from '../../base/clock.ts';

/** What an attempt says of its receiver; null where it says nothing. */
export type Evidence = 'success' | 'answered' | 'failure' | null;

/** Whether requests may go out: all, one to find out, or none. */
export type Gate = 'open' | 'probe' | 'shut';

/** Where a breaker stands. `closed` is well: requests flow. */
export type BreakerState =
  | { readonly name: 'closed'; readonly failures: number }
  | { readonly name: 'open'; readonly untilAtMs: AtMs; readonly openMs: number }
  | { readonly name: 'half_open'; readonly openMs: number; readonly isProbing: boolean };

// delivery.md §3.4. The cap is minutes, not a day: a receiver that has healed should not stay dark.
const FAILURES_MAX = 5;
const WINDOW_MS = 60_000;
const WINDOW_ATTEMPTS_MIN = 20;
const WINDOW_FAILED_RATIO = 0.5;
const OPEN_MS_MIN = 5_000;
export const OPEN_MS_MAX = 5 * 60_000;
const BUCKETS = 12;
const BUCKET_MS = WINDOW_MS / BUCKETS;
const CLOSED: BreakerState = { name: 'closed', failures: 0 };

interface Bucket {
  number: number;
  attempts: number;
  failed: number;
}

/**
 * Stops requests to a receiver that fails, and finds out with one at a time whether it is well again. Told
 * the time, it knows no clock. A pass is taken for each attempt and given back with what the attempt showed.
 */
export class Breaker {
  readonly #buckets: Bucket[] = Array.from({ length: BUCKETS }, () => ({
    number: -1,
    attempts: 0,
    failed: 0,
  }));
  #state: BreakerState = CLOSED;
  // Attempts that were under way when it opened fail one after the other: they are news of the same trouble.
  #life = 0;

  get state(): BreakerState {
    return this.#state;
  }

  gate(nowMs: AtMs): Gate {
    const state = this.#state;
    if (state.name === 'closed') return 'open';
    if (state.name === 'open') {
      if (nowMs < state.untilAtMs) return 'shut';
      this.#state = { name: 'half_open', openMs: state.openMs, isProbing: false };
      return 'probe';
    }
    return state.isProbing ? 'shut' : 'probe';
  }

  /** Before an attempt; what it returns goes into `end`. */
  begin(): number {
    if (this.#state.name === 'half_open') this.#state = { ...this.#state, isProbing: true };
    return this.#life;
  }

  /** After an attempt; true when the state has changed its name. */
  end(pass: number, evidence: Evidence, nowMs: AtMs): boolean {
    const state = this.#state;
    if (evidence === 'failure') return pass === this.#life && this.#failed(nowMs);
    if (evidence === null) {
      const wasProbe = state.name === 'half_open' && pass === this.#life;
      if (wasProbe) this.#state = { ...state, isProbing: false };
      return false;
    }
    this.#count(nowMs, false);
    // Whoever answers is there, though it may not like what it is told.
    if (state.name !== 'closed') this.#forget();
    this.#state = CLOSED;
    return state.name !== 'closed';
  }

  /** As it was before a restart: shut for the rest of its time. */
  restore(openMs: number, leftMs: number, nowMs: AtMs): void {
    const boundedMs = Math.min(Math.max(openMs, OPEN_MS_MIN), OPEN_MS_MAX);
    this.#open(boundedMs, nowMs + Math.min(Math.max(0, leftMs), boundedMs));
  }

  #failed(nowMs: AtMs): boolean {
    const state = this.#state;
    if (state.name === 'open') return false;
    if (state.name === 'half_open') {
      const openMs = Math.min(state.openMs * 2, OPEN_MS_MAX);
      this.#open(openMs, nowMs + openMs);
      return true;
    }
    this.#count(nowMs, true);
    const failures = state.failures + 1;
    this.#state = { name: 'closed', failures };
    if (failures < FAILURES_MAX && !this.#isMostlyFailing(nowMs)) return false;
    this.#open(OPEN_MS_MIN, nowMs + OPEN_MS_MIN);
    return true;
  }

  #open(openMs: number, untilAtMs: AtMs): void {
    this.#life++;
    this.#forget();
    this.#state = { name: 'open', untilAtMs, openMs };
  }

  #forget(): void {
    for (const bucket of this.#buckets) bucket.number = -1;
  }

  #count(nowMs: AtMs, isFailed: boolean): void {
    const number = Math.floor(nowMs / BUCKET_MS);
    const bucket = this.#buckets[number % BUCKETS]!;
    if (bucket.number !== number) Object.assign(bucket, { number, attempts: 0, failed: 0 });
    bucket.attempts++;
    if (isFailed) bucket.failed++;
  }

  #isMostlyFailing(nowMs: AtMs): boolean {
    const first = Math.floor(nowMs / BUCKET_MS) - BUCKETS + 1;
    let attempts = 0;
    let failed = 0;
    for (const bucket of this.#buckets) {
      if (bucket.number < first) continue;
      attempts += bucket.attempts;
      failed += bucket.failed;
    }
    return attempts >= WINDOW_ATTEMPTS_MIN && failed >= attempts * WINDOW_FAILED_RATIO;
  }
}
