import { spawnSync } from 'node:child_process';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soundPathOf } from '../../src/node/recording/recording-note.ts';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

interface Recording {
  readonly id: string;
  readonly call_id: string;
  readonly state: string;
  readonly duration_ms: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly reason: string | null;
}

/** Of two channels in G.711 at 8 kHz. */
const SECOND_BYTES = 16_000;

let house: House;
let url: string;

beforeAll(async () => {
  house = await House.open({ RECORD_CALLS: 'all', RECORDING_ENCRYPTION: 'on' });
  const made = { dialect: 'twilio', agent_id: 'silent' };
  ({ url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', made));
});

afterAll(() => house?.close());

/** A second of 400 Hz as µ-law. */
function tone(): Buffer {
  const samples = Int16Array.from(
    { length: 8000 },
    (_, i) => 8000 * Math.sin((2 * Math.PI * 400 * i) / 8000),
  );
  const codes = Buffer.alloc(samples.length);
  encodeMulawInto(samples, codes);
  return codes;
}

const pathOf = (recording: Recording): string => soundPathOf(join(house.dataDir, 'recordings'), recording);

function untilSecond(path: string): Promise<void> {
  const sizeBytes = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return until('a second of sound in the file', () => sizeBytes() > SECOND_BYTES, 20_000);
}

async function recordingWhere(what: string, isIt: (one: Recording) => boolean): Promise<Recording> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const all = await house.api<Recording[]>('GET', '/recordings');
    const found = all.find(isIt);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain for ${what}`);
}

async function typesOf(callId: string): Promise<readonly { type: string; sequence: number }[]> {
  return house.api('GET', `/events?call_id=${callId}&limit=200`);
}

/** What ffprobe says of what was downloaded. */
async function probed(id: string): Promise<{ seconds: number; channels: number; bytes: number }> {
  const response = await house.fetch('GET', `/recordings/${id}/content`);
  expect(response.status).toBe(200);
  const file = Buffer.from(await response.arrayBuffer());
  const path = join(house.dataDir, `${id}.wav`);
  writeFileSync(path, file);
  const flags = ['-v', 'error', '-show_entries', 'stream=channels:format=duration', '-of', 'json', path];
  const { stdout } = spawnSync('ffprobe', flags, { encoding: 'utf8' });
  const { streams, format } = JSON.parse(stdout) as {
    streams: { channels: number }[];
    format: { duration: string };
  };
  return { seconds: Number(format.duration), channels: streams[0]!.channels, bytes: file.length };
}

describe('a recorded call', () => {
  it('that ends has its recording told, listed and fetched', async () => {
    const caller = await TwilioCaller.dial(url);
    void caller.speak(tone(), true);
    const running = await recordingWhere('one that runs', ({ state }) => state === 'recording');
    await untilSecond(pathOf(running));
    caller.hangUp();
    const recording = await recordingWhere('one that is ready', ({ state }) => state === 'ready');
    expect(recording.duration_ms).toBeGreaterThan(900);
    expect(recording.reason).toBeNull();
    const { seconds, channels, bytes } = await probed(recording.id);
    expect([channels, bytes]).toEqual([2, recording.bytes]);
    expect(seconds).toBeCloseTo(recording.duration_ms / 1000, 2);
    const events = await typesOf(recording.call_id);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['recording_started', 'recording_ready', 'call_completed']),
    );
    expect(new Set(events.map(({ sequence }) => sequence)).size).toBe(events.length);
  }, 30_000);

  it('whose node is killed has a recording that can be played, and it is told', async () => {
    const caller = await TwilioCaller.dial(url);
    void caller.speak(tone(), true);
    const running = await recordingWhere('one that runs', ({ state }) => state === 'recording');
    const path = soundPathOf(join(house.dataDir, 'recordings'), { id: running.id });
    await until(
      'a second of it',
      () => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > SECOND_BYTES,
    );
    process.kill(house.pidOf('node-0'), 'SIGKILL');
    await until('the end of the line', () => caller.closeCode !== undefined);
    // As if nobody had written for longer than a writer is waited for.
    const longAgo = statSync(path).mtimeMs / 1000 - 60;
    utimesSync(path, longAgo, longAgo);
    const mended = await recordingWhere(
      'the mended one',
      ({ id, state }) => id === running.id && state === 'ready',
    );
    expect(mended.reason).toBe('interrupted');
    const { seconds, channels } = await probed(mended.id);
    expect(channels).toBe(2);
    expect(seconds).toBeGreaterThan(0.9);
    expect(seconds).toBeCloseTo(mended.duration_ms / 1000, 2);
    const events = await typesOf(mended.call_id);
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type === 'recording_ready')).toHaveLength(1);
    expect(types.filter((type) => type === 'call_completed')).toHaveLength(1);
  }, 60_000);
});
