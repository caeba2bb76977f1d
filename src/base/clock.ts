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
  /** Runs `task` when what has arrived on sockets by now was read; absent where time is made up. */
  afterReading?(task: () => void): void;
  /** Cryptographically strong bytes. */
  randomBytes(count: number): Buffer;
}

// `performance.now()` counts from the start of the process and, unlike `process.hrtime()`, returns no array
// to collect; both read the same clock, so one offset makes it CLOCK_MONOTONIC, which processes share. A
// first call takes milliseconds to load, so the closest pair of many is the one to believe.
const MONOTONIC_OFFSET_MS = monotonicOffsetMs();

function monotonicOffsetMs(): number {
  let offsetMs = 0;
  let closestMs = Infinity;
  for (let i = 0; i < 50; i++) {
    const beforeMs = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const afterMs = performance.now();
    if (afterMs - beforeMs >= closestMs) continue;
    closestMs = afterMs - beforeMs;
    offsetMs = seconds * 1000 + nanoseconds / 1e6 - (beforeMs + afterMs) / 2;
  }
  return offsetMs;
}

/** The real clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now() + MONOTONIC_OFFSET_MS,
  unixMs: () => Date.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  // Timers run before sockets are read, and these after.
  afterReading: (task) => void setImmediate(task),
  randomBytes,
};

/** The wall-clock instant of a monotonic one: what another host can make something of. */
export function unixMsOf(clock: Pick<Clock, 'nowMs' | 'unixMs'>, atMs: AtMs): number {
  return Math.round(clock.unixMs() - (clock.nowMs() - atMs));
}

/** Something that was on another host, on this one's clock; never later than now. */
export function pastAtMsOf(clock: Pick<Clock, 'nowMs' | 'unixMs'>, unixMs: number): AtMs {
  return clock.nowMs() - Math.max(0, clock.unixMs() - unixMs);
}

/** A fraction in [0, 1) from the clock's dice, for jitter and choice. */
export function randomRatio(clock: Pick<Clock, 'randomBytes'>): number {
  return clock.randomBytes(4).readUInt32BE() / 0x1_0000_0000;
}

/** Numbers in [0, 1), one a call. */
export type Dice = () => number;

/** Dice that fall the same way for the same seed, the same everywhere. No secret may hang on them. */
export function seededDice(seed: number): Dice {
  const bits = seededBits(seed);
  return () => bits() / 0x1_0000_0000;
}

/** The same as whole numbers from 0 to below `sides`. */
export function seededRolls(seed: number): (sides: number) => number {
  const bits = seededBits(seed);
  return (sides) => bits() % sides;
}

/** 32 bits a call, by Mulberry32: small, and good enough for dice. */
function seededBits(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return (bits ^ (bits >>> 14)) >>> 0;
  };
}

/** Resolves after `delayMs` of the given clock. */
export function sleep(clock: Pick<Clock, 'after'>, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/**
 * Runs `task` when an answer is overdue. An event loop that is late finds its timers due and the answers
 * unread: these come first, so that nobody is taken for silent who had answered.
 */
export function onDeadline(
  clock: Pick<Clock, 'after' | 'afterReading'>,
  delayMs: number,
  task: () => void,
): Cancel {
  let isOff = false;
  const cancel = clock.after(delayMs, () => {
    if (clock.afterReading === undefined) return task();
    clock.afterReading(() => {
      if (!isOff) task();
    });
  });
  return () => {
    isOff = true;
    cancel();
  };
}
