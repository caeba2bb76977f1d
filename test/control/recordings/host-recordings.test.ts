import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CallFacts } from '../../../src/call/facts.ts';
import { HostRecordings } from '../../../src/control/recordings/host-recordings.ts';
import type { CommittedEvent } from '../../../src/events/journal.ts';
import { realDisk } from '../../../src/node/recording/disk.ts';
import { NodeTapes } from '../../../src/node/recording/node-tapes.ts';
import { soundPathOf } from '../../../src/node/recording/recording-note.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { eventOf, TEST_KEYS, WORKSPACE } from '../../store/samples.ts';
import { atTheEnd, openTempStore } from '../../store/temp-store.ts';

const PLACE = { workspaceId: WORKSPACE, testMode: false };
const ID = `rec_${'0'.repeat(25)}1`;
const DAY_MS = 86_400_000;

/** A host whose node has recorded two seconds of a call, finished or not, and told nobody. */
async function openScene({ isFinished = true, isCallOver = true } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'omnivoice-host-'));
  atTheEnd(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new FakeClock();
  const store = await openTempStore({ clock });
  const events = [eventOf('call_1', 1), eventOf('call_1', 2, { type: 'call_ended' })];
  if (isCallOver) events.push(eventOf('call_1', 3, { type: 'call_completed' }));
  await store.journal.commit({ incarnation: 'nod_1', first: 1, records: events });
  const tapes = new NodeTapes({
    directory,
    disk: realDisk,
    clock,
    keys: TEST_KEYS,
    isSealed: false,
    format: 'wav',
    bytesMax: 1e9,
    freeMinRatio: 0,
    isWanted: () => true,
    url: '',
    log: { error: () => {} },
  });
  const facts = { id: 'call_1', workspaceId: WORKSPACE, testMode: false } as CallFacts;
  const startedAt = new Date(clock.unixMs()).toISOString();
  const tape = tapes.open({ recordingId: ID, facts, sampleRateHz: 8000, startedAt }, () => {});
  if ('type' in tape) throw new Error(tape.detail);
  for (let tick = 0; tick < 110; tick++) tape.write(new Int16Array(160), new Int16Array(160));
  const path = soundPathOf(directory, { id: ID });
  if (isFinished) await tape.finish(0);
  const note = path.replace(/\.sound$/, '.json');
  while (!existsSync(note)) await new Promise((resolve) => setImmediate(resolve));
  const announced: CommittedEvent[] = [];
  const followed = new Set(['nod_1']);
  const warnings: object[] = [];
  const recordings = new HostRecordings({
    directory,
    keys: TEST_KEYS,
    retentionDays: 90,
    publicUrl: 'http://127.0.0.1:8080',
    store: store.recordings,
    calls: store.calls,
    clock,
    log: { warn: (fields) => void warnings.push(fields), error: (fields) => void warnings.push(fields) },
  });
  atTheEnd(() => recordings.close());
  recordings.start({
    isFollowing: (incarnation) => followed.has(incarnation),
    announce: (committed) => {
      announced.push(...committed);
      recordings.committed(committed);
    },
  });
  /** A second passes, and what was due is done. */
  const second = async (): Promise<void> => {
    clock.advance(1_000);
    await recordings.idle();
    // What follows from it, and the next second's look, are asked for behind it.
    await new Promise((resolve) => setImmediate(resolve));
    await recordings.idle();
  };
  await recordings.idle();
  await second();
  return { clock, store, recordings, announced, followed, path, second, warnings };
}

it('a recording whose end its node could not tell is found, told once, and fetched', async () => {
  const { recordings, announced, second } = await openScene();
  await second();
  expect(announced.map(({ envelope }) => [envelope.type, envelope.sequence])).toEqual([
    ['recording_ready', 4],
  ]);
  expect(announced[0]!.envelope.data).toMatchObject({ recording_id: ID, duration_ms: 2_200, reason: null });
  const recording = (await recordings.get(PLACE, ID))!;
  expect(recording).toMatchObject({ state: 'ready', durationMs: 2_200, callId: 'call_1' });
  const sound = await recordings.open(recording);
  expect(sound.bytes).toBe(recording.bytes);
  await sound.close();
});

it('one whose call goes on is its node’s to tell', async () => {
  const { recordings, announced } = await openScene({ isCallOver: false });
  expect(announced).toEqual([]);
  expect(await recordings.get(PLACE, ID)).toMatchObject({ state: 'recording' });
});

it('one that nobody finished is left to its node, and mended when the node is gone', async () => {
  const { recordings, announced, followed, path, clock, second } = await openScene({ isFinished: false });
  expect(announced).toEqual([]);
  followed.clear();
  const writtenAt = (clock.unixMs() - 5_000) / 1000;
  utimesSync(path, writtenAt, writtenAt);
  await second();
  expect(announced).toEqual([]);
  utimesSync(path, writtenAt - 60, writtenAt - 60);
  await second();
  expect(announced.map(({ envelope }) => envelope.data['reason'])).toEqual(['interrupted']);
  expect(await recordings.get(PLACE, ID)).toMatchObject({ state: 'ready', reason: 'interrupted' });
});

it('one of a former owner of its call is mended though the last one is there, when nobody writes it', async () => {
  const { announced, path, clock, second } = await openScene({ isFinished: false });
  const writtenAt = clock.unixMs() / 1000;
  utimesSync(path, writtenAt - 50, writtenAt - 50);
  await second();
  expect(announced).toEqual([]);
  utimesSync(path, writtenAt - 60, writtenAt - 60);
  await second();
  expect(announced.map(({ envelope }) => envelope.data['reason'])).toEqual(['interrupted']);
});

it('one whose file is gone is told as lost', async () => {
  const { announced, followed, path, second } = await openScene({ isFinished: false });
  rmSync(path);
  followed.clear();
  await second();
  expect(announced.map(({ envelope }) => [envelope.type, envelope.data['reason']])).toEqual([
    ['recording_failed', 'lost'],
  ]);
});

it('old ones are deleted with their files, and so is one that is asked for', async () => {
  const { recordings, clock, path, second } = await openScene();
  expect(existsSync(path)).toBe(true);
  clock.advance(91 * DAY_MS);
  await second();
  await second();
  expect(existsSync(path)).toBe(false);
  expect(await recordings.get(PLACE, ID)).toBeUndefined();
  expect(recordings.stats.expired).toBe(1);
});
