import { expect, it } from 'vitest';
import { randomRatio } from '../../../src/base/clock.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { eventOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, isOnPostgres, openTempStore } from '../temp-store.ts';

const LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const FIRST_SEED = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 1);

/** One owner of the call: what lies in its spool, and how far that is read. */
interface Owner {
  readonly incarnation: string;
  /** Told to its clients in band. */
  readonly told: readonly EventRecord[];
  /** First what its predecessors' snapshot had, told again, then its own. */
  readonly spool: readonly EventRecord[];
  read: number;
}

/** Owners that follow each other, each from a snapshot that is up to three events old. */
function ownersOf(callId: string, below: (count: number) => number): readonly Owner[] {
  const owners: Owner[] = [];
  let snapshot: readonly EventRecord[] = [];
  for (let fence = 1; fence <= 2 + below(2); fence++) {
    const after = snapshot.length;
    const told = Array.from({ length: 2 + below(6) }, (_, index) => ({
      ...eventOf(callId, after + index + 1),
      fence,
    }));
    const spool = [...snapshot.map((record) => ({ ...record, fence })), ...told];
    owners.push({ incarnation: `nod_${callId}_${fence}`, told, spool, read: 0 });
    snapshot = spool.slice(0, Math.max(1, spool.length - below(4)));
  }
  return owners;
}

describeOnEachEngine('what clients were told in band of a call that had two owners for a while', () => {
  it('is found by its id, in the order in which the owner told it who has the call', async () => {
    const seeds = LONG ? 200 : 15;
    // The same stories: PostgreSQL takes longer for each.
    const last = FIRST_SEED + (isOnPostgres() ? Math.ceil(seeds / 3) : seeds);
    const { journal } = await openTempStore();
    let renumbered = 0;
    for (let seed = FIRST_SEED; seed < last; seed++) {
      const dice = new FakeClock({ seed });
      const below = (count: number): number => Math.floor(randomRatio(dice) * count);
      const callId = `call_${seed}`;
      const owners = ownersOf(callId, below);
      for (;;) {
        const unread = owners.filter(({ spool, read }) => read < spool.length);
        const owner = unread[below(unread.length)];
        if (owner === undefined) break;
        const records = owner.spool.slice(owner.read, owner.read + 1 + below(3));
        await journal.commit({ incarnation: owner.incarnation, first: owner.read + 1, records });
        owner.read += records.length;
      }
      const read = await journal.read({ workspaceId: WORKSPACE, resourceId: callId, limit: 100 });
      const known = read.map(({ envelope }) => envelope);
      const numberOf = new Map(known.map(({ id, sequence }) => [id, sequence]));
      const lastOwner = owners.at(-1)!.told.map(({ envelope }) => envelope);
      const kept = lastOwner.map(({ id }) => numberOf.get(id) ?? Number.NaN);
      const story = {
        seed,
        holes: known.filter(({ sequence }, index) => sequence !== index + 1).length,
        doubled: known.length - numberOf.size,
        missing: kept.filter(Number.isNaN).length,
        outOfOrder: kept.filter((number, index) => index > 0 && number <= (kept[index - 1] ?? 0)).length,
        belowWhatWasTold: kept.filter((number, index) => number < (lastOwner[index]?.sequence ?? 0)).length,
      };
      expect(story).toEqual({
        seed,
        holes: 0,
        doubled: 0,
        missing: 0,
        outOfOrder: 0,
        belowWhatWasTold: 0,
      });
      renumbered += kept.filter((number, index) => number !== lastOwner[index]?.sequence).length;
    }
    // Stories in which every number is as it was told would prove nothing.
    expect(renumbered).toBeGreaterThan(0);
  });
});
