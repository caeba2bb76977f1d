import { describe, expect, it } from 'vitest';
import { Placement } from '../../src/cluster/placement.ts';
import { FakeClock } from '../fakes/clock.ts';
import { nodeRecord } from '../fakes/node-records.ts';

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
    const placed = [1, 2, 3].map(() => placement.place(fit)?.incarnation);
    expect(placed).toEqual(['b', 'c', undefined]);
    expect(placement.counts).toEqual({ placed: 2, placedAbroad: 2, refused: 1 });
  });
});
