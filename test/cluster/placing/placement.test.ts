import { describe, expect, it } from 'vitest';
import { Placement } from '../../../src/cluster/placing/placement.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

const STARTED_WITH = [0, 50, 100, 200];

describe('placement', () => {
  it.each([1, 2, 3, 4, 5])('levels four nodes of unequal load within 10 % (seed %i)', (seed) => {
    const clock = new FakeClock({ seed });
    const placement = new Placement({ clock, regions: ['local'] });
    const legs = [...STARTED_WITH];
    let told = [...legs];
    for (let i = 0; i < 1_000; i++) {
      // Twenty calls a second; the nodes' figures are those of their last beat.
      clock.advance(50);
      if (i % 10 === 0) told = [...legs];
      const nodes = told.map((count, at) => nodeRecord(`n${at}`, { node: at, legs: count, capLegs: 1_000 }));
      const chosen = placement.place(nodes);
      expect(chosen).toBeDefined();
      legs[chosen?.node ?? 0]!++;
    }
    expect(Math.max(...legs) / Math.min(...legs)).toBeLessThan(1.1);
  });

  it('weighs by capacity', () => {
    const placement = new Placement({ clock: new FakeClock(), regions: ['local'] });
    const small = nodeRecord('small', { capLegs: 100 });
    const large = nodeRecord('large', { capLegs: 300 });
    const chosen = Array.from({ length: 200 }, () => placement.place([small, large])?.incarnation);
    expect(chosen.filter((name) => name === 'large')).toHaveLength(150);
  });

  it('goes abroad only where nobody at home has room, and nowhere where nobody has', () => {
    const placement = new Placement({ clock: new FakeClock(), regions: ['eu', 'us', 'asia'] });
    const full = nodeRecord('a', { region: 'eu', legs: 10, capLegs: 10 });
    const near = nodeRecord('b', { region: 'us', capLegs: 1 });
    const far = nodeRecord('c', { region: 'asia', capLegs: 1 });
    const elsewhere = nodeRecord('d', { region: 'africa' });
    const fit = [elsewhere, far, full, near];
    expect([1, 2].map(() => placement.place(fit)?.incarnation)).toEqual(['b', 'c']);
    const told = [elsewhere, { ...far, legs: 1 }, full, { ...near, legs: 1 }];
    expect(placement.place(told)).toBeUndefined();
    expect(placement.counts).toEqual({ placed: 2, placedAbroad: 2, refused: 1 });
  });

  it('begins in the region that is wished for', () => {
    const placement = new Placement({ clock: new FakeClock(), regions: ['eu', 'us'] });
    const fit = [nodeRecord('a', { region: 'eu' }), nodeRecord('b', { region: 'us' })];
    expect(placement.place(fit, ['us', 'eu'])?.incarnation).toBe('b');
  });

  it('believes nodes that they have room before it believes that what it placed arrived', () => {
    const placement = new Placement({ clock: new FakeClock(), regions: ['local'] });
    const nodes = [nodeRecord('a', { legs: 4, capLegs: 5 }), nodeRecord('b', { legs: 3, capLegs: 5 })];
    const placed = Array.from({ length: 5 }, () => String(placement.place(nodes)?.incarnation));
    expect(placed.toSorted()).toEqual(['a', 'a', 'b', 'b', 'b']);
    expect(placement.place([nodeRecord('a', { legs: 5, capLegs: 5 })])).toBeUndefined();
  });

  it('counts what it placed for two beats, until the nodes tell of it themselves', () => {
    const clock = new FakeClock();
    const placement = new Placement({ clock, regions: ['local'] });
    const nodes = [nodeRecord('a', { legs: 1 }), nodeRecord('b')];
    const place = (): string => String(placement.place(nodes)?.incarnation);
    expect([place(), place(), place()].toSorted()).toEqual(['a', 'b', 'b']);
    clock.advance(1_000);
    expect(place()).toBe('b');
  });
});

describe('a list of places', () => {
  const clock = new FakeClock();
  const placement = new Placement({ clock, regions: ['eu', 'us', 'asia'] });
  const listed = (nodes: Parameters<Placement['place']>[0], wish = { nearMax: 2, abroadMax: 1 }) =>
    placement.placeList(nodes, wish).map(({ incarnation }) => incarnation);
  const near = nodeRecord('near', { region: 'eu', host: 'one' });
  const sibling = nodeRecord('sibling', { region: 'eu', host: 'one', legs: 1 });
  const neighbour = nodeRecord('neighbour', { region: 'eu', host: 'two', legs: 300 });
  const idle = nodeRecord('idle', { region: 'us' });
  const busy = nodeRecord('busy', { region: 'us', legs: 10 });
  const far = nodeRecord('far', { region: 'asia' });

  it('begins at home, goes on at another host there, and ends in the next region', () => {
    const only = [near, busy, far, idle, { ...neighbour, legs: 5, capLegs: 5 }];
    expect(listed(only)).toEqual(['near', 'neighbour', 'idle']);
  });

  it('has its own host’s other nodes after those of other hosts, and nobody twice', () => {
    const wish = { nearMax: 3, abroadMax: 2 };
    const full = { legs: 800 };
    expect(listed([near, { ...sibling, ...full }, { ...neighbour, ...full }, far, idle], wish)).toEqual([
      'near',
      'neighbour',
      'sibling',
      'idle',
      'far',
    ]);
  });

  it('is as long as there are nodes, and empty where nobody has room', () => {
    expect(listed([near])).toEqual(['near']);
    expect(listed([{ ...near, legs: 800 }])).toEqual([]);
  });

  it('places one call, not as many as it names', () => {
    const before = placement.counts.placed;
    listed([near, neighbour, idle]);
    expect(placement.counts.placed).toBe(before + 1);
  });
});
