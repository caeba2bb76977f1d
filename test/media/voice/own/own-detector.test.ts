import { describe, expect, it } from 'vitest';
import { Dice } from '../../../../native-bench/vad/dice.ts';
import { activeRms, ACTIVE_DBFS, labelsOf } from '../../../../native-bench/vad/labels.ts';
import { ratioOf, scale } from '../../../../native-bench/vad/levels.ts';
import { VoiceError } from '../../../../src/base/errors.ts';
import { OwnDetector } from '../../../../src/media/voice/own/own-detector.ts';
import { type VoiceEdge, VoiceEdges } from '../../../../src/media/voice/voice-edges.ts';
import { LEAD_HOPS_MAX, VOICE_DEFAULTS } from '../../../../src/media/voice-detector.ts';
import { loadFvad } from '../../../../src/media/voice/fvad-detector.ts';
import { readHello } from '../../../fakes/hello.ts';

const SEED = 41;
const RATES = [8000, 16_000] as const;
const FULL_SCALE = 32_768;

function edgesOf(samples: Int16Array, rateHz: number, aggressiveness = 2): VoiceEdge[] {
  const edges = new VoiceEdges(new OwnDetector(rateHz, aggressiveness), VOICE_DEFAULTS);
  const frameSamples = rateHz / 50;
  const found: VoiceEdge[] = [];
  for (let at = 0; at + frameSamples <= samples.length; at += frameSamples) {
    const edge = edges.hear(samples.subarray(at, at + frameSamples), (1000 * at) / rateHz);
    if (edge !== undefined) found.push(edge);
  }
  return found;
}

function amplitudeOf(dbfs: number): number {
  return FULL_SCALE * 10 ** (dbfs / 20);
}

/** Adds white noise of this level. */
function inNoise(samples: Float32Array, noiseDbfs: number, seed = SEED): Int16Array {
  const dice = new Dice(seed);
  const noise = amplitudeOf(noiseDbfs);
  return Int16Array.from(samples, (sample) => Math.round(sample + noise * dice.gauss()));
}

/** Something like a vowel: pulses of a gliding pitch through three resonances. */
function vowelInto(samples: Float32Array, rateHz: number, fromMs: number, toMs: number): void {
  let phase = 0;
  const formants = [
    { hz: 600, width: 90 },
    { hz: 1200, width: 120 },
    { hz: 2500, width: 200 },
  ].map(({ hz, width }) => {
    const keep = Math.exp((-Math.PI * width) / rateHz);
    return { turn: 2 * keep * Math.cos((2 * Math.PI * hz) / rateHz), keep: keep * keep, one: 0, two: 0 };
  });
  for (let i = (fromMs * rateHz) / 1000; i < (toMs * rateHz) / 1000; i++) {
    phase += (110 + 30 * Math.sin((9 * i) / rateHz)) / rateHz;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    for (const formant of formants) {
      const next = 1500 * pulse + formant.turn * formant.one - formant.keep * formant.two;
      formant.two = formant.one;
      formant.one = next;
      samples[i]! += next;
    }
  }
}

/** Words of two vowels, one every two seconds from the second on. */
function vowels(rateHz: number, words: number): { samples: Float32Array; onsetsMs: number[] } {
  const samples = new Float32Array((2 * words + 2) * rateHz);
  const onsetsMs = Array.from({ length: words }, (_, word) => 2000 + 2000 * word);
  for (const onsetMs of onsetsMs) {
    vowelInto(samples, rateHz, onsetMs, onsetMs + 180);
    vowelInto(samples, rateHz, onsetMs + 240, onsetMs + 500);
  }
  return { samples, onsetsMs };
}

/** On for a second, off for a second, eight times. */
function tone(rateHz: number, hz: readonly number[], onMs: number, offMs: number): Float32Array {
  const period = ((onMs + offMs) * rateHz) / 1000;
  const on = (onMs * rateHz) / 1000;
  return Float32Array.from({ length: 10 * rateHz }, (_, i) => {
    if (i < rateHz || (i - rateHz) % period >= on) return 0;
    return hz.reduce((sum, each) => sum + 3000 * Math.sin((2 * Math.PI * each * i) / rateHz), 0);
  });
}

function helloInNoise(noiseDbfs: number): Int16Array {
  return inNoise(Float32Array.from(readHello().samples), noiseDbfs);
}

describe('our voice detector', () => {
  it.each(RATES)('finds words like speech in noise at %d Hz, on time and where they began', (rateHz) => {
    const { samples, onsetsMs } = vowels(rateHz, 10);
    const detected = edgesOf(inNoise(samples, -50), rateHz).filter((edge) => edge.type === 'voice_detected');
    expect(detected, `seed ${SEED}`).toHaveLength(onsetsMs.length);
    detected.forEach((edge, word) => {
      expect(Math.abs(edge.onsetMs - onsetsMs[word]!)).toBeLessThanOrEqual(20);
      expect(edge.atMs - onsetsMs[word]!).toBeLessThanOrEqual(110);
    });
  });

  it.each([-66, -50, -45])('finds the two sentences of the sample in noise of %d dBFS', (noiseDbfs) => {
    const types = edgesOf(helloInNoise(noiseDbfs), 8000).map(({ type }) => type);
    expect(types, `seed ${SEED}`).toEqual(['voice_detected', 'voice_ended', 'voice_detected', 'voice_ended']);
  });

  it('is right about more hops of the sample in noise than the WebRTC detector', async () => {
    const clean = Float32Array.from(readHello().samples, (sample) => sample / FULL_SCALE);
    scale(clean, ratioOf(ACTIVE_DBFS) / activeRms(clean, 80));
    const labels = labelsOf(clean, 80);
    const noisy = inNoise(scale(clean.slice(), FULL_SCALE), ACTIVE_DBFS - 10);
    const fvad = (await loadFvad()).open(8000, 2);
    const own = new OwnDetector(8000, 2);
    const wrong = { own: 0, fvad: 0 };
    for (let at = 0; at + 80 <= clean.length; at += 80) {
      const isSpeech = labels[at / 80] === 1;
      const hop = noisy.subarray(at, at + 80);
      if (own.isVoice(hop) !== isSpeech) wrong.own++;
      if (fvad.isVoice(hop) !== isSpeech) wrong.fvad++;
    }
    expect(wrong.own, `seed ${SEED}`).toBeLessThan(wrong.fvad);
  });

  it.each(RATES)('reports nobody in a minute of noise at %d Hz, however loud', (rateHz) => {
    for (const noiseDbfs of [-60, -45, -35, -25]) {
      expect(edgesOf(inNoise(new Float32Array(60 * rateHz), noiseDbfs), rateHz), `seed ${SEED}`).toEqual([]);
    }
  });

  it('is fooled once at most, and not for a second, when the noise of a line grows by 20 dB', () => {
    const quiet = inNoise(new Float32Array(5 * 8000), -60);
    const loud = inNoise(new Float32Array(5 * 8000), -40);
    const edges = edgesOf(Int16Array.of(...quiet, ...loud), 8000);
    expect(edges.length, `seed ${SEED}`).toBeLessThanOrEqual(2);
    const durationsMs = edges.flatMap((edge) => (edge.type === 'voice_ended' ? [edge.durationMs] : [0]));
    expect(Math.max(0, ...durationsMs)).toBeLessThan(1000);
    expect(edges.at(-1)?.type).not.toBe('voice_detected');
  });

  it.each([
    ['ringback of North America', [440, 480], 2000, 4000],
    ['ringback of Europe', [425], 1000, 4000],
    ['busy of North America', [480, 620], 500, 500],
    ['busy of Europe', [425], 500, 500],
    ['key 1', [697, 1209], 100, 100],
    ['key 5', [770, 1336], 60, 60],
    ['key D', [941, 1633], 250, 100],
    ['fax calling', [1100], 500, 3000],
  ])('does not take %s for a voice', (_, hz, onMs, offMs) => {
    for (const rateHz of RATES) {
      expect(edgesOf(inNoise(tone(rateHz, hz, onMs, offMs), -66), rateHz)).toEqual([]);
    }
  });

  it('is stricter with each step of aggressiveness', () => {
    const noisy = helloInNoise(-42);
    const voicedHops = [0, 1, 2, 3].map((aggressiveness) => {
      const detector = new OwnDetector(8000, aggressiveness);
      let hops = 0;
      for (let at = 0; at + 80 <= noisy.length; at += 80)
        if (detector.isVoice(noisy.subarray(at, at + 80))) hops++;
      return hops;
    });
    expect(voicedHops).toEqual([...voicedHops].sort((a, b) => b - a));
    expect(voicedHops[0]).toBeGreaterThan(voicedHops[3]!);
  });

  it('traces a voice back no further than agreed', () => {
    const noisy = helloInNoise(-50);
    const detector = new OwnDetector(8000, 2);
    const leads = new Set<number>();
    for (let at = 0; at + 80 <= noisy.length; at += 80) {
      detector.isVoice(noisy.subarray(at, at + 80));
      leads.add(detector.leadHops);
    }
    expect(Math.max(...leads)).toBe(LEAD_HOPS_MAX);
  });

  it('refuses other rates and parts of a hop, and is deaf once closed', () => {
    expect(() => new OwnDetector(48_000, 2)).toThrow(VoiceError);
    expect(() => new OwnDetector(8000, 4)).toThrow(VoiceError);
    const detector = new OwnDetector(8000, 2);
    expect(() => detector.isVoice(new Int16Array(160))).toThrow(/whole hops/);
    detector.close();
    expect(() => detector.isVoice(new Int16Array(80))).toThrow(/closed/);
  });
});
