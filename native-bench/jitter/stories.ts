import type { Network } from './trace.ts';

/** A network somebody has had, with a seed. */
export interface Story {
  readonly name: string;
  readonly seed: number;
  readonly network: Network;
}

const exponential =
  (meanMs: number, maxMs = 400) =>
  (dice: () => number): number =>
    Math.min(maxMs, -Math.log(1 - dice()) * meanMs);

/** Spikes now and then: for a moment everything is late, each frame less than the one before. */
const spikes =
  (everyMs: number, heightMs: number) =>
  (dice: () => number, sentAtMs: number): number =>
    dice() * 4 + Math.max(0, heightMs - (sentAtMs % everyMs));

const LOSSES = [1, 5, 10, 20].map((percent): Story => ({
  name: `${percent} % lost, three in a row (Gilbert-Elliott), delays of 8 ms`,
  seed: 100 + percent,
  network: { seconds: 120, loss: { ratio: percent / 100, inARow: 3 }, delayMs: exponential(8) },
}));

/** The networks every jitter buffer is held against. */
export const STORIES: readonly Story[] = [
  { name: 'perfect pacing', seed: 1, network: { seconds: 60, isOrdered: true } },
  {
    name: 'timers up to 3 ms late',
    seed: 2,
    network: { seconds: 60, isOrdered: true, delayMs: (dice) => dice() * 3 },
  },
  {
    name: 'chunks of 100 ms',
    seed: 3,
    network: { seconds: 60, isOrdered: true, delayMs: (_, sentAtMs) => 99 - ((sentAtMs + 1) % 100) },
  },
  { name: 'delays of 5 ms (exponential)', seed: 4, network: { seconds: 120, delayMs: exponential(5) } },
  { name: 'delays of 15 ms (exponential)', seed: 5, network: { seconds: 120, delayMs: exponential(15) } },
  {
    name: 'delays of 40 ms (exponential), in order',
    seed: 6,
    network: { seconds: 120, isOrdered: true, delayMs: exponential(40) },
  },
  {
    name: 'spikes of 150 ms every 4 s',
    seed: 7,
    network: { seconds: 120, isOrdered: true, delayMs: spikes(4000, 150) },
  },
  {
    name: 'spikes of 100 ms every 25 s',
    seed: 8,
    network: { seconds: 150, isOrdered: true, delayMs: spikes(25_000, 100) },
  },
  {
    name: 'a fifth out of order, 0–123 ms, 2.6 % lost',
    seed: 9,
    network: {
      seconds: 120,
      loss: { ratio: 0.026, inARow: 1.3 },
      delayMs: (dice) => (dice() < 0.2 ? dice() * 123 : dice() * 5),
    },
  },
  { name: 'a tenth twice', seed: 10, network: { seconds: 60, duplicateRatio: 0.1, delayMs: exponential(5) } },
  ...LOSSES,
  {
    name: 'a sender 200 ppm fast, ten minutes',
    seed: 11,
    network: { seconds: 600, driftPpm: 200, delayMs: (dice) => dice() },
  },
  {
    name: 'a sender 200 ppm slow, ten minutes',
    seed: 12,
    network: { seconds: 600, driftPpm: -200, delayMs: (dice) => dice() },
  },
  {
    name: 'five seconds at once, sent ahead',
    seed: 13,
    network: { seconds: 120, burst: { atMs: 10_000, frames: 250 } },
  },
  {
    name: 'five seconds at once, after a stall',
    seed: 14,
    network: { seconds: 120, isOrdered: true, stall: { fromMs: 10_000, toMs: 15_000 } },
  },
  {
    name: 'a stall of two seconds',
    seed: 15,
    network: { seconds: 60, isOrdered: true, stall: { fromMs: 10_000, toMs: 12_000 } },
  },
  {
    name: 'sequence and timestamp wrap',
    seed: 16,
    network: {
      seconds: 60,
      firstSequence: 65_000,
      firstTimestampSamples: 0xffff_0000,
      delayMs: exponential(5),
    },
  },
  {
    name: 'a sender that starts over every 10 s',
    seed: 17,
    network: { seconds: 60, restartEveryFrames: 500, delayMs: exponential(5) },
  },
  {
    name: 'silence left out: 2 s spoken, 1.5 s not',
    seed: 18,
    network: { seconds: 120, talk: { spokenFrames: 100, silentFrames: 75 }, delayMs: exponential(5) },
  },
];
