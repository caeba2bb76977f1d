import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bins } from '../../src/telemetry/bins.ts';

describe('bins', () => {
  it('count a value on an edge below it, as Prometheus does', () => {
    const bins = new Bins([0.02, 0.2]);
    for (const value of [0, 0.02, 0.0200001, 0.2, 0.2000001, 7]) bins.observe(value);
    expect([...bins.counts]).toEqual([2, 2, 2]);
    bins.observeMs(20);
    bins.observeMs(200);
    expect([...bins.counts]).toEqual([3, 3, 2]);
    expect(bins.sum).toBeCloseTo(7.6600002, 6);
  });

  it('put every value where a plain search would', () => {
    const seed = 20_261_121;
    const runs = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 200 : 20_000;
    const edges = [0.001, 0.004, 0.006, 0.02, 0.2, 1, 5];
    const property = fc.property(fc.double({ min: 0, max: 10, noNaN: true }), (value) => {
      const bins = new Bins(edges);
      bins.observe(value);
      const plain = edges.findIndex((edge) => value <= edge);
      return bins.counts[plain === -1 ? edges.length : plain] === 1;
    });
    expect(() => fc.assert(property, { seed, numRuns: runs })).not.toThrow();
  });

  it('refuse what was measured wrong, and count it', () => {
    const bins = new Bins([1]);
    for (const value of [-0.001, Number.NaN]) bins.observe(value);
    expect([[...bins.counts], bins.sum, bins.stats.refusedValues]).toEqual([[0, 0], 0, 2]);
  });

  it('need edges that rise', () => {
    for (const edges of [[], [1, 1], [2, 1]]) expect(() => new Bins(edges)).toThrow(/edges/);
  });
});
