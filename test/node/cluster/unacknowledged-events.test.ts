import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CallDirectory } from '../../../src/call/directory.ts';
import type { CallSnapshot } from '../../../src/call/snapshot/call-snapshot.ts';
import { SNAPSHOT_BYTES_MAX } from '../../../src/cluster/ownership.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import { snapshotText } from '../../../src/node/cluster/snapshot-text.ts';
import { UnacknowledgedEvents } from '../../../src/node/cluster/unacknowledged-events.ts';
import { callEnvelopes } from '../../fakes/call-envelopes.ts';
import { FakeClock } from '../../fakes/clock.ts';

const STORED = new URL('../../call/snapshot/snapshot-v1.json', import.meta.url);

/** Events of one call, each with a note of so many bytes in it. */
function talkative(noteBytes: number) {
  const { next } = callEnvelopes();
  const stamps = { receivedAtMs: 0, decidedAtMs: 0 };
  return (): EventRecord => ({
    envelope: next('transcript_partial', { note: 'x'.repeat(noteBytes) }),
    stamps,
  });
}

function openEvents() {
  const journal = { acknowledged: 0 };
  const events = new UnacknowledgedEvents(() => journal.acknowledged);
  let number = 0;
  const tell = (record: EventRecord): string => {
    events.add(++number, record);
    return record.envelope.resource.id;
  };
  const kept = (callId: string): number[] => events.of(callId).map(({ envelope }) => envelope.sequence);
  return { journal, events, tell, kept };
}

it('events wait until the journal has them', () => {
  const { journal, tell, kept } = openEvents();
  const next = talkative(10);
  const [callId] = [tell(next()), tell(next()), tell(next())];
  expect(kept(callId)).toEqual([1, 2, 3]);
  journal.acknowledged = 2;
  expect(kept(callId)).toEqual([3]);
});

it.each([
  ['32 of them', 10, 32],
  ['48 KiB of them', 10_000, 4],
])('%s wait, the oldest, and the rest is counted', (_, noteBytes, most) => {
  const { events, tell, kept } = openEvents();
  const next = talkative(noteBytes);
  const [callId] = Array.from({ length: 40 }, () => tell(next()));
  expect(kept(callId!)).toEqual(Array.from({ length: most }, (__, index) => index + 1));
  expect(events.unkept).toBe(40 - most);
});

it('nothing that follows an event which was not kept is kept before the journal has that one', () => {
  const { journal, tell, kept } = openEvents();
  const next = talkative(10);
  const [callId] = Array.from({ length: 33 }, () => tell(next()));
  journal.acknowledged = 20;
  tell(next());
  expect(kept(callId!)).toEqual(Array.from({ length: 12 }, (_, index) => index + 21));
  journal.acknowledged = 34;
  tell(next());
  expect(kept(callId!)).toEqual([35]);
});

function storedWith(events: CallSnapshot['events']): CallSnapshot {
  return { ...(JSON.parse(readFileSync(STORED, 'utf8')) as CallSnapshot), events };
}

it('a snapshot has room for all its events, or for the oldest of them in 64 KiB', () => {
  const next = talkative(9_000);
  const events = Array.from({ length: 10 }, () => ({ envelope: next().envelope }));
  const small = snapshotText(storedWith(events.slice(0, 2)), SNAPSHOT_BYTES_MAX);
  expect([small.isCut, JSON.parse(small.text)]).toEqual([false, storedWith(events.slice(0, 2))]);
  const large = snapshotText(storedWith(events), SNAPSHOT_BYTES_MAX);
  expect(large.isCut).toBe(true);
  expect(Buffer.byteLength(large.text)).toBeLessThanOrEqual(SNAPSHOT_BYTES_MAX);
  expect((JSON.parse(large.text) as CallSnapshot).events).toEqual(events.slice(0, 6));
});

it('a leg takes over a call whose events did not all fit: the oldest are told, and numbers go on', () => {
  const clock = new FakeClock();
  const told: EventRecord[] = [];
  const limits = { durationMaxMs: 0, silenceMs: 0, resumeWindowMs: 30_000 };
  const calls = new CallDirectory({ clock, sink: { accept: (record) => void told.push(record) }, limits });
  const stored = storedWith([]);
  const next = talkative(9_000);
  const events = Array.from({ length: 10 }, () => {
    const { envelope } = next();
    const resource = { ...envelope.resource, id: stored.facts.id };
    return { envelope: { ...envelope, resource, sequence: stored.sequence + envelope.sequence } };
  });
  const sequence = stored.sequence + 10;
  const { text } = snapshotText({ ...stored, events, sequence }, SNAPSHOT_BYTES_MAX);
  const takeover = { fence: 7, from: '0', to: '1', lostSinceUnixMs: clock.unixMs() };
  const call = calls.restore(JSON.parse(text), takeover, clock.nowMs())!;
  expect(told.map(({ envelope }) => envelope.sequence)).toEqual(
    [1, 2, 3, 4, 5, 6].map((offset) => stored.sequence + offset),
  );
  call.end('api', clock.nowMs());
  expect(told.at(6)?.envelope.sequence).toBe(sequence + 1);
});
