import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyse, type AnalysisResult, type AnalysisSettings } from '../../../src/cli/analysing/analysis.ts';
import { openRecording } from '../../../src/cli/analysing/open-file.ts';
import { readRtpdump } from '../../../src/cli/analysing/rtpdump.ts';
import { streamOf, type Recording } from '../../../src/cli/analysing/recording.ts';
import { openCodec } from '../../../src/media/codecs.ts';
import { l16, PCMU_8K } from '../../../src/media/format.ts';
import { DTMF_DEFAULTS } from '../../../src/media/tones/dtmf/dtmf-settings.ts';
import { DtmfTone } from '../../../src/media/tones/dtmf/dtmf-tone.ts';
import { TONE_DEFAULTS } from '../../../src/media/tones/tone-settings.ts';
import { VOICE_DEFAULTS } from '../../../src/media/voice-detector.ts';
import { loadDetectors } from '../../../src/media/voice/detectors.ts';
import { readWav } from '../../../src/media/wav.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { rtpdump, type CapturedPacket } from '../../fakes/rtpdump.ts';

const detectors = await loadDetectors();
const SAMPLE = join(import.meta.dirname, '../../../samples/hello.wav');
const directory = mkdtempSync(join(tmpdir(), 'analyse-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SETTINGS: AnalysisSettings = {
  voice: VOICE_DEFAULTS,
  hearing: { dtmf: DTMF_DEFAULTS, tones: TONE_DEFAULTS },
  jitter: { mode: 'adaptive', targetMs: 0, maxMs: 200 },
};

function hear(recording: Recording, settings = SETTINGS): AnalysisResult {
  return analyse({ recording, detectors, settings });
}

/** The sample as µ-law, with keys pressed behind it. */
function mulaw(digits = ''): Uint8Array {
  const wav = readWav(readFileSync(SAMPLE));
  if (!('samples' in wav)) throw new Error(wav.detail);
  const tone = new Int16Array(8000 * 0.17 * digits.length + 8000);
  if (digits !== '') new DtmfTone(digits, 8000).fillInto(tone);
  const samples = Int16Array.from([...wav.samples, ...tone]);
  const bytes = new Uint8Array(160 * Math.floor(samples.length / 160));
  const codec = openCodec(PCMU_8K);
  for (let i = 0; i < bytes.length; i += 160) {
    codec.encodeInto(samples.subarray(i, i + 160), bytes.subarray(i, i + 160));
  }
  return bytes;
}

/** The sound as packets of 20 ms that are delayed, lost and turned round, and wrap their numbers. */
function capture(sound: Uint8Array, line: { seed?: number; lossRatio?: number; jitterMs?: number }): Buffer {
  const clock = new FakeClock({ seed: line.seed ?? 1 });
  const dice = (): number => clock.randomBytes(2).readUInt16BE() / 65_536;
  const packets: CapturedPacket[] = [];
  for (let k = 0; k < sound.length / 160; k++) {
    const isLost = dice() < (line.lossRatio ?? 0);
    // Whoever comes first sets the order.
    const atMs = 20 * k + dice() * (k < 3 ? 0 : (line.jitterMs ?? 0));
    const payload = sound.subarray(160 * k, 160 * (k + 1));
    if (!isLost) packets.push({ atMs, sequence: 65_500 + k, timestamp: 0xffff_0000 + 160 * k, payload });
  }
  return rtpdump(packets.sort((a, b) => a.atMs - b.atMs));
}

const typesOf = ({ events }: AnalysisResult): unknown[] => events.map(({ type }) => type);
const jitterOf = ({ stats }: AnalysisResult) => stats['jitter'] as { [name: string]: number };

describe('a recording', () => {
  it('is heard the same however it is cut', async () => {
    const results = [];
    for (const messageBytes of [undefined, 1, 7, 159, 160, 333, 50_000]) {
      results.push(hear(await openRecording(SAMPLE, { dynamic: undefined, messageBytes })));
    }
    expect(typesOf(results[0]!)).toContain('voice_detected');
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('of raw G.711 tells the keys that were pressed, each once', () => {
    const { events } = hear(streamOf(PCMU_8K, mulaw('15#9')));
    const digits = events.filter(({ type }) => type === 'dtmf_received').map(({ digit }) => digit);
    expect(digits.join('')).toBe('15#9');
  });

  it('has a raw decision for every 20 ms of it', async () => {
    const { frames, stats } = hear(await openRecording(SAMPLE, { dynamic: undefined }));
    expect(frames).toMatch(/^[01]+$/);
    expect(frames.length * 20).toBe(stats['duration_ms']);
    expect(frames).toContain('0000');
    expect(frames).toContain('1111');
  });

  it('of silence brings nothing', () => {
    const { events, frames } = hear(streamOf(l16(16_000), new Uint8Array(320_000)));
    expect(events).toEqual([]);
    expect(frames).not.toContain('1');
  });
});

describe('a capture', () => {
  it('without a fault says what the sound itself says', () => {
    const sound = mulaw('42');
    const whole = hear(streamOf(PCMU_8K, sound));
    const captured = hear(readRtpdump(capture(sound, {}), undefined));
    expect(captured.events).toEqual(whole.events);
    expect(captured.frames).toBe(whole.frames);
    expect(jitterOf(captured)).toMatchObject({ lost_frames: 0, late_frames: 0, concealed_frames: 0 });
  });

  it('that jitters and is turned round is still heard in order, and nothing is lost', () => {
    const sound = mulaw('42');
    const whole = hear(streamOf(PCMU_8K, sound));
    for (const seed of [1, 2, 3]) {
      const recording = readRtpdump(capture(sound, { seed, jitterMs: 45 }), undefined);
      const jitter = { mode: 'adaptive', targetMs: 60, maxMs: 200 } as const;
      const captured = hear(recording, { ...SETTINGS, jitter });
      expect(captured.events, `seed ${seed}`).toEqual(whole.events);
      expect(jitterOf(captured)['received_frames'], `seed ${seed}`).toBe(sound.length / 160);
    }
  });

  it('with losses has them counted and made up for, and its onsets stay where they were', () => {
    const sound = mulaw('42');
    const whole = hear(streamOf(PCMU_8K, sound));
    const captured = hear(readRtpdump(capture(sound, { seed: 5, lossRatio: 0.05, jitterMs: 15 }), undefined));
    const onsets = ({ events }: AnalysisResult) =>
      events.filter(({ type }) => type === 'voice_detected').map(({ onset_ms }) => Number(onset_ms));
    const { received_frames, lost_frames, concealed_frames } = jitterOf(captured);
    expect(received_frames! + lost_frames!).toBe(sound.length / 160);
    expect(lost_frames).toBeGreaterThan(5);
    expect(concealed_frames).toBeGreaterThanOrEqual(lost_frames!);
    expect(onsets(captured)[0]).toBeCloseTo(onsets(whole)[0]!, -2);
    expect((captured.stats['quality'] as { mos: number }).mos).toBeLessThan(4.2);
  });

  it('cut off, empty or of unknown audio is refused by name', () => {
    const good = capture(mulaw(), {});
    expect(() => readRtpdump(good.subarray(0, good.length - 3), undefined)).toThrow('cut off');
    expect(() => readRtpdump(good.subarray(0, 30), undefined)).toThrow('cut off');
    expect(() => readRtpdump(rtpdump([]), undefined)).toThrow('no packets');
    const odd = rtpdump([
      { atMs: 0, sequence: 1, timestamp: 0, payload: new Uint8Array(9), payloadType: 111 },
    ]);
    expect(() => readRtpdump(odd, undefined)).toThrow('111');
  });
});

describe('a file that is none', () => {
  it.each([
    ['empty.wav', ''],
    ['text.wav', 'not a sound at all'],
    ['cut.wav', readFileSync(SAMPLE).subarray(0, 30)],
  ])('as %s is refused', async (name, content) => {
    const file = join(directory, name);
    writeFileSync(file, content);
    await expect(openRecording(file, { dynamic: undefined })).rejects.toThrow(name);
  });

  it('as one that is missing, or a directory, is refused', async () => {
    await expect(openRecording(join(directory, 'none.wav'), { dynamic: undefined })).rejects.toThrow(
      'none.wav',
    );
    await expect(openRecording(directory, { dynamic: undefined })).rejects.toThrow('directory');
  });
});
