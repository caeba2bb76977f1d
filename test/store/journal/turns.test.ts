import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/store/journal/turns.ts';

function openTurns(limits: { waitingMax?: number; groupMax?: number } = {}) {
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const turns = new Turns<string>({
    waitingMax: limits.waitingMax ?? 100,
    groupMax: limits.groupMax ?? 100,
    pause: () => gate.promise,
    together: async (group) => {
      done.push(group.join('+'));
      await Promise.resolve();
    },
  });
  const take = (name: string) =>
    turns.take(async () => {
      done.push(name);
      await Promise.resolve();
    });
  return { turns, done, take, open: gate.resolve };
}

describe('turns', () => {
  it('are one for all that join before it begins, however long it pauses first', async () => {
    const { turns, done, open } = openTurns();
    turns.join('a');
    await Promise.resolve();
    turns.join('b');
    open();
    await turns.settled();
    turns.join('c');
    await turns.settled();
    expect(done).toEqual(['a+b', 'c']);
  });

  it('keep the order they were asked for: nobody joins a group that another stands behind', async () => {
    const { turns, done, take, open } = openTurns();
    turns.join('a');
    const taken = take('alone');
    turns.join('b');
    turns.join('c');
    open();
    await taken;
    await turns.settled();
    expect(done).toEqual(['a', 'alone', 'b+c']);
  });

  it('are no longer than a group may be', async () => {
    const { turns, done, open } = openTurns({ groupMax: 2 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) turns.join(name);
    open();
    await turns.settled();
    expect(done).toEqual(['a+b', 'c+d', 'e']);
  });

  it('refuse who comes when too many wait, members and others alike, and count them', async () => {
    const { turns, done, take, open } = openTurns({ waitingMax: 3 });
    turns.join('a');
    turns.join('b');
    const taken = take('alone');
    expect(turns.join('c')).toMatchObject({ code: 'overloaded' });
    await expect(take('another')).rejects.toMatchObject({ code: 'overloaded' });
    expect(turns.stats).toEqual({ refused: 2, waiting: 3 });
    open();
    await taken;
    await turns.settled();
    expect(done).toEqual(['a+b', 'alone']);
    expect(turns.stats.waiting).toBe(0);
    expect(turns.join('d')).toBeUndefined();
    await turns.settled();
  });
});
