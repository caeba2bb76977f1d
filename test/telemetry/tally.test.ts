import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { openTally, Tally } from '../../src/telemetry/tally.ts';

describe('a tally', () => {
  it('has every combination from the start', () => {
    const tally = new Tally({ provider: ['native', 'twilio'], result: ['ok', 'auth', 'capacity'] });
    expect(tally.samples()).toHaveLength(6);
    expect(tally.samples().every(({ value }) => value === 0)).toBe(true);
  });

  it('counts by labels in any order, and never makes a new series', () => {
    const tally = new Tally({ provider: ['native', 'twilio'], result: ['ok', 'auth'] });
    tally.add({ result: 'auth', provider: 'twilio' });
    tally.add({ provider: 'twilio', result: 'auth' }, 2);
    tally.add({ provider: 'unheard-of', result: 'ok' });
    expect(tally.samples().filter(({ value }) => value > 0)).toEqual([
      { labels: { provider: 'twilio', result: 'auth' }, value: 3 },
    ]);
    expect([tally.samples().length, tally.stats.strays]).toEqual([4, 1]);
  });

  it('has no series for what cannot be, and counts it as a stray', () => {
    const sets = { dir: ['in', 'out'], result: ['ok', 'auth'] };
    const tally = new Tally(sets, ({ dir, result }) => dir === 'out' && result !== 'ok');
    tally.add({ dir: 'out', result: 'auth' });
    expect(tally.samples().map(({ labels }) => `${labels['dir']} ${labels['result']}`)).toEqual([
      'in ok',
      'in auth',
      'out ok',
    ]);
    expect(tally.stats.strays).toBe(1);
  });

  it('is a metric under its own name once', () => {
    const registry = new Registry();
    const metric = { name: 'things_total', help: 'Things', labels: { kind: ['a'] } };
    openTally(registry, metric);
    expect(() => openTally(registry, metric)).toThrow(/already been registered/);
  });
});
