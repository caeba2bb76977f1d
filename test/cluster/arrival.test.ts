import { describe, expect, it } from 'vitest';
import { decideArrival, type Arrival } from '../../src/cluster/arrival.ts';
import { responsibleFor } from '../../src/cluster/rendezvous.ts';

const LIVE = { state: 'live', owner: 'a', token: 9, sequence: 1 } as const;
const ARRIVAL: Arrival = {
  self: 'b',
  isHeldHere: false,
  found: LIVE,
  link: 'open',
  ownerHint: null,
  isIsolated: false,
  mayJudge: true,
};
const claim = { do: 'claim', expectedOwner: 'a', tokenFloor: 9 };

describe('a leg that comes to a node', () => {
  it.each<[string, Partial<Arrival>, unknown]>([
    ['attaches where its call is', { isHeldHere: true, found: 'unavailable' }, { do: 'attach' }],
    ['is asked about where its owner answers', {}, { do: 'ask_owner', owner: 'a' }],
    ['brings the call where the owner refuses', { link: 'refused' }, claim],
    ['brings the call where the owner hangs', { link: 'suspect' }, claim],
    ['brings the call where nobody knows the owner', { link: 'none' }, claim],
    ['brings the call where the owner does not hold it', { link: 'not_held' }, claim],
    [
      'brings nothing to a node that is isolated',
      { link: 'refused', isIsolated: true },
      { do: 'retry_later' },
    ],
    ['is too late for what ended', { found: { state: 'ended' } }, { do: 'not_found' }],
    ['is of no call that is known', { found: 'unknown' }, { do: 'not_found' }],
    ['waits while the registry is new', { found: 'unknown', mayJudge: false }, { do: 'retry_later' }],
    ['waits for the registry', { found: 'unavailable' }, { do: 'retry_later' }],
    [
      'asks who had the call where the registry is away',
      { found: 'unavailable', ownerHint: 'a' },
      { do: 'ask_owner', owner: 'a' },
    ],
    [
      'does not ask one who does not answer',
      { found: 'unavailable', ownerHint: 'a', link: 'suspect' },
      { do: 'retry_later' },
    ],
    [
      'is claimed where the record says the node has it, and it has not',
      { found: { ...LIVE, owner: 'b' } },
      { ...claim, expectedOwner: 'b' },
    ],
  ])('%s', (_name, facts, step) => {
    expect(decideArrival({ ...ARRIVAL, ...facts })).toEqual(step);
  });
});

describe('who is responsible', () => {
  const nodes = ['n0-aaaa', 'n1-bbbb', 'n2-cccc', 'n3-dddd'];
  const keys = Array.from({ length: 2_000 }, (_, i) => `call_${i}`);

  it('is the same whoever asks, and about as often each', () => {
    const shares = new Map<string, number>();
    for (const key of keys) {
      const responsible = responsibleFor(key, nodes);
      expect(responsibleFor(key, nodes.toReversed())).toBe(responsible);
      shares.set(responsible ?? '', (shares.get(responsible ?? '') ?? 0) + 1);
    }
    for (const node of nodes) expect(Math.abs((shares.get(node) ?? 0) - 500)).toBeLessThan(75);
  });

  it('changes only for the calls of a node that goes', () => {
    const rest = nodes.slice(1);
    const others = keys.filter((key) => responsibleFor(key, nodes) !== nodes[0]);
    const moved = others.filter((key) => responsibleFor(key, rest) !== responsibleFor(key, nodes));
    expect(moved).toEqual([]);
    expect(responsibleFor('call_1', [])).toBeUndefined();
  });
});
