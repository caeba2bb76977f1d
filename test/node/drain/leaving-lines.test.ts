import { describe, expect, it } from 'vitest';
import { LeavingLines } from '../../../src/node/drain/leaving-lines.ts';

/** A node with relayed lines that leaves at 0; providers are asked a minute later. */
function openScene(count: number) {
  const words: string[] = [];
  const owners = Array.from({ length: count }, () => ({ isThere: true }));
  const lines = owners.map((owner, index) => ({
    leave: (mayRedirect: boolean) => {
      if (owner.isThere) words.push(`${index}${mayRedirect ? ' by its provider' : ''}`);
      return owner.isThere;
    },
  }));
  const leaving = new LeavingLines();
  const tell = (nowMs: number): boolean =>
    leaving.tellNext(lines, { nowMs, providersFromAtMs: 60_000, talkersFromAtMs: 60_000 });
  return { words, owners, leaving, tell };
}

describe('the sockets of a node that leaves', () => {
  it('are given away one by one, and their owners told again after five seconds', () => {
    const { words, leaving, tell } = openScene(2);
    expect([tell(0), tell(20), tell(40), tell(5_010)]).toEqual([true, true, false, true]);
    expect(words).toEqual(['0', '1', '0']);
    expect(leaving.counts).toEqual({ told: 2, toldAgain: 1 });
  });

  it('wait for an owner that is not known just now, and hold nobody else up', () => {
    const { words, owners, leaving, tell } = openScene(2);
    owners[0]!.isThere = false;
    expect([tell(0), tell(20)]).toEqual([true, false]);
    owners[0]!.isThere = true;
    tell(40);
    expect([words, leaving.counts]).toEqual([['1', '0'], { told: 2, toldAgain: 0 }]);
  });

  it('are moved by their providers when it is time for that, and each provider is left half a minute', () => {
    const { words, tell } = openScene(1);
    for (const nowMs of [0, 59_000, 64_000, 70_000, 94_000]) tell(nowMs);
    expect(words).toEqual(['0', '0', '0 by its provider', '0', '0 by its provider']);
  });
});
