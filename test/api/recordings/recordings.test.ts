import { describe, expect, it } from 'vitest';
import { rangeOf } from '../../../src/api/recordings/byte-range.ts';
import type { StoredRecording } from '../../../src/api/recordings/recording-desk.ts';
import { openTestApi } from '../open-test-api.ts';

const RECORDING: StoredRecording = {
  id: 'rec_1',
  workspaceId: 'ws_default',
  testMode: false,
  callId: 'call_1',
  state: 'ready',
  format: 'wav_g711',
  sampleRateHz: 8000,
  startedAt: '2026-11-20T12:00:00.000Z',
  durationMs: 1_000,
  bytes: 26,
  sha256: 'ab'.repeat(32),
  reason: null,
};
const BASE = '/api/v1/recordings';

async function openDesk(...recordings: StoredRecording[]) {
  const test = await openTestApi();
  test.recordings.all.push(...recordings);
  return test;
}

describe('recordings', () => {
  it('are listed and read by their own workspace and mode', async () => {
    const desk = await openDesk(
      RECORDING,
      { ...RECORDING, id: 'rec_2', callId: 'call_2', state: 'recording' },
      { ...RECORDING, id: 'rec_3', workspaceId: 'ws_other' },
      { ...RECORDING, id: 'rec_4', testMode: true },
    );
    const all = await desk.request('GET', BASE);
    expect(all.body.data.map(({ id }: { id: string }) => id)).toEqual(['rec_1', 'rec_2']);
    const ofCall = await desk.request('GET', `${BASE}?call_id=call_2`);
    expect(ofCall.body.data).toMatchObject([{ id: 'rec_2', url: null }]);
    expect((await desk.request('GET', `${BASE}/rec_1`)).body.data).toMatchObject({
      id: 'rec_1',
      channels: 2,
      duration_ms: 1_000,
      url: 'http://127.0.0.1:8080/api/v1/recordings/rec_1/content',
    });
    for (const id of ['rec_3', 'rec_4', 'rec_5']) {
      for (const path of ['', '/content']) {
        expect((await desk.request('GET', `${BASE}/${id}${path}`)).status).toBe(404);
      }
      expect((await desk.request('DELETE', `${BASE}/${id}`)).status).toBe(404);
    }
  });

  it('are fetched whole or in part, and no file stays open', async () => {
    const desk = await openDesk(RECORDING);
    const whole = await desk.request('GET', `${BASE}/rec_1/content`);
    expect([whole.status, whole.text]).toEqual([200, 'RIFF, and so on to the end']);
    expect(whole.headers).toMatchObject({
      'content-type': 'audio/wav',
      'content-length': '26',
      'accept-ranges': 'bytes',
      'content-disposition': 'attachment; filename="rec_1.wav"',
    });
    const authorization = `Bearer ${desk.key()}`;
    const part = await desk.request('GET', `${BASE}/rec_1/content`, undefined, {
      authorization,
      range: 'bytes=6-8',
    });
    expect([part.status, part.text, part.headers['content-range']]).toEqual([206, 'and', 'bytes 6-8/26']);
    const beyond = await desk.request('GET', `${BASE}/rec_1/content`, undefined, {
      authorization,
      range: 'bytes=26-',
    });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */26']);
    expect(desk.recordings.openFiles).toBe(0);
  });

  it('that are being made can neither be fetched nor deleted', async () => {
    const desk = await openDesk({ ...RECORDING, state: 'recording' });
    expect((await desk.request('GET', `${BASE}/rec_1/content`)).status).toBe(422);
    expect((await desk.request('DELETE', `${BASE}/rec_1`)).status).toBe(422);
  });

  it('are deleted for good, by who may', async () => {
    const desk = await openDesk(RECORDING);
    const reader = { authorization: `Bearer ${desk.key({ scopes: ['calls:read'] })}` };
    expect((await desk.request('DELETE', `${BASE}/rec_1`, undefined, reader)).status).toBe(403);
    expect((await desk.request('DELETE', `${BASE}/rec_1`)).body.data).toEqual({ id: 'rec_1', deleted: true });
    expect((await desk.request('GET', `${BASE}/rec_1`)).status).toBe(404);
  });
});

describe('a range', () => {
  it.each([
    [undefined, { type: 'whole' }],
    ['bytes=0-0', { type: 'part', from: 0, to: 1 }],
    ['bytes=10-', { type: 'part', from: 10, to: 100 }],
    ['bytes=90-500', { type: 'part', from: 90, to: 100 }],
    ['bytes=-10', { type: 'part', from: 90, to: 100 }],
    ['bytes=-500', { type: 'part', from: 0, to: 100 }],
    ['bytes=-0', { type: 'unsatisfiable' }],
    ['bytes=100-', { type: 'unsatisfiable' }],
    ['bytes=9-3', { type: 'whole' }],
    ['bytes=-', { type: 'whole' }],
    ['bytes=0-1,5-6', { type: 'whole' }],
    ['lines=1-2', { type: 'whole' }],
  ])('%s of a hundred bytes is %j', (header, range) => {
    expect(rangeOf(header, 100)).toEqual(range);
  });
});
