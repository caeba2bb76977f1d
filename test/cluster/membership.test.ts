import { describe, expect, it } from 'vitest';
import { Membership } from '../../src/cluster/membership.ts';
import type { BeatAnswer } from '../../src/cluster/registry.ts';
import { GRACE_MS, ISOLATED_MS, STALE_MS } from '../../src/cluster/timing.ts';
import { nodeRecord } from '../fakes/node-records.ts';

const answer = (nodes: BeatAnswer['nodes'], facts: Partial<BeatAnswer> = {}): BeatAnswer => ({
  epoch: 'a',
  epochAgeMs: 60_000,
  registryUnixMs: 0,
  roundTripMs: 1,
  nodes,
  ...facts,
});

describe('membership', () => {
  it('is isolated until an own beat is accepted, and again after three that were not', () => {
    const membership = new Membership();
    expect(membership.isIsolated(0)).toBe(true);
    expect(membership.heard(answer([]), 100, 300)).toBe('first');
    expect(membership.isIsolated(300)).toBe(false);
    expect(membership.isIsolated(100 + ISOLATED_MS - 1)).toBe(false);
    expect(membership.isIsolated(100 + ISOLATED_MS)).toBe(true);
  });

  it('takes for fit who serves and beats on, and for stale who is only named', () => {
    const membership = new Membership();
    const [a, b] = [nodeRecord('a'), nodeRecord('b', { state: 'draining' })];
    membership.heard(answer([a, b]), 0, 0);
    expect([membership.standingOf('a', 0), membership.standingOf('b', 0)]).toEqual(['fit', 'unfit']);
    membership.heard(answer([a, { ...b, beat: 2 }]), STALE_MS - 1, STALE_MS - 1);
    expect(membership.standingOf('a', STALE_MS - 1)).toBe('fit');
    membership.heard(answer([a, { ...b, beat: 3 }]), STALE_MS, STALE_MS);
    expect(membership.standingOf('a', STALE_MS)).toBe('stale');
    expect(membership.fit(STALE_MS)).toEqual([]);
  });

  it('sends who comes back to who is fit, and then to who is late rather than to nobody', () => {
    const membership = new Membership();
    const late = nodeRecord('late', { state: 'degraded' });
    const leaving = nodeRecord('leaving', { state: 'draining' });
    membership.heard(answer([late, leaving, nodeRecord('silent'), nodeRecord('fit')]), 0, 0);
    const beats = [{ ...late, beat: 2 }, { ...leaving, beat: 2 }, nodeRecord('fit', { beat: 2 })];
    membership.heard(answer([nodeRecord('silent'), ...beats]), STALE_MS, STALE_MS);
    const names = membership.wayBack(STALE_MS).map(({ incarnation }) => incarnation);
    expect(names).toEqual(['fit', 'late', 'silent']);
    membership.heard(answer(beats), STALE_MS + 1, STALE_MS + 1);
    expect(membership.wayBack(STALE_MS + 1)).toHaveLength(2);
  });

  it('knows who is dead by the lease, once it has one itself', () => {
    const membership = new Membership();
    membership.heard(answer([nodeRecord('a')]), 0, 0);
    membership.heard(answer([]), 500, 500);
    expect(membership.standingOf('a', 500)).toBe('dead');
    expect(membership.standingOf('a', 500 + ISOLATED_MS)).toBe('stale');
    expect(membership.standingOf('b', 500)).toBe('unknown');
  });

  it('judges nobody for the grace after a new epoch, or when it comes back itself', () => {
    const membership = new Membership();
    membership.heard(answer([nodeRecord('a')]), 0, 0);
    const fresh = answer([], { epoch: 'b', epochAgeMs: 0 });
    expect(membership.heard(fresh, 500, 500)).toBe('new_epoch');
    expect(membership.standingOf('a', 500)).toBe('stale');
    let nowMs = 500;
    while (nowMs < 500 + GRACE_MS) {
      expect(membership.mayJudge(nowMs)).toBe(false);
      nowMs += 500;
      expect(membership.heard(fresh, nowMs, nowMs)).toBe('steady');
    }
    expect(membership.standingOf('a', nowMs)).toBe('dead');
    expect(membership.heard(fresh, nowMs + 2_000, nowMs + 2_000)).toBe('returned');
    expect(membership.mayJudge(nowMs + 2_000)).toBe(false);
  });

  it('waits out the grace of a registry that is young when it starts itself', () => {
    const membership = new Membership();
    membership.heard(answer([], { epochAgeMs: GRACE_MS - 100 }), 0, 0);
    expect(membership.mayJudge(99)).toBe(false);
    expect(membership.mayJudge(100)).toBe(true);
  });
});
