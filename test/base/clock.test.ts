import { execFileSync } from 'node:child_process';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { onDeadline, randomRatio, seededDice, seededRolls, systemClock } from '../../src/base/clock.ts';
import { FakeClock } from '../fakes/clock.ts';

describe('the system clock', () => {
  it('is comparable between the processes of this host', () => {
    const before = systemClock.nowMs();
    const script = 'const [s, n] = process.hrtime(); console.log(s * 1000 + n / 1e6)';
    const elsewhere = Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
    expect(elsewhere).toBeGreaterThan(before);
    expect(elsewhere).toBeLessThan(systemClock.nowMs());
  });

  it('is CLOCK_MONOTONIC itself, to a fraction of a millisecond, in every process', () => {
    const clock = new URL('../../src/base/clock.ts', import.meta.url).pathname;
    const script = `
      const { systemClock } = await import('${clock}');
      const off = Array.from({ length: 50 }, () => {
        const [s, n] = process.hrtime();
        return Math.abs(systemClock.nowMs() - (s * 1000 + n / 1e6));
      });
      console.log(Math.min(...off))`;
    const run = (): number =>
      Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
    expect(Math.max(run(), run(), run())).toBeLessThan(0.2);
  });

  it('rolls dice within a fraction', () => {
    for (let i = 0; i < 100; i++) {
      const ratio = randomRatio(systemClock);
      expect(ratio).toBeGreaterThanOrEqual(0);
      expect(ratio).toBeLessThan(1);
    }
  });
});

describe('a deadline', () => {
  it('comes after what had arrived while the loop stood still', async () => {
    const { port1, port2 } = new MessageChannel();
    const seen: string[] = [];
    port2.once('message', () => seen.push('answer'));
    await new Promise<void>((resolve) => {
      onDeadline(systemClock, 5, () => {
        seen.push('deadline');
        resolve();
      });
      port1.postMessage('here');
      const untilMs = systemClock.nowMs() + 20;
      while (systemClock.nowMs() < untilMs);
    });
    port1.close();
    expect(seen).toEqual(['answer', 'deadline']);
  });

  it('that is called off never comes, and on a virtual clock comes at its instant', async () => {
    const seen: string[] = [];
    onDeadline(systemClock, 0, () => seen.push('off'))();
    const clock = new FakeClock();
    onDeadline(clock, 10, () => seen.push('due'));
    onDeadline(clock, 5, () => seen.push('never'))();
    clock.advance(10);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(seen).toEqual(['due']);
  });
});

describe('a virtual clock', () => {
  it('runs tasks at their own instants, in order', () => {
    const clock = new FakeClock();
    const seen: [string, number][] = [];
    clock.after(30, () => seen.push(['late', clock.nowMs()]));
    clock.after(10, () => {
      seen.push(['early', clock.nowMs()]);
      clock.after(10, () => seen.push(['nested', clock.nowMs()]));
    });
    clock.advance(40);
    expect(seen).toEqual([
      ['early', 10],
      ['nested', 20],
      ['late', 30],
    ]);
  });

  it('runs nothing that was cancelled', () => {
    const clock = new FakeClock();
    let ran = false;
    clock.after(5, () => (ran = true))();
    clock.advance(10);
    expect(ran).toBe(false);
  });
});

describe('seeded dice', () => {
  it('fall as Mulberry32 does, the same way for the same seed', () => {
    const dice = seededDice(1);
    // Of the reference in C, by the same seed.
    expect([dice(), dice(), dice()].map((ratio) => ratio * 2 ** 32)).toEqual([
      2_693_262_067, 11_749_833, 2_265_367_787,
    ]);
    expect(seededDice(2)()).not.toBe(seededDice(1)());
  });

  it('roll whole numbers of as many sides as they are asked for', () => {
    const roll = seededRolls(7);
    const counts = Array<number>(6).fill(0);
    for (let n = 0; n < 6_000; n++) counts[roll(6)]!++;
    for (const count of counts) expect(count).toBeGreaterThan(850);
  });
});
