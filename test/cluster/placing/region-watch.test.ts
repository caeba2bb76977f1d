import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NodeRecord } from '../../../src/cluster/node-record.ts';
import { RegionWatch } from '../../../src/cluster/placing/region-watch.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

/** A registry that answers what it is told to; undefined: it does not. */
class Registry {
  told: readonly NodeRecord[] | undefined;
  asked = 0;

  async nodes(): Promise<readonly NodeRecord[] | undefined> {
    this.asked++;
    return this.told;
  }
}

async function openScene() {
  const clock = new FakeClock();
  const registry = new Registry();
  const watch = new RegionWatch({ clock, registry });
  // The first question, which nobody answers.
  await turn();
  let beat = 0;
  /** Half a second in which the nodes of those names beat; without a name nobody does. */
  const pass = async (...names: string[]): Promise<void> => {
    beat++;
    registry.told = names.map((name) => nodeRecord(name, { beat }));
    clock.advance(500);
    await turn();
  };
  const silence = async (): Promise<void> => {
    registry.told = undefined;
    clock.advance(500);
    await turn();
  };
  const fit = (): string[] => watch.fit().map(({ incarnation }) => incarnation);
  return { clock, registry, watch, pass, silence, fit };
}

describe('the watch of a region', () => {
  it('has seen nobody before the first answer', async () => {
    const { watch, silence, fit } = await openScene();
    await silence();
    expect([watch.state, watch.ageMs, fit()]).toEqual(['unseen', undefined, []]);
  });

  it('sees who serves, twice a second', async () => {
    const { watch, registry, pass, fit } = await openScene();
    await pass('a', 'b');
    expect([watch.state, fit()]).toEqual(['seen', ['a', 'b']]);
    expect(watch.nodes()).toMatchObject([
      { record: { incarnation: 'a' }, standing: 'fit', silentMs: 0 },
      { record: { incarnation: 'b' }, standing: 'fit', silentMs: 0 },
    ]);
    await pass('a', 'b');
    expect(registry.asked).toBe(3);
  });

  it('places nothing on who drains, who is late, or whose beats stand still', async () => {
    const { clock, registry, watch, fit } = await openScene();
    const states = ['serving', 'draining', 'degraded', 'starting'] as const;
    for (let beat = 1; beat <= 4; beat++) {
      registry.told = [
        ...states.map((state) => nodeRecord(state, { state, beat })),
        nodeRecord('still', { beat: 1 }),
      ];
      clock.advance(500);
      await turn();
    }
    expect(fit()).toEqual(['serving']);
    expect(watch.nodes().map(({ standing }) => standing)).toEqual([
      'fit',
      'unfit',
      'unfit',
      'unfit',
      'stale',
    ]);
    expect(watch.nodes().at(-1)?.silentMs).toBe(1_500);
  });

  it('goes on with what it saw while the registry is away, and not for longer than a lease', async () => {
    const { watch, pass, silence, fit } = await openScene();
    await pass('a');
    for (let halfSeconds = 1; halfSeconds < 10; halfSeconds++) await silence();
    expect([watch.state, fit()]).toEqual(['seen', ['a']]);
    await silence();
    expect([watch.state, fit(), watch.ageMs]).toEqual(['away', [], 5_000]);
    expect(watch.counts.unanswered).toBe(11);
    await pass('a');
    expect([watch.state, fit()]).toEqual(['seen', ['a']]);
  });

  it('shows who is gone for ten minutes', async () => {
    const { watch, pass } = await openScene();
    await pass('a', 'b');
    for (let halfSeconds = 0; halfSeconds < 20; halfSeconds++) await pass('b');
    const standings = (): unknown => watch.nodes().map((node) => [node.record.incarnation, node.standing]);
    expect(standings()).toEqual([
      ['a', 'dead'],
      ['b', 'fit'],
    ]);
    for (let halfSeconds = 0; halfSeconds < 1_200; halfSeconds++) await pass('b');
    expect(standings()).toEqual([['b', 'fit']]);
  });

  it('asks one question at a time, and none when it is closed', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const nodes = (): Promise<undefined> => {
      asked++;
      return new Promise(() => {});
    };
    const watch = new RegionWatch({ clock, registry: { nodes } });
    clock.advance(5_000);
    expect(asked).toBe(1);
    watch.close();
    clock.advance(5_000);
    expect(asked).toBe(1);
  });
});
