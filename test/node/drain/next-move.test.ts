import { describe, expect, it } from 'vitest';
import { turnsOf, type Candidate } from '../../../src/node/drain/next-move.ts';

const TIMES = { nowMs: 10_000, providersFromAtMs: 600_000, talkersFromAtMs: 60_000 };

function candidate(callId: string, facts: Partial<Candidate> = {}): Candidate {
  return {
    callId,
    legs: 1,
    way: 'away',
    hasAgent: false,
    isPausing: true,
    toldAtMs: undefined,
    ...facts,
  };
}

const order = (candidates: readonly Candidate[], times = TIMES): readonly string[] =>
  turnsOf(candidates, times).map(({ callId }) => callId);

describe('the next call to go', () => {
  it('is the one with the fewest legs, and those with agents come last', () => {
    const calls = [
      candidate('agent', { hasAgent: true }),
      candidate('three', { legs: 3 }),
      candidate('one'),
      candidate('two', { legs: 2 }),
    ];
    expect(order(calls)).toEqual(['one', 'two', 'three', 'agent']);
  });

  it('is none whose agent is in a sentence, until half of the time is over', () => {
    const talking = [candidate('talking', { hasAgent: true, isPausing: false })];
    expect(order(talking)).toEqual([]);
    expect(order(talking, { ...TIMES, nowMs: 60_000 })).toEqual(['talking']);
  });

  it('may be in a sentence where nobody is dialled anew for it', () => {
    expect(order([candidate('people', { isPausing: false })])).toEqual(['people']);
  });

  it('is none of a provider before its time: its caller would hear a break', () => {
    const streamed = [candidate('streamed', { way: 'provider' })];
    expect(order(streamed, { ...TIMES, nowMs: 599_999 })).toEqual([]);
    expect(order(streamed, { ...TIMES, nowMs: 600_000 })).toEqual(['streamed']);
  });

  it('is told again after five seconds where it is still here, a provider after thirty', () => {
    const told = [candidate('told', { toldAtMs: 10_000 })];
    expect(order(told, { ...TIMES, nowMs: 14_999 })).toEqual([]);
    expect(order(told, { ...TIMES, nowMs: 15_000 })).toEqual(['told']);
    const asked = [candidate('asked', { way: 'provider', toldAtMs: 600_000 })];
    expect(order(asked, { ...TIMES, nowMs: 629_999 })).toEqual([]);
    expect(order(asked, { ...TIMES, nowMs: 630_000 })).toEqual(['asked']);
  });
});
