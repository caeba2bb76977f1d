import { describe, expect, it } from 'vitest';
import { advanceDrain, SERVING, type DrainState } from '../../../src/node/drain/drain-state.ts';

const begin = { type: 'begin', deadlineMs: 120_000 } as const;
const look = (callsLeft: number) => ({ type: 'look', callsLeft }) as const;

function after(...steps: readonly (readonly [Parameters<typeof advanceDrain>[1], number])[]): DrainState {
  return steps.reduce((state, [input, nowMs]) => advanceDrain(state, input, nowMs), SERVING);
}

describe('a node that leaves', () => {
  it('moves nobody before two seconds are over', () => {
    const announced = after([begin, 1_000], [look(3), 2_999]);
    expect(announced).toEqual({ name: 'announced', sinceAtMs: 1_000, deadlineAtMs: 121_000 });
    expect(advanceDrain(announced, look(3), 3_000).name).toBe('moving');
  });

  it('is done as soon as nothing is left, whenever that is', () => {
    expect(after([begin, 0], [look(0), 1])).toEqual({ name: 'done', sinceAtMs: 0, how: 'empty' });
    expect(after([begin, 0], [look(1), 5_000], [look(0), 5_001])).toMatchObject({ how: 'empty' });
  });

  it('is done at its deadline, whoever is left', () => {
    expect(after([begin, 0], [look(1), 5_000], [look(1), 119_999]).name).toBe('moving');
    expect(after([begin, 0], [look(1), 5_000], [look(1), 120_000])).toMatchObject({ how: 'deadline' });
  });

  it('can be hurried, and not given more time', () => {
    const moving = after([begin, 0], [look(1), 5_000]);
    const hurried = advanceDrain(moving, { type: 'begin', deadlineMs: 1_000 }, 5_000);
    expect(hurried).toEqual({ name: 'moving', sinceAtMs: 0, deadlineAtMs: 6_000 });
    expect(advanceDrain(hurried, begin, 5_500)).toBe(hurried);
  });

  it('does not come back, and is not where it never began', () => {
    const done = after([begin, 0], [look(0), 1]);
    expect(advanceDrain(done, begin, 2)).toBe(done);
    expect(advanceDrain(done, look(5), 2)).toBe(done);
    expect(advanceDrain(SERVING, look(0), 2)).toBe(SERVING);
  });
});
