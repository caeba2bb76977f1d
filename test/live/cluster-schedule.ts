import { randomRatio } from '../../src/base/clock.ts';
import { FakeClock } from '../fakes/clock.ts';

/** What goes wrong in a real house, for how long: data, so that a schedule that failed is played again. */
export type LiveFault =
  /** It hangs, or takes no writes. */
  | {
      readonly atMs: number;
      readonly fault: 'hang' | 'read_only';
      readonly target: 'redis';
      readonly forMs: number;
    }
  | { readonly atMs: number; readonly fault: 'empty'; readonly target: 'redis' }
  /** kill -9; Redis comes back without its data. */
  | { readonly atMs: number; readonly fault: 'kill'; readonly target: 'redis'; readonly forMs: number }
  | { readonly atMs: number; readonly fault: 'kill'; readonly target: Child }
  | {
      readonly atMs: number;
      readonly fault: 'pause';
      readonly target: 'node-0' | 'node-1';
      readonly forMs: number;
    };

export type Child = 'control' | 'node-0' | 'node-1';

const FORMS = ['hang', 'read_only', 'empty', 'kill'] as const;
const OUTAGE_MS = 2_000;
const REST_MS = 300;

interface Dice {
  below(count: number): number;
}

function diceOf(seed: number): Dice {
  const clock = new FakeClock({ seed });
  return { below: (count) => Math.floor(randomRatio(clock) * count) };
}

/** Every fault of Redis once, in any order, each for up to two seconds; nobody else is touched. */
export function redisSchedule(seed: number): LiveFault[] {
  const dice = diceOf(seed);
  const left: (typeof FORMS)[number][] = [...FORMS];
  const order = FORMS.flatMap(() => left.splice(dice.below(left.length), 1));
  let atMs = 200;
  return order.map((fault): LiveFault => {
    const forMs = 200 + dice.below(OUTAGE_MS - 200);
    const target = 'redis' as const;
    const one = fault === 'empty' ? { atMs, fault, target } : { atMs, fault, target, forMs };
    atMs += (fault === 'empty' ? 0 : forMs) + REST_MS;
    return one;
  });
}

/** Three to five faults of anything, which may overlap. */
export function mixedSchedule(seed: number): LiveFault[] {
  const dice = diceOf(seed);
  const nodes = ['node-0', 'node-1'] as const;
  const faults = Array.from({ length: 3 + dice.below(3) }, (): LiveFault => {
    const atMs = dice.below(6_000);
    const forMs = 200 + dice.below(3_000);
    const node = nodes[dice.below(2)] ?? 'node-0';
    switch (dice.below(6)) {
      case 0:
        return { atMs, fault: 'hang', target: 'redis', forMs };
      case 1:
        return { atMs, fault: 'kill', target: 'redis', forMs };
      case 2:
        return { atMs, fault: 'empty', target: 'redis' };
      case 3:
        return { atMs, fault: 'pause', target: node, forMs };
      case 4:
        return { atMs, fault: 'kill', target: 'control' };
      default:
        return { atMs, fault: 'kill', target: node };
    }
  });
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}
