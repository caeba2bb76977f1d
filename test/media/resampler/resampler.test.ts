import { describe, expect, it } from 'vitest';
import { hearTone } from '../../../native-bench/resampling/sweep.ts';
import { filterBank, openResampler, RESAMPLED_RATES_HZ } from '../../../src/media/resampler/resampler.ts';
import { noise, sine } from '../conceal/sounds.ts';

const MAIN_HZ = [8000, 16_000, 24_000, 48_000];
const MAIN_PAIRS = pairsOf(MAIN_HZ);
const ALL_PAIRS = pairsOf(RESAMPLED_RATES_HZ);

describe('a resampler', () => {
  it.each(MAIN_PAIRS)('makes exactly 20 ms of 20 ms, from %i to %i Hz', (fromHz, toHz) => {
    const resampler = openResampler(fromHz, toHz);
    const target = new Int16Array(toHz / 50);
    for (let frame = 0; frame < 7; frame++) {
      expect(resampler.resampleInto(noise(fromHz / 50, 9000, frame + 1), fromHz / 50, target)).toBe(
        toHz / 50,
      );
    }
  });

  it.each(ALL_PAIRS)('loses and adds no sample in a second, from %i to %i Hz', (fromHz, toHz) => {
    expect(inChunks(new Int16Array(fromHz), fromHz, toHz, [Math.floor(fromHz / 50)]).length).toBe(toHz);
  });

  it.each(ALL_PAIRS)('is to the bit what its weights say, from %i to %i Hz', (fromHz, toHz) => {
    const sound = noise(Math.ceil(fromHz / 20), 32_767, 3);
    expect(inChunks(sound, fromHz, toHz, [sound.length])).toEqual(plainly(sound, fromHz, toHz));
  });

  it.each(ALL_PAIRS)('does not care how its sound is cut, from %i to %i Hz', (fromHz, toHz) => {
    const sound = noise(Math.ceil(fromHz / 10), 20_000, 7);
    const whole = inChunks(sound, fromHz, toHz, [sound.length]);
    const cut = inChunks(sound, fromHz, toHz, [1, 160, 7, 0, 2, 333, 1920, 11, 1921, 64]);
    expect(cut).toEqual(whole);
  });

  it.each(ALL_PAIRS)('adds up the worst that can come, from %i to %i Hz', (fromHz, toHz) => {
    const { phases, taps, weights } = filterBank(fromHz, toHz);
    for (const phase of [0, phases >> 1, phases - 1]) {
      const row = weights.subarray(phase * taps, (phase + 1) * taps);
      const sound = Int16Array.from({ length: 4 * taps }, (_, i) => (row[i % taps]! < 0 ? 32_767 : -32_768));
      expect(inChunks(sound, fromHz, toHz, [sound.length])).toEqual(plainly(sound, fromHz, toHz));
    }
  });

  it('saturates where the filter rises above full scale, and does not wrap', () => {
    const square = Int16Array.from({ length: 1600 }, (_, i) =>
      Math.floor(i / 20) % 2 === 0 ? 32_767 : -32_768,
    );
    const louder = inChunks(square, 8000, 16_000, [160]);
    expect(Math.max(...louder)).toBe(32_767);
    expect(Math.min(...louder)).toBe(-32_768);
    expect(louder.slice(280, 3080)).toEqual(louder.slice(200, 3000));
  });

  it.each(MAIN_PAIRS)('comes out as much later as it says, from %i to %i Hz', (fromHz, toHz) => {
    const { delaySamples } = openResampler(fromHz, toHz);
    const out = inChunks(sine(fromHz, 400, fromHz / 5), fromHz, toHz, [fromHz / 50]);
    const late = Int16Array.from(out, (_, i) =>
      Math.round(8000 * Math.sin((2 * Math.PI * 400 * (i - delaySamples)) / toHz)),
    );
    for (let i = toHz / 25; i < out.length; i++) expect(Math.abs(out[i]! - late[i]!)).toBeLessThan(24);
  });

  it('passes every bit of what is at the right rate already', () => {
    const sound = noise(320, 32_767);
    const target = new Int16Array(320);
    expect(openResampler(16_000, 16_000).resampleInto(sound, 320, target)).toBe(320);
    expect(target).toEqual(sound);
    expect(openResampler(16_000, 16_000).delaySamples).toBe(0);
  });

  it('forgets at a reset, and begins as a new one', () => {
    const resampler = openResampler(11_025, 8000);
    const [first, again] = [new Int16Array(400), new Int16Array(400)];
    const sound = noise(500, 9000);
    const samples = resampler.resampleInto(sound, 500, first);
    resampler.reset();
    expect(resampler.resampleInto(sound, 500, again)).toBe(samples);
    expect(again).toEqual(first);
  });

  it('keeps the sounds of two parties apart', () => {
    const [one, other] = [noise(1600, 9000, 1), noise(1600, 9000, 2)];
    const [a, b] = [openResampler(8000, 16_000), openResampler(8000, 16_000)];
    const [heardA, heardB] = [new Int16Array(3200), new Int16Array(3200)];
    const target = new Int16Array(320);
    for (let frame = 0; frame < 10; frame++) {
      a.resampleInto(one.subarray(frame * 160, frame * 160 + 160), 160, target);
      heardA.set(target, frame * 320);
      b.resampleInto(other.subarray(frame * 160, frame * 160 + 160), 160, target);
      heardB.set(target, frame * 320);
    }
    expect(heardA).toEqual(inChunks(one, 8000, 16_000, [160]));
    expect(heardB).toEqual(inChunks(other, 8000, 16_000, [160]));
  });

  it('knows the rates that providers send, and says no to others', () => {
    expect(() => openResampler(8000, 11_000)).toThrow('11000 Hz');
    expect(() => openResampler(0, 8000)).toThrow('0 Hz');
  });

  it('would rather fail than write beyond its target', () => {
    const resampler = openResampler(8000, 16_000);
    expect(() => resampler.resampleInto(new Int16Array(160), 160, new Int16Array(319))).toThrow('fits');
    expect(() => resampler.resampleInto(new Int16Array(160), 161, new Int16Array(400))).toThrow(
      'more samples',
    );
  });
});

describe('tones through a resampler', () => {
  it('from 48 to 8 kHz keep to 1 dB below 3.4 kHz and are gone above 3.6 kHz', () => {
    for (const hz of [100, 1000, 2000, 3000, 3300, 3400]) {
      expect(Math.abs(hearTone(48_000, 8000, hz).toneDb), `${hz} Hz`).toBeLessThan(1);
    }
    for (const hz of [3601, 3700, 3900, 4000, 4400, 5000, 7000, 8000, 12_100, 16_000, 20_000, 23_900]) {
      const { toneDb, restDb } = hearTone(48_000, 8000, hz);
      expect(toneDb, `${hz} Hz`).toBeLessThan(-60);
      expect(restDb, `${hz} Hz`).toBeLessThan(-60);
    }
  });

  it.each(MAIN_PAIRS)('from %i to %i Hz pass to 0.85 of the band, and bring no others', (fromHz, toHz) => {
    const bandHz = Math.min(fromHz, toHz) / 2;
    for (const share of [0.02, 0.2, 0.4, 0.6, 0.8, 0.85]) {
      const { toneDb, restDb } = hearTone(fromHz, toHz, share * bandHz);
      expect(Math.abs(toneDb), `${share * bandHz} Hz`).toBeLessThan(share < 0.85 ? 0.1 : 1);
      expect(restDb, `beside ${share * bandHz} Hz`).toBeLessThan(-60);
    }
    for (const share of [0.9, 0.94, 0.97, 0.99]) {
      expect(hearTone(fromHz, toHz, share * bandHz).restDb, `${share * bandHz} Hz`).toBeLessThan(-60);
    }
  });

  it.each(MAIN_PAIRS.filter(([fromHz, toHz]) => fromHz > toHz))(
    'from %i to %i Hz do not come back as others where they do not fit',
    (fromHz, toHz) => {
      for (const share of [1.001, 1.02, 1.1, 1.3, 1.7, 1.99]) {
        const hz = Math.min(share * (toHz / 2), 0.499 * fromHz);
        expect(hearTone(fromHz, toHz, hz).restDb, `${hz} Hz`).toBeLessThan(-60);
      }
    },
  );
});

describe('the weights of a pair', () => {
  it.each(ALL_PAIRS)('are as loud in every phase, 24 at least, from %i to %i Hz', (fromHz, toHz) => {
    const { phases, taps, weights, weightBits } = filterBank(fromHz, toHz);
    expect(taps).toBeGreaterThanOrEqual(24);
    for (let phase = 0; phase < phases; phase++) {
      const row = weights.subarray(phase * taps, (phase + 1) * taps);
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBe(2 ** weightBits);
    }
  });
});

/** The same, with numbers that are exact whatever is added up, one output after the other. */
function plainly(sound: Int16Array, fromHz: number, toHz: number): Int16Array {
  const { phases, step, taps, weights, weightBits } = filterBank(fromHz, toHz);
  return Int16Array.from({ length: Math.ceil((sound.length * phases) / step) }, (_, index) => {
    const newest = Math.floor((index * step) / phases);
    const phase = (index * step) % phases;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      sum += weights[phase * taps + tap]! * (sound[newest - taps + 1 + tap] ?? 0);
    }
    return Math.max(-32_768, Math.min(32_767, Math.floor(sum / 2 ** weightBits + 0.5)));
  });
}

function inChunks(sound: Int16Array, fromHz: number, toHz: number, lengths: readonly number[]): Int16Array {
  const resampler = openResampler(fromHz, toHz);
  const out = new Int16Array(Math.ceil((sound.length * toHz) / fromHz) + 1);
  let [at, made] = [0, 0];
  for (let turn = 0; at < sound.length; turn++) {
    const chunk = sound.slice(at, at + lengths[turn % lengths.length]!);
    const target = new Int16Array(Math.ceil((chunk.length * toHz) / fromHz) + 1);
    const samples = resampler.resampleInto(chunk, chunk.length, target);
    out.set(target.subarray(0, samples), made);
    made += samples;
    at += chunk.length;
  }
  return out.slice(0, made);
}

function pairsOf(ratesHz: readonly number[]): (readonly [number, number])[] {
  return ratesHz
    .flatMap((fromHz) => ratesHz.map((toHz) => [fromHz, toHz] as const))
    .filter(([a, b]) => a !== b);
}
