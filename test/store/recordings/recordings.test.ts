import { expect, it } from 'vitest';
import type { StoredRecording } from '../../../src/api/recordings/recording-desk.ts';
import { eventOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, openTempStore } from '../temp-store.ts';

const PLACE = { workspaceId: WORKSPACE, testMode: false };

function recordingOf(id: string, change: Partial<StoredRecording> = {}): StoredRecording {
  return {
    ...PLACE,
    id,
    callId: 'call_1',
    state: 'recording',
    format: 'wav_g711',
    sampleRateHz: 8000,
    startedAt: '2026-11-20T12:00:00.000Z',
    durationMs: null,
    bytes: null,
    sha256: null,
    reason: null,
    ...change,
  };
}

const END = { state: 'ready', durationMs: 1_000, bytes: 5_000_000_000, sha256: 'ab', reason: null } as const;

describeOnEachEngine('recordings', () => {
  it('come back as they were told, once, to their own workspace and mode', async () => {
    const { recordings } = await openTempStore();
    await recordings.add(recordingOf('rec_1'));
    await recordings.add(recordingOf('rec_1', { format: 'ogg_opus' }));
    await recordings.add(recordingOf('rec_2', { callId: 'call_2' }));
    expect(await recordings.get(PLACE, 'rec_1')).toEqual(recordingOf('rec_1'));
    expect(await recordings.get({ ...PLACE, testMode: true }, 'rec_1')).toBeUndefined();
    expect(await recordings.get({ ...PLACE, workspaceId: 'ws_other' }, 'rec_1')).toBeUndefined();
    const page = await recordings.list({ ...PLACE, limit: 10, page: 1, callId: 'call_2' });
    expect(page.items.map(({ id }) => id)).toEqual(['rec_2']);
    expect((await recordings.list({ ...PLACE, limit: 10, page: 1 })).items).toHaveLength(2);
  });

  it('are settled by their call’s node, and old ones are found', async () => {
    const { recordings } = await openTempStore();
    await recordings.add(recordingOf('rec_1'));
    expect(await recordings.unsettled(10)).toHaveLength(1);
    expect(await recordings.startedBefore('2027-01-01', 10)).toEqual([]);
    await recordings.settle('rec_1', END);
    expect(await recordings.unsettled(10)).toEqual([]);
    expect(await recordings.startedBefore('2027-01-01', 10)).toEqual([recordingOf('rec_1', END)]);
    expect(await recordings.startedBefore('2026-11-20', 10)).toEqual([]);
    await recordings.remove('rec_1');
    expect(await recordings.has('rec_1')).toBe(false);
  });

  it('are told of once when their call is over, by the number after its last', async () => {
    const { recordings, journal, calls } = await openTempStore();
    const told = [
      eventOf('call_1', 1),
      eventOf('call_1', 2, { type: 'call_ended', data: { reason: 'api' } }),
      eventOf('call_1', 3, { type: 'call_completed' }),
    ];
    await journal.commit({ incarnation: 'nod_1', first: 1, records: told });
    await recordings.add(recordingOf('rec_1'));
    const call = (await calls.get(WORKSPACE, 'call_1'))!;
    const [event] = await recordings.tellEnd(recordingOf('rec_1'), call, END, 'http://x/rec_1');
    expect(event!.envelope).toMatchObject({
      type: 'recording_ready',
      sequence: 4,
      resource: { type: 'call', id: 'call_1' },
      data: {
        call_id: 'call_1',
        recording_id: 'rec_1',
        url: 'http://x/rec_1',
        channels: 2,
        duration_ms: 1_000,
      },
    });
    expect(await recordings.tellEnd(recordingOf('rec_1'), call, END, 'http://x/rec_1')).toEqual([]);
    expect(await recordings.get(PLACE, 'rec_1')).toMatchObject({ state: 'ready', bytes: 5_000_000_000 });
  });
});
