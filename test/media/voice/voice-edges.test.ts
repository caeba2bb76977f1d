import { describe, expect, it } from 'vitest';
import { VOICE_DEFAULTS, type VoiceDetector, type VoiceSettings } from '../../../src/media/voice-detector.ts';
import { type VoiceEdge, VoiceEdges } from '../../../src/media/voice/voice-edges.ts';
import { loadFvad } from '../../../src/media/voice/fvad-detector.ts';
import { readHello } from '../../fakes/hello.ts';

const LOUD = 10_000;

/** Hears voice in every hop that is not silent. */
class NaiveDetector implements VoiceDetector {
  readonly hopSamples = 80;
  heardHops = 0;
  isClosed = false;

  isVoice(samples: Int16Array): boolean {
    this.heardHops++;
    return samples[0] !== 0;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** Tells a line of hops, 10 ms each: `#` voiced, `.` silent. `mediaMs` counts on from 0. */
function edgesOf(line: string, settings: Partial<VoiceSettings> = {}, amplitude = LOUD): VoiceEdge[] {
  const edges = new VoiceEdges(new NaiveDetector(), { ...VOICE_DEFAULTS, ...settings });
  const found: VoiceEdge[] = [];
  for (let hop = 0; hop + 2 <= line.length; hop += 2) {
    const edge = edges.hear(frameOf(line.slice(hop, hop + 2), amplitude), hop * 10);
    if (edge !== undefined) found.push(edge);
  }
  return found;
}

function frameOf(hops: string, amplitude = LOUD): Int16Array {
  return Int16Array.from({ length: 160 }, (_, i) => (hops[i < 80 ? 0 : 1] === '#' ? amplitude : 0));
}

describe('voice edges', () => {
  it('report a voice once it has lasted, with the time of its first hop and of the confirming frame', () => {
    const edges = edgesOf('...####.');
    expect(edges).toEqual([{ type: 'voice_detected', onsetMs: 30, atMs: 80, levelDbfs: -13.3 }]);
  });

  it('report the end once silence has lasted, counting only speech into the duration', () => {
    const speech = `....${'#'.repeat(20)}`;
    expect(edgesOf(`${speech}${'.'.repeat(30)}`)).toEqual([
      { type: 'voice_detected', onsetMs: 40, atMs: 80, levelDbfs: -10.3 },
      { type: 'voice_ended', atMs: 540, durationMs: 200 },
    ]);
    expect(edgesOf(`${speech}${'.'.repeat(28)}`)).toHaveLength(1);
  });

  it('stay silent for a voice that was too short, however often', () => {
    expect(edgesOf('###.###.###.###.###.')).toEqual([]);
  });

  it('bridge pauses shorter than the hangover', () => {
    const pause = '.'.repeat(28);
    const edges = edgesOf(`####${pause}##${pause}##${'.'.repeat(30)}`);
    expect(edges.map((edge) => edge.type)).toEqual(['voice_detected', 'voice_ended']);
    expect(edges[1]).toMatchObject({ durationMs: 40 + 280 + 20 + 280 + 20 });
  });

  it('report a second voice after the first has ended', () => {
    const edges = edgesOf(`####${'.'.repeat(30)}####${'.'.repeat(30)}`);
    expect(edges.map((edge) => edge.type)).toEqual([
      'voice_detected',
      'voice_ended',
      'voice_detected',
      'voice_ended',
    ]);
    expect(edges[2]).toMatchObject({ onsetMs: 340, atMs: 380 });
  });

  it.each([
    [20, 40],
    [40, 60],
    [100, 120],
    [0, 40],
  ])('take %d ms to confirm as they were told, but never less than a frame', (startMs, atMs) => {
    const [edge] = edgesOf('.###############', { startMs });
    expect(edge).toMatchObject({ type: 'voice_detected', onsetMs: 10, atMs });
  });

  it('never bring two edges in one frame, even where both times are 0', () => {
    const edges = edgesOf('.##..##.##..#.#.##..', { startMs: 0, stopMs: 0 });
    const times = edges.map((edge) => edge.atMs);
    expect(new Set(times).size).toBe(times.length);
    expect(edges.length).toBeGreaterThan(2);
  });

  it('ignore what is quieter than the minimum level', () => {
    expect(edgesOf('##########', { levelMinDbfs: -50 }, 103)).toEqual([]);
    expect(edgesOf('##########', { levelMinDbfs: -50 }, 104)).toHaveLength(1);
  });

  it('let the detector hear every hop, silent ones too', () => {
    const detector = new NaiveDetector();
    const edges = new VoiceEdges(detector, VOICE_DEFAULTS);
    for (let i = 0; i < 5; i++) edges.hear(frameOf('..'), i * 20);
    expect(detector.heardHops).toBe(10);
  });

  it('count a hole in the media time as silence while somebody speaks', () => {
    const edges = new VoiceEdges(new NaiveDetector(), VOICE_DEFAULTS);
    edges.hear(frameOf('##'), 0);
    expect(edges.hear(frameOf('##'), 20)).toMatchObject({ type: 'voice_detected' });
    expect(edges.hear(frameOf('..'), 1000)).toEqual({ type: 'voice_ended', atMs: 1020, durationMs: 40 });
  });

  it('end a voice that is cut short with its stream, and begin anew', () => {
    const edges = new VoiceEdges(new NaiveDetector(), VOICE_DEFAULTS);
    expect(edges.finish(0)).toBeUndefined();
    edges.hear(frameOf('##'), 0);
    edges.hear(frameOf('##'), 20);
    expect(edges.isSpeaking).toBe(true);
    expect(edges.finish(40)).toEqual({ type: 'voice_ended', atMs: 40, durationMs: 40 });
    expect(edges.isSpeaking).toBe(false);
    expect(edges.hear(frameOf('##'), 0)).toBeUndefined();
  });

  it('trace an onset back as far as the detector says, but not into the voice before', () => {
    const detector = Object.assign(new NaiveDetector(), { leadHops: 3 });
    const edges = new VoiceEdges(detector, { ...VOICE_DEFAULTS, stopMs: 20 });
    const found: VoiceEdge[] = [];
    ['..', '..', '.#', '##', '#.', '.#', '##', '##'].forEach((hops, frame) => {
      const edge = edges.hear(frameOf(hops), 20 * frame);
      if (edge !== undefined) found.push(edge);
    });
    expect(found).toMatchObject([
      { type: 'voice_detected', onsetMs: 50 - 30 },
      { type: 'voice_ended', durationMs: 90 - 20 },
      { type: 'voice_detected', onsetMs: 90 },
    ]);
  });

  it('hand out edges that stay as they were', () => {
    const [detected] = edgesOf(`####${'.'.repeat(30)}....####`);
    expect(detected).toMatchObject({ onsetMs: 0, atMs: 40 });
  });

  it('close their detector and refuse part of a frame', () => {
    const detector = new NaiveDetector();
    const edges = new VoiceEdges(detector, VOICE_DEFAULTS);
    expect(() => edges.hear(new Int16Array(80), 0)).toThrow(/whole frames/);
    edges.close();
    expect(detector.isClosed).toBe(true);
  });
});

interface Utterance {
  readonly onsetMs: number;
  readonly endMs: number;
}

/** Where the sample's sentences truly are: sound with less than 300 ms of digital silence inside. */
function utterancesOf(samples: Int16Array): Utterance[] {
  const found: { onsetMs: number; endMs: number }[] = [];
  samples.forEach((sample, index) => {
    if (sample === 0) return;
    const atMs = index / 8;
    const last = found.at(-1);
    if (last !== undefined && atMs - last.endMs < 300) last.endMs = atMs;
    else found.push({ onsetMs: atMs, endMs: atMs });
  });
  return found;
}

describe('voice edges over the baseline detector', () => {
  it('find the two sentences of the sample within 60 ms of their true onset', async () => {
    const hello = readHello();
    const utterances = utterancesOf(hello.samples);
    expect(utterances).toHaveLength(2);

    const fvad = await loadFvad();
    const edges = new VoiceEdges(fvad.open(8000, VOICE_DEFAULTS.aggressiveness), VOICE_DEFAULTS);
    const found: VoiceEdge[] = [];
    for (let at = 0; at + 160 <= hello.samples.length; at += 160) {
      const edge = edges.hear(hello.samples.slice(at, at + 160), at / 8);
      if (edge !== undefined) found.push(edge);
    }
    edges.close();

    const pair = ['voice_detected', 'voice_ended'];
    expect(found.map((edge) => edge.type)).toEqual([...pair, ...pair]);
    utterances.forEach(({ onsetMs, endMs }, index) => {
      const [detected, ended] = found.slice(2 * index);
      if (detected?.type !== 'voice_detected' || ended?.type !== 'voice_ended') throw new Error('no pair');
      expect(Math.abs(detected.onsetMs - onsetMs)).toBeLessThanOrEqual(60);
      expect(detected.atMs - onsetMs).toBeLessThanOrEqual(110);
      // The detector hangs on to a voice for some hops of its own.
      expect(Math.abs(detected.onsetMs + ended.durationMs - endMs)).toBeLessThanOrEqual(150);
    });
  });
});
