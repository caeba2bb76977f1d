import { describe, expect, it } from 'vitest';
import { Breaker, OPEN_MS_MAX, type Evidence } from '../../../src/delivery/breaker/breaker.ts';

function after(breaker: Breaker, evidence: readonly Evidence[], nowMs = 0): Breaker {
  for (const one of evidence) breaker.end(breaker.begin(), one, nowMs);
  return breaker;
}

const times = (count: number, evidence: Evidence): Evidence[] => Array<Evidence>(count).fill(evidence);

describe('a breaker', () => {
  it('opens at the fifth failure in a row, and not at the fourth', () => {
    const breaker = after(new Breaker(), times(4, 'failure'));
    expect(breaker.gate(0)).toBe('open');
    expect(after(breaker, ['failure']).gate(0)).toBe('shut');
  });

  it.each(['success', 'answered'] as const)('counts from one again after a %s', (evidence) => {
    const breaker = after(new Breaker(), [...times(4, 'failure'), evidence, ...times(4, 'failure')]);
    expect(breaker.gate(0)).toBe('open');
  });

  it('opens when half of twenty in a minute failed, and not of nineteen', () => {
    const half = Array.from({ length: 19 }, (_, i): Evidence => (i % 2 === 0 ? 'failure' : 'success'));
    const breaker = after(new Breaker(), half, 1_000);
    expect(breaker.gate(1_000)).toBe('open');
    expect(after(breaker, ['failure'], 1_000).gate(1_000)).toBe('shut');
  });

  it('forgets failures a minute old', () => {
    const mixed = Array.from({ length: 18 }, (_, i): Evidence => (i % 2 === 0 ? 'failure' : 'success'));
    const breaker = after(new Breaker(), mixed, 1_000);
    expect(after(breaker, ['failure', 'success', 'failure'], 65_000).gate(65_000)).toBe('open');
  });

  it('is open for five seconds, then twice as long after each probe that fails, up to five minutes', () => {
    const breaker = after(new Breaker(), times(5, 'failure'));
    let nowMs = 0;
    const lengths: number[] = [];
    for (let round = 0; round < 9; round++) {
      const { state } = breaker;
      if (state.name !== 'open') throw new Error(`${state.name} in round ${round}`);
      lengths.push(state.openMs);
      expect(breaker.gate(nowMs + state.openMs - 1)).toBe('shut');
      nowMs += state.openMs;
      expect(breaker.gate(nowMs)).toBe('probe');
      const pass = breaker.begin();
      expect(breaker.gate(nowMs)).toBe('shut');
      breaker.end(pass, 'failure', nowMs);
    }
    expect(lengths.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(lengths.at(-1)).toBe(OPEN_MS_MAX);
  });

  it('closes at once when a probe succeeds, and starts at five seconds the next time', () => {
    const breaker = after(new Breaker(), times(5, 'failure'));
    expect(breaker.gate(5_000)).toBe('probe');
    after(breaker, ['success'], 5_000);
    expect(breaker.gate(5_000)).toBe('open');
    after(breaker, times(5, 'failure'), 6_000);
    expect(breaker.state).toMatchObject({ name: 'open', openMs: 5_000 });
  });

  it('takes failures that were under way when it opened for the same trouble', () => {
    const breaker = new Breaker();
    const passes = Array.from({ length: 32 }, () => breaker.begin());
    for (const pass of passes) breaker.end(pass, 'failure', 100);
    expect(breaker.state).toMatchObject({ name: 'open', openMs: 5_000 });
    expect(breaker.gate(5_100)).toBe('probe');
    const stragglers = passes.slice(0, 1);
    for (const pass of stragglers) breaker.end(pass, 'failure', 5_200);
    expect(breaker.gate(5_200)).toBe('probe');
  });

  it('tries another probe when one showed nothing', () => {
    const breaker = after(new Breaker(), times(5, 'failure'));
    expect(breaker.gate(5_000)).toBe('probe');
    const pass = breaker.begin();
    breaker.end(pass, null, 5_000);
    expect(breaker.gate(5_000)).toBe('probe');
  });

  it('comes back from a restart shut for what was left of its time', () => {
    const breaker = new Breaker();
    breaker.restore(40_000, 12_000, 1_000);
    expect([breaker.gate(12_999), breaker.gate(13_000)]).toEqual(['shut', 'probe']);
    breaker.restore(9e9, 9e9, 0);
    expect(breaker.gate(OPEN_MS_MAX)).toBe('probe');
  });
});
