import { array, assert, constantFrom, oneof, property, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  advanceHandover,
  isOver,
  startHandover,
  type HandoverInput,
  type HandoverMode,
  type HandoverState,
} from '../../../src/call/handover/handover.ts';
import { numRuns, seed } from '../../dialect/wire.ts';

function started(mode: HandoverMode = 'cold'): HandoverState {
  return startHandover({ id: 'ho_1', mode, startedAtMs: 1_000, deadlineAtMs: 31_000 });
}

/** What becomes of a handover when all of this happens, 100 ms apart. */
function after(mode: HandoverMode, ...inputs: readonly HandoverInput[]): HandoverState {
  return inputs.reduce((state, input, i) => advanceHandover(state, input, 1_100 + i * 100), started(mode));
}

const ARRIVED = { type: 'target_arrived', legId: 'leg_h' } as const;
const ACCEPTED = { type: 'accepted', legId: 'leg_h' } as const;
const COMPLETED = { type: 'completed' } as const;
const HEARD = { type: 'target_heard' } as const;
const CANCELLED = { type: 'cancelled' } as const;
const AGENT_LOST = { type: 'agent_lost' } as const;
const CALLER_LOST = { type: 'caller_lost' } as const;
const TARGET_LOST = { type: 'leg_lost', legId: 'leg_h' } as const;

describe('a cold handover', () => {
  it('bridges the target as soon as it accepts, and succeeds when the caller has heard it', () => {
    expect(after('cold', ARRIVED, ACCEPTED)).toMatchObject({ name: 'bridged', targetLegId: 'leg_h' });
    expect(after('cold', ARRIVED, ACCEPTED, HEARD)).toMatchObject({ name: 'succeeded', elapsedMs: 300 });
  });

  it('has not succeeded while nobody has heard the target', () => {
    expect(after('cold', HEARD).name).toBe('offered');
    expect(after('cold', ARRIVED, HEARD).name).toBe('offered');
  });

  it('needs no completion', () => {
    expect(after('cold', COMPLETED).name).toBe('offered');
  });

  it('knows the leg that was first to come', () => {
    const other = { type: 'target_arrived', legId: 'leg_x' } as const;
    expect(after('cold', ARRIVED, other)).toMatchObject({ targetLegId: 'leg_h' });
  });
});

describe.each(['warm', 'whisper'] as const)('a %s handover', (mode) => {
  it('lets agent and target talk until it is completed', () => {
    expect(after(mode, ARRIVED, ACCEPTED)).toMatchObject({ name: 'consulting', targetLegId: 'leg_h' });
    expect(after(mode, ARRIVED, ACCEPTED, COMPLETED).name).toBe('bridged');
    expect(after(mode, ARRIVED, ACCEPTED, COMPLETED, HEARD).name).toBe('succeeded');
  });

  it('joins the caller at once when the agent dies while it consults', () => {
    expect(after(mode, ARRIVED, ACCEPTED, AGENT_LOST)).toMatchObject({ name: 'bridged', hasLostAgent: true });
  });

  it('has nothing to consult about when the agent died before', () => {
    expect(after(mode, AGENT_LOST, ARRIVED, ACCEPTED).name).toBe('bridged');
  });

  it('fails when the target thinks better of it', () => {
    expect(after(mode, ARRIVED, ACCEPTED, { type: 'declined' })).toMatchObject({ reason: 'declined' });
  });

  it('may take longer than its deadline once the target has accepted', () => {
    const consulting = after(mode, ARRIVED, ACCEPTED);
    expect(advanceHandover(consulting, { type: 'time_passed' }, 99_000)).toBe(consulting);
  });
});

describe('a handover', () => {
  it('fails at its deadline, and not a moment before', () => {
    const offered = started();
    expect(advanceHandover(offered, { type: 'time_passed' }, 30_999)).toBe(offered);
    expect(advanceHandover(offered, { type: 'time_passed' }, 31_000)).toMatchObject({
      name: 'failed',
      reason: 'timeout',
      elapsedMs: 30_000,
    });
  });

  it.each(['declined', 'unreachable', 'unsupported'] as const)('fails as %s', (type) => {
    expect(after('cold', { type })).toMatchObject({ name: 'failed', reason: type });
  });

  it('fails when the caller hangs up, whatever it was about to become', () => {
    expect(after('warm', CALLER_LOST)).toMatchObject({ reason: 'caller_hangup' });
    expect(after('warm', ARRIVED, ACCEPTED, CALLER_LOST)).toMatchObject({ reason: 'caller_hangup' });
    expect(after('cold', ARRIVED, ACCEPTED, CALLER_LOST)).toMatchObject({ reason: 'caller_hangup' });
  });

  it('fails when the target goes, and does not care about other legs', () => {
    expect(after('cold', ARRIVED, TARGET_LOST)).toMatchObject({ reason: 'target_error' });
    expect(after('warm', ARRIVED, ACCEPTED, TARGET_LOST)).toMatchObject({ reason: 'target_error' });
    expect(after('cold', ARRIVED, ACCEPTED, TARGET_LOST)).toMatchObject({ reason: 'target_error' });
    expect(after('cold', ARRIVED, { type: 'leg_lost', legId: 'leg_x' }).name).toBe('offered');
  });

  it('can be cancelled until caller and target are joined', () => {
    expect(after('cold', CANCELLED)).toMatchObject({ reason: 'cancelled' });
    expect(after('warm', ARRIVED, ACCEPTED, CANCELLED)).toMatchObject({ reason: 'cancelled' });
    expect(after('cold', ARRIVED, ACCEPTED, CANCELLED).name).toBe('bridged');
  });

  it('goes on when the agent dies, and remembers that there is no way back', () => {
    expect(after('cold', AGENT_LOST)).toMatchObject({ name: 'offered', hasLostAgent: true });
    expect(after('cold', AGENT_LOST, { type: 'declined' })).toMatchObject({
      name: 'failed',
      hasLostAgent: true,
    });
  });

  it('has one outcome: whatever happens after it changes nothing', () => {
    const events: Arbitrary<HandoverInput> = oneof(
      constantFrom<HandoverInput>(ARRIVED, ACCEPTED, COMPLETED, HEARD, CANCELLED, AGENT_LOST, TARGET_LOST),
      constantFrom<HandoverInput>(
        CALLER_LOST,
        { type: 'declined' },
        { type: 'unreachable' },
        { type: 'unsupported' },
        { type: 'time_passed' },
        { type: 'accepted', legId: 'leg_x' },
      ),
    );
    const modes = constantFrom<HandoverMode>('cold', 'warm', 'whisper');
    assert(
      property(modes, array(events, { maxLength: 20 }), (mode, inputs) => {
        const story = [started(mode)];
        for (const [i, input] of inputs.entries()) {
          story.push(advanceHandover(story.at(-1)!, input, 1_000 + i * 700));
        }
        const firstOver = story.findIndex((state) => isOver(state));
        const outcomes = new Set(firstOver < 0 ? [] : story.slice(firstOver));
        expect(outcomes.size).toBe(firstOver < 0 ? 0 : 1);
        const [outcome] = outcomes;
        const wasBridged = story.some(({ name }) => name === 'bridged');
        expect(outcome?.name !== 'succeeded' || wasBridged).toBe(true);
      }),
      { seed, numRuns },
    );
  });
});
