import { randomBytes } from 'node:crypto';

/**
 * An instant of CLOCK_MONOTONIC in milliseconds: comparable between the processes of one host, meaningless
 * elsewhere.
 */
export type AtMs = number;

/** Undoes what `Clock.after` arranged; calling it late or twice does nothing. */
export type Cancel = () => void;

/** The one door through which time and chance come in. */
export interface Clock {
  /** Monotonic now, in fractional milliseconds. */
  nowMs(): AtMs;
  /** Wall-clock now, for people and for signatures; it may step. */
  unixMs(): number;
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Cancel;
  /** Cryptographically strong bytes. */
  randomBytes(count: number): Buffer;
}

// `performance.now()` counts from the start of the process and, unlike `process.hrtime()`, returns no array
// to
// collect; both read the same clock, so one offset taken here makes it CLOCK_MONOTONIC, which processes
// share.
const [startSeconds, startNanoseconds] = process.hrtime();
const MONOTONIC_OFFSET_MS = startSeconds * 1000 + startNanoseconds / 1e6 - performance.now();

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now() + MONOTONIC_OFFSET_MS,
  unixMs: () => Date.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  randomBytes,
};

/** A fraction in [0, 1) from the clock's dice, for jitter and choice. */
export function randomRatio(clock: Pick<Clock, 'randomBytes'>): number {
  return clock.randomBytes(4).readUInt32BE() / 0x1_0000_0000;
}

/** Resolves after `delayMs` of the given clock. */
export function sleep(clock: Pick<Clock, 'after'>, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
