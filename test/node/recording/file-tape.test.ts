import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CallFacts } from '../../../src/call/facts.ts';
import type { RecordingFormat, Tape, TapeFailure } from '../../../src/call/recording/tape.ts';
import { loadOpus } from '../../../src/media/codecs/opus/opus.ts';
import { realDisk, type Disk } from '../../../src/node/recording/disk.ts';
import { NodeTapes } from '../../../src/node/recording/node-tapes.ts';
import { notesIn, soundPathOf, type RecordingNote } from '../../../src/node/recording/recording-note.ts';
import { settleRecording } from '../../../src/node/recording/settle-recording.ts';
import { SoundFile } from '../../../src/node/recording/sound-file.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { amplitudeOf } from '../../stories/tones.ts';
import { until } from '../../fakes/until.ts';

const KEYS = [{ id: 'k1', key: new Uint8Array(32).fill(7) }];
const FACTS: CallFacts = {
  id: 'call_1',
  workspaceId: 'ws_default',
  testMode: false,
  region: 'local',
  node: '0',
  agentId: null,
  direction: 'inbound',
  from: null,
  to: null,
  conversationId: 'conv_1',
  leadId: null,
  contactId: null,
  metadata: {},
};
const folders: string[] = [];

beforeAll(async () => void (await loadOpus()));
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Wish {
  readonly format?: 'wav' | RecordingFormat;
  readonly isSealed?: boolean;
  readonly disk?: Disk;
  readonly bytesMax?: number;
  readonly sampleRateHz?: number;
}

function openTape(wish: Wish = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'omnivoice-tape-'));
  folders.push(directory);
  const { format = 'wav', isSealed = false, disk = realDisk, bytesMax = 1e9, sampleRateHz = 8000 } = wish;
  const failures: TapeFailure[] = [];
  const tapes = new NodeTapes({
    directory,
    disk,
    clock: new FakeClock(),
    keys: KEYS,
    isSealed,
    format,
    bytesMax,
    freeMinRatio: 0.01,
    isWanted: () => false,
    url: 'http://127.0.0.1:8080/api/v1/recordings',
    log: { error: () => {} },
  });
  const id = `rec_${'0'.repeat(25)}1`;
  const opened = tapes.open(
    { recordingId: id, facts: FACTS, sampleRateHz, startedAt: '2026-11-20T12:00:00.000Z' },
    (reason) => void failures.push(reason),
  );
  if ('type' in opened) throw new Error(opened.detail);
  return { directory, tapes, tape: opened, failures, id };
}

/** A tone on each side; whole frames, without a step between them. */
function sing(tape: Tape, ticks: number, sampleRateHz = 8000): void {
  const samples = sampleRateHz / 50;
  const [left, right] = [new Int16Array(samples), new Int16Array(samples)];
  for (let tick = 0, n = 0; tick < ticks; tick++) {
    for (let i = 0; i < samples; i++, n++) {
      left[i] = Math.round(9_000 * Math.sin((2 * Math.PI * 400 * n) / sampleRateHz));
      right[i] = Math.round(9_000 * Math.sin((2 * Math.PI * 1_000 * n) / sampleRateHz));
    }
    tape.write(left, right);
  }
}

async function noteOf(directory: string): Promise<RecordingNote> {
  const notes: RecordingNote[] = [];
  for await (const note of notesIn(directory)) notes.push(note);
  expect(notes).toHaveLength(1);
  return notes[0]!;
}

async function read(directory: string, note: RecordingNote): Promise<Buffer> {
  const sound = await SoundFile.open(directory, note, KEYS);
  const pieces: Buffer[] = [];
  for await (const piece of sound.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** What ffprobe, which knows nothing of us, says of a file. */
function probe(path: string): { codec: string; channels: number; durationSeconds: number } {
  const flags = ['-v', 'error', '-show_entries', 'stream=codec_name,channels:format=duration', '-of', 'json'];
  const { stdout, stderr, status } = spawnSync('ffprobe', [...flags, path], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  const { streams, format } = JSON.parse(stdout) as {
    streams: { codec_name: string; channels: number }[];
    format: { duration: string };
  };
  const [{ codec_name: codec, channels } = { codec_name: '', channels: 0 }] = streams;
  return { codec, channels, durationSeconds: Number(format.duration) };
}

/** Both channels, decoded by ffmpeg. */
function decoded(path: string, sampleRateHz = 8000): { left: Int16Array; right: Int16Array } {
  const flags = ['-v', 'error', '-i', path, '-f', 's16le', '-ar', String(sampleRateHz), '-'];
  const { stdout } = spawnSync('ffmpeg', flags, { maxBuffer: 1e9 });
  const pairs = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1);
  return {
    left: pairs.filter((_, i) => i % 2 === 0),
    right: pairs.filter((_, i) => i % 2 === 1),
  };
}

describe('a tape', () => {
  it.each([
    ['wav', 8000, 'pcm_mulaw'],
    ['wav', 16_000, 'pcm_s16le'],
    ['wav_l16', 8000, 'pcm_s16le'],
    ['ogg_opus', 8000, 'opus'],
    ['ogg_opus', 16_000, 'opus'],
  ] as const)(
    'as %s at %i Hz is read by others as %s, its sides apart by 60 dB',
    async (format, hz, codec) => {
      const { directory, tape } = openTape({ format, sampleRateHz: hz });
      sing(tape, 175, hz);
      const end = await tape.finish(0);
      const note = await noteOf(directory);
      const path = soundPathOf(directory, note);
      const file = readFileSync(path);
      expect(end).toMatchObject({ durationMs: 3_500, bytes: file.length, sha256: note.sha256 });
      expect(note).toMatchObject({ state: 'ready', duration_ms: 3_500, bytes: file.length });
      const probed = probe(path);
      expect(probed).toMatchObject({ codec, channels: 2 });
      expect(probed.durationSeconds).toBeCloseTo(3.5, 1);
      const { left, right } = decoded(path, hz);
      // Opus is longer by what its decoder needs to begin with.
      expect(left.length / hz).toBeCloseTo(3.5, codec === 'opus' ? 1 : 6);
      expect(amplitudeOf([left], 400, hz)).toBeGreaterThan(8_000);
      expect(amplitudeOf([right], 1_000, hz)).toBeGreaterThan(8_000);
      expect(amplitudeOf([left], 1_000, hz)).toBeLessThan(9);
      expect(amplitudeOf([right], 400, hz)).toBeLessThan(9);
    },
  );

  it('sealed is noise on the disk, and the same as ever when it is read', async () => {
    const plain = openTape();
    const sealed = openTape({ isSealed: true });
    for (const { tape } of [plain, sealed]) sing(tape, 175);
    const [one, other] = [await plain.tape.finish(0), await sealed.tape.finish(0)];
    expect(other).toEqual(one);
    const note = await noteOf(sealed.directory);
    expect(note.key_id).toBe('k1');
    expect(readFileSync(soundPathOf(sealed.directory, note)).includes('RIFF')).toBe(false);
    const whole = await read(sealed.directory, note);
    expect(whole).toEqual(readFileSync(soundPathOf(plain.directory, note)));
    // Any part of it, as players ask for it.
    const sound = await SoundFile.open(sealed.directory, note, KEYS);
    const part: Buffer[] = [];
    for await (const piece of sound.read(15_990, 40_001)) part.push(piece);
    expect(Buffer.concat(part)).toEqual(whole.subarray(15_990, 40_001));
  });

  it('sealed does not open when a byte of it was changed, or with another key', async () => {
    const { directory, tape } = openTape({ isSealed: true });
    sing(tape, 175);
    await tape.finish(0);
    const note = await noteOf(directory);
    const path = soundPathOf(directory, note);
    const bytes = readFileSync(path);
    bytes[20_000]! ^= 1;
    writeFileSync(path, bytes);
    await expect(read(directory, note)).rejects.toThrow(/altered/);
    await expect(SoundFile.open(directory, { ...note, key_id: 'k0' }, KEYS)).rejects.toThrow(/"k0"/);
  });

  it.each([
    ['wav', false],
    ['wav_l16', true],
    ['ogg_opus', false],
    ['ogg_opus', true],
  ] as const)('as %s cut off anywhere (sealed: %s) is mended to what is whole', async (format, isSealed) => {
    const { directory, tape } = openTape({ format, isSealed });
    sing(tape, 250);
    await tape.finish(0);
    const note = { ...(await noteOf(directory)), state: 'open' as const, sha256: null, bytes: 0 };
    const path = soundPathOf(directory, note);
    truncateSync(path, Math.floor(readFileSync(path).length * 0.63));
    const settled = await settleRecording(directory, note, KEYS, { state: 'ready', reason: 'interrupted' });
    expect(settled.duration_ms).toBeGreaterThan(1_900);
    expect(settled.duration_ms).toBeLessThan(3_200);
    const copy = join(directory, 'copy');
    writeFileSync(copy, await read(directory, settled));
    expect(probe(copy).durationSeconds).toBeCloseTo(settled.duration_ms / 1000, 1);
    expect(amplitudeOf([decoded(copy).left], 1_000)).toBeLessThan(9);
    // Once more finds nothing to do.
    expect(await settleRecording(directory, note, KEYS, { state: 'ready', reason: 'interrupted' })).toEqual(
      settled,
    );
  });
});

describe('a disk', () => {
  /** The real one, after something was done about each write. */
  const troubled = (before: (count: number) => Promise<void>): Disk => ({
    ...realDisk,
    create: async (path) => {
      const file = await realDisk.create(path);
      let count = 0;
      return {
        write: async (bytes, at) => {
          await before(count++);
          await file.write(bytes, at);
        },
        close: () => file.close(),
      };
    },
  });

  it('that is full ends the recording, and what is there is kept', async () => {
    const disk = troubled(async (count) => {
      if (count >= 6) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    });
    const { directory, tape, tapes, failures } = openTape({ disk });
    for (let second = 0; second < 8; second++) {
      sing(tape, 50);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => failures.length > 0);
    expect(await tape.finish(0)).toBeUndefined();
    expect(failures).toEqual(['disk_full']);
    expect(tapes.stats.failedByReason.disk_full).toBe(1);
    const note = await noteOf(directory);
    expect(note).toMatchObject({ state: 'failed', reason: 'disk_full' });
    expect(probe(soundPathOf(directory, note)).durationSeconds).toBeCloseTo(note.duration_ms / 1000, 2);
    expect(note.duration_ms).toBeGreaterThan(900);
  });

  it('with too little room is not written on', async () => {
    const { failures } = openTape({ disk: { ...realDisk, freeRatio: async () => 0.001 } });
    await until(() => failures.length > 0);
    expect(failures).toEqual(['disk_full']);
  });

  it('that is slow holds nobody up, and is given up after ten seconds of sound', async () => {
    const stuck = Promise.withResolvers<void>();
    const { directory, tape, failures } = openTape({ disk: troubled(() => stuck.promise) });
    // Nothing is awaited: what is said here goes by in the turn of its frame.
    sing(tape, 50 * 30);
    expect(failures).toEqual([]);
    await Promise.resolve();
    expect(failures).toEqual(['disk_too_slow']);
    stuck.resolve();
    expect(await tape.finish(0)).toBeUndefined();
    expect(await noteOf(directory)).toMatchObject({ state: 'failed', reason: 'disk_too_slow' });
  });

  it('is given no more than a recording may have', async () => {
    const { directory, tape, failures } = openTape({ bytesMax: 40_000 });
    sing(tape, 50 * 5);
    await until(() => failures.length > 0);
    await tape.finish(0);
    expect(failures).toEqual(['too_large']);
    const note = await noteOf(directory);
    expect(note.duration_ms).toBe(2_000);
    expect(readdirSync(join(directory, '00000')).toSorted()).toEqual([`${note.id}.json`, `${note.id}.sound`]);
  });
});
