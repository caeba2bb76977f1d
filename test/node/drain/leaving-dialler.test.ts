import { describe, expect, it } from 'vitest';
import type { AgentBackend, AgentCall, AgentDialListener } from '../../../src/call/agent-dialler.ts';
import { LeavingDialler } from '../../../src/node/drain/leaving-dialler.ts';
import { FakeClock } from '../../fakes/clock.ts';

describe('somebody new who is to be dialled for a call', () => {
  it('is dialled while the node stays, and refused in a later turn once it leaves', () => {
    const clock = new FakeClock();
    let [isLeaving, dials] = [false, 0];
    const dialler = new LeavingDialler({
      clock,
      isLeaving: () => isLeaving,
      dialler: { dial: () => ({ cancel: () => void dials++ }) },
    });
    const told: string[] = [];
    const listener = { failed: ({ error }) => void told.push(error) } as Partial<AgentDialListener>;
    const dial = () => dialler.dial({} as AgentBackend, {} as AgentCall, listener as AgentDialListener);
    dial().cancel();
    expect([dials, told]).toEqual([1, []]);
    isLeaving = true;
    dial();
    dial().cancel();
    expect(told).toEqual([]);
    clock.advance(0);
    expect([told, dialler.counts.refused, dials]).toEqual([['draining'], 2, 1]);
  });
});
