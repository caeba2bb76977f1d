import { describe, expect, it } from 'vitest';
import {
  advanceInterruption,
  BARGE_IN_POLICIES,
  UNINTERRUPTED,
  type BargeInPolicy,
  type Interruption,
} from '../../../src/call/barge-in/interruption.ts';

const spokeOver = (policy: BargeInPolicy) =>
  advanceInterruption(UNINTERRUPTED, { type: 'spoke_over', speakerId: 'leg_a', policy, nowMs: 5 });
const silentAfter = (state: Interruption, durationMs: number, speakerId = 'leg_a') =>
  advanceInterruption(state, { type: 'fell_silent', speakerId, durationMs });

describe('an interruption', () => {
  it('does what the policy says', () => {
    const acts = BARGE_IN_POLICIES.map((policy) => spokeOver(policy).act);
    expect(acts).toEqual(['tell', 'pause', 'cut', 'nothing']);
  });

  it('is the same state where nothing happened', () => {
    for (const policy of ['notify', 'pause', 'clear'] as const) {
      const { state } = spokeOver(policy);
      expect(silentAfter(state, 2000, 'leg_b').state).toBe(state);
      const again = { type: 'spoke_over', speakerId: 'leg_b', policy, nowMs: 9 } as const;
      expect(advanceInterruption(state, again)).toEqual({ state, act: 'nothing' });
    }
    expect(spokeOver('ignore').state).toBe(UNINTERRUPTED);
    expect(advanceInterruption(UNINTERRUPTED, { type: 'lasted' }).state).toBe(UNINTERRUPTED);
  });

  it('was none when it was shorter than half a second', () => {
    const { state } = spokeOver('pause');
    expect(silentAfter(state, 499)).toEqual({ state: UNINTERRUPTED, act: 'resume' });
    expect(silentAfter(state, 500)).toEqual({ state: UNINTERRUPTED, act: 'cut' });
  });

  it('is believed at once where the agent heard it itself, unless its words do not count', () => {
    const heard = (policy: BargeInPolicy) =>
      advanceInterruption(UNINTERRUPTED, { type: 'agent_heard', policy }).act;
    expect(BARGE_IN_POLICIES.map(heard)).toEqual(['nothing', 'cut', 'cut', 'nothing']);
    const paused = spokeOver('pause').state;
    const { state, act } = advanceInterruption(paused, { type: 'agent_heard', policy: 'pause' });
    expect(act).toBe('cut');
    expect(silentAfter(state, 100).act).toBe('nothing');
  });
});
