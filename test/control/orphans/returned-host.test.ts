import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import { Reaper } from '../../../src/control/reaper.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { openControlEnd } from '../../../src/link/control-end.ts';
import { spoolDirOf } from '../../../src/link/places.ts';
import { openSpool } from '../../../src/link/spool/spool.ts';
import { eventOf, WORKSPACE } from '../../store/samples.ts';
import { atTheEnd, openTempStore } from '../../store/temp-store.ts';

const LOST = 'n0-lost';
const TAKEN = 7;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function under(fence: number, records: readonly EventRecord[]): EventRecord[] {
  return records.map((record) => ({ ...record, fence }));
}

/** Events `from` … `to` of a call, as one owner tells them. */
function told(callId: string, fence: number, [from, to]: readonly [number, number]): EventRecord[] {
  return under(
    fence,
    Array.from({ length: to - from + 1 }, (_, index) => eventOf(callId, from + index)),
  );
}

/**
 * A host that was lost with a spool that nobody has read: three calls were told up to number 2, and it went on
 * to number 5 of each.
 */
async function openHost() {
  const dir = mkdtempSync(join(tmpdir(), 'omnivoice-returned-'));
  atTheEnd(() => rmSync(dir, { recursive: true, force: true }));
  const [runDir, spoolsDir] = [join(dir, 'run'), join(dir, 'spools')];
  const { journal, calls, stats } = await openTempStore();
  const spool = openSpool({ dir: spoolDirOf(spoolsDir, LOST), reserveBytes: 0 });
  const early = ['call_taken', 'call_ended', 'call_free'].flatMap((id) => told(id, TAKEN, [1, 2]));
  const late = ['call_taken', 'call_ended', 'call_free'].flatMap((id) => told(id, TAKEN, [3, 5]));
  for (const record of [...early, ...late]) spool.append(record);
  spool.close();
  await journal.commit({ incarnation: LOST, first: 1, records: early });
  const registry = new LocalRegistry(systemClock);
  const reaper = new Reaper({
    journal,
    registry,
    finish: (...last) => journal.finish(...last),
    onLost: () => {},
    clock: systemClock,
    log,
  });
  atTheEnd(() => reaper.close());
  const onNodeDead = vi.fn((incarnation: string) => reaper.reap(incarnation));
  /** Its control finds what its nodes have left behind, and reads it to the end. */
  const comeBack = async (): Promise<void> => {
    const end = openControlEnd({
      runDir,
      spoolsDir,
      journal,
      clock: systemClock,
      log,
      graceMs: 0,
      onConnected: async () => {},
      onNodeDead,
    });
    atTheEnd(() => end.close());
    await vi.waitFor(() => expect(end.isFollowing(LOST)).toBe(false));
  };
  const typesOf = async (callId: string): Promise<string[]> => {
    const read = await journal.read({ workspaceId: WORKSPACE, resourceId: callId, limit: 100 });
    return read.map(({ envelope }) => `${envelope.sequence} ${envelope.type}`);
  };
  return { journal, calls, stats, reaper, registry, comeBack, typesOf };
}

const FREE = [
  '1 call_started',
  '2 voice_detected',
  '3 voice_detected',
  '4 voice_detected',
  '5 voice_detected',
];

it('what a lost host still held is told when it returns, but of calls that went on without it', async () => {
  const { journal, stats, comeBack, typesOf } = await openHost();
  // Its last save had told the next owner of number 2; that one went on from there.
  await journal.commit({ incarnation: 'n0-next', first: 1, records: told('call_taken', TAKEN + 1, [3, 3]) });
  const taken = await typesOf('call_taken');
  await comeBack();
  expect(await typesOf('call_taken')).toEqual(taken);
  expect((await typesOf('call_free')).slice(0, 5)).toEqual(FREE);
  // Number 3 is known, numbers 4 and 5 are its next owner's to give.
  expect(stats.journal).toMatchObject({ duplicateEvents: 1, fencedEvents: 2 });
});

it('a call that was ended in its place stays ended, however much of it the host still held', async () => {
  const { calls, stats, reaper, comeBack, typesOf } = await openHost();
  await reaper.endOrphan({ callId: 'call_ended', owner: LOST });
  const ended = await typesOf('call_ended');
  expect(ended.map((line) => line.split(' ')[1]).slice(2)).toEqual(['call_ended', 'call_completed']);
  await comeBack();
  expect(await typesOf('call_ended')).toEqual(ended);
  expect((await calls.get(WORKSPACE, 'call_ended'))?.state).toBe('ended');
  expect(stats.journal).toMatchObject({ duplicateEvents: 2, fencedEvents: 1 });
});

it('a call whose next owner was lost before it told anything is ended all the same', async () => {
  const { reaper, registry, typesOf } = await openHost();
  const wish = { callId: 'call_free', reason: 'new', expectedOwner: null, tokenFloor: TAKEN } as const;
  await registry.claim('n0-next', wish);
  expect(await reaper.endOrphan({ callId: 'call_free', owner: 'n0-next' })).toBe(true);
  expect(await typesOf('call_free')).toEqual([...FREE.slice(0, 2), '3 call_ended', '4 call_completed']);
});

it('whatever nobody has gone on with is ended once all of it is told', async () => {
  const { comeBack, typesOf } = await openHost();
  await comeBack();
  expect(await typesOf('call_free')).toEqual([...FREE, '6 call_ended', '7 call_completed']);
});
