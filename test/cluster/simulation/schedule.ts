import { randomRatio } from '../../../src/base/clock.ts';
import { FakeClock } from '../../fakes/clock.ts';
import type { RegistryFault } from '../../fakes/faulty-registry.ts';

export const NODES = 4;
export const CALLS = 12;
export const LENGTH_MS = 40_000;

/** What goes wrong, for how long: data, so a schedule that failed is played again by its seed. */
export type Fault =
  | {
      readonly atMs: number;
      readonly fault: RegistryFault;
      readonly target: 'registry';
      readonly forMs: number;
    }
  | { readonly atMs: number; readonly fault: 'empty'; readonly target: 'registry' }
  | {
      readonly atMs: number;
      readonly fault: 'pause' | 'partition';
      readonly target: number;
      readonly forMs: number;
    }
  | { readonly atMs: number; readonly fault: 'kill'; readonly target: number }
  /** The wall clock steps, as NTP or an operator does it. */
  | { readonly atMs: number; readonly fault: 'step'; readonly target: 'clock'; readonly byMs: number };

const REGISTRY_FAULTS: readonly RegistryFault[] = ['down', 'slow', 'mute', 'late', 'read_only'];

/** Two to six faults of any kind, the last of them over ten seconds before the end. */
export function randomSchedule(seed: number): Fault[] {
  const dice = new FakeClock({ seed });
  const below = (count: number): number => Math.floor(randomRatio(dice) * count);
  const faults = Array.from({ length: 2 + below(5) }, (): Fault => {
    const atMs = 1_000 + below(20_000);
    const forMs = 200 + below(7_000);
    const node = below(NODES);
    switch (below(7)) {
      case 0:
        return { atMs, fault: 'empty', target: 'registry' };
      case 1:
        return { atMs, fault: 'kill', target: node };
      case 2:
        return { atMs, fault: 'pause', target: node, forMs };
      case 3:
        return { atMs, fault: 'partition', target: node, forMs };
      case 4:
        return { atMs, fault: 'step', target: 'clock', byMs: below(2) === 0 ? -10_000 : 10_000 };
      default:
        return {
          atMs,
          fault: REGISTRY_FAULTS[below(REGISTRY_FAULTS.length)] ?? 'down',
          target: 'registry',
          forMs,
        };
    }
  });
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}
