import { describe, expect, it } from 'vitest';
import { WokenRounds } from '../../src/base/woken-rounds.ts';
import { FakeClock } from '../fakes/clock.ts';

/** Rounds that end when the test says how. */
function openRounds() {
  const clock = new FakeClock();
  const begun: PromiseWithResolvers<number | undefined>[] = [];
  const failures: unknown[] = [];
  const rounds = new WokenRounds({
    clock,
    round: () => {
      const round = Promise.withResolvers<number | undefined>();
      begun.push(round);
      return round.promise;
    },
    failed: (error) => failures.push(error),
    retryMs: 500,
  });
  const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));
  const end = async (restMs: number | undefined) => {
    begun.at(-1)!.resolve(restMs);
    await settle();
  };
  const breakOff = async () => {
    begun.at(-1)!.reject(new Error('no answer'));
    await settle();
  };
  return { clock, rounds, begun, failures, end, breakOff };
}

describe('woken rounds', () => {
  it('begin in the turn in which somebody wakes them, one at a time', async () => {
    const { rounds, begun, end } = openRounds();
    rounds.wake();
    expect(begun.length).toBe(1);
    rounds.wake();
    rounds.wake();
    expect(begun.length).toBe(1);
    expect(rounds.isWoken).toBe(true);
    await end(undefined);
    expect(begun.length).toBe(2);
    expect(rounds.isWoken).toBe(false);
    await end(undefined);
    expect(begun.length).toBe(2);
  });

  it('go on at once while there is more', async () => {
    const { clock, rounds, begun, end } = openRounds();
    rounds.wake();
    await end(0);
    await end(0);
    expect(begun.length).toBe(3);
    await end(undefined);
    clock.advance(3_600_000);
    expect(begun.length).toBe(3);
  });

  it('sleep as long as the last one said, and not when somebody wakes them before', async () => {
    const { clock, rounds, begun, end } = openRounds();
    rounds.wake();
    await end(1_000);
    clock.advance(999);
    expect(begun.length).toBe(1);
    clock.advance(1);
    expect(begun.length).toBe(2);
    await end(1_000);
    rounds.wake();
    await end(undefined);
    expect(begun.length).toBe(3);
    expect(clock.pendingTasks).toBe(0);
  });

  it('begin again somewhat later after one that broke off, or at once when they are woken', async () => {
    const { clock, rounds, begun, failures, breakOff } = openRounds();
    rounds.wake();
    await breakOff();
    expect(failures).toEqual([new Error('no answer')]);
    clock.advance(500);
    expect(begun.length).toBe(2);
    rounds.wake();
    await breakOff();
    expect(begun.length).toBe(3);
    expect(failures.length).toBe(2);
  });

  it('are over when the one under way is, and none follows', async () => {
    const { clock, rounds, begun, end } = openRounds();
    rounds.wake();
    rounds.wake();
    let isOver = false;
    const closing = rounds.close().then(() => (isOver = true));
    await Promise.resolve();
    expect(isOver).toBe(false);
    await end(0);
    await closing;
    rounds.wake();
    rounds.wakeAfter(10);
    clock.advance(1_000);
    expect(begun.length).toBe(1);
    expect(clock.pendingTasks).toBe(0);
  });

  it('can be told to begin later', () => {
    const { clock, rounds, begun } = openRounds();
    rounds.wakeAfter(60_000);
    clock.advance(59_999);
    expect(begun.length).toBe(0);
    clock.advance(1);
    expect(begun.length).toBe(1);
  });
});
