import { describe, expect, it } from 'vitest';
import { NodePacer } from '../../src/node/pacer.ts';
import { FakeClock } from '../fakes/clock.ts';

function openPacer(clock = new FakeClock()): { clock: FakeClock; pacer: NodePacer; failures: unknown[] } {
  const failures: unknown[] = [];
  const pacer = new NodePacer({ clock, observeLagMs: () => {}, onFailure: (error) => failures.push(error) });
  return { clock, pacer, failures };
}

function counting(): { ticks: number; tick(): void } {
  return {
    ticks: 0,
    tick() {
      this.ticks++;
    },
  };
}

describe('the node’s pacer', () => {
  it('asks every leg for exactly fifty frames a second, whatever their number', () => {
    const { clock, pacer } = openPacer();
    const legs = Array.from({ length: 10 }, counting);
    for (const leg of legs) pacer.add(leg);
    clock.advance(10_000);
    expect(legs.map(({ ticks }) => ticks)).toEqual(Array.from({ length: 10 }, () => 500));
  });

  it('spreads legs over the 20 ms', () => {
    const { clock, pacer } = openPacer();
    const atMs: number[] = [];
    for (let i = 0; i < 4; i++) pacer.add({ tick: () => void atMs.push(clock.nowMs()) });
    clock.advance(20);
    expect(new Set(atMs).size).toBe(4);
  });

  it('stands still while nobody needs a clock', () => {
    const { clock, pacer } = openPacer();
    const leg = counting();
    pacer.add(leg);
    clock.advance(100);
    pacer.remove(leg);
    clock.advance(100);
    expect(clock.pendingTasks).toBe(0);
    expect(leg.ticks).toBe(5);
  });

  it('does not make up for the time in which nobody was there', () => {
    const { clock, pacer } = openPacer();
    const first = counting();
    pacer.add(first);
    clock.advance(100);
    pacer.remove(first);
    clock.advance(5_000);
    const second = counting();
    pacer.add(second);
    clock.advance(40);
    expect(second.ticks).toBe(2);
  });

  it('goes on for everybody else when one leg breaks its promise', () => {
    const { clock, pacer, failures } = openPacer();
    const well = counting();
    pacer.add({
      tick: () => {
        throw new Error('broken');
      },
    });
    pacer.add(well);
    clock.advance(100);
    expect(failures).toHaveLength(1);
    expect(well.ticks).toBe(5);
    expect(pacer.stats.failedTicks).toBe(1);
  });
});
