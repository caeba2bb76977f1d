/** Sounds that concealment and stretching are tried on, made here: a tone, a voice-like and a noisy one. */

export const RATES_HZ = [8000, 16_000, 24_000, 48_000];

export function sine(
  sampleRateHz: number,
  frequencyHz: number,
  samples: number,
  amplitude = 8000,
): Int16Array {
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  return Int16Array.from({ length: samples }, (_, i) => Math.round(amplitude * Math.sin(step * i)));
}

/** Harmonics of a pitch up to 3 kHz, loudest around 500 Hz, as a vowel has them. */
export function vowel(sampleRateHz: number, pitchHz: number, samples: number, amplitude = 8000): Int16Array {
  const sum = new Float64Array(samples);
  let peak = 0;
  for (let number = 1; number * pitchHz < 3000; number++) {
    const weight = 1 / (1 + ((number * pitchHz - 500) / 300) ** 2);
    const step = (2 * Math.PI * number * pitchHz) / sampleRateHz;
    for (let i = 0; i < samples; i++) sum[i]! += weight * Math.sin(step * i + number * number);
  }
  for (const value of sum) peak = Math.max(peak, Math.abs(value));
  return Int16Array.from(sum, (value) => Math.round((amplitude * value) / peak));
}

/** White noise, the same again for the same seed. */
export function noise(samples: number, amplitude: number, seed = 1): Int16Array {
  let state = seed;
  return Int16Array.from({ length: samples }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.round((state / 2 ** 31) * amplitude);
  });
}

export function rms(sound: Int16Array, from = 0, to = sound.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += sound[i]! ** 2;
  return Math.sqrt(sum / (to - from));
}

/** The largest step from one sample to the next: a click is one that the sound itself does not have. */
export function stepMax(sound: Int16Array, from = 1, to = sound.length): number {
  let largest = 0;
  for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(sound[i]! - sound[i - 1]!));
  return largest;
}

/** Pitch by the best correlation of the whole sound with itself, finer than a sample by a parabola. */
export function pitchHzOf(sound: Int16Array, sampleRateHz: number, nearHz: number): number {
  const likenessAt = (lag: number): number => {
    let product = 0;
    let own = 0;
    let past = 0;
    for (let i = lag; i < sound.length; i++) {
      product += sound[i]! * sound[i - lag]!;
      own += sound[i]! ** 2;
      past += sound[i - lag]! ** 2;
    }
    return product / Math.sqrt(own * past);
  };
  let best = Math.round(sampleRateHz / nearHz);
  for (let lag = Math.floor((0.9 * sampleRateHz) / nearHz); lag <= (1.1 * sampleRateHz) / nearHz; lag++) {
    if (likenessAt(lag) > likenessAt(best)) best = lag;
  }
  const [before, at, after] = [likenessAt(best - 1), likenessAt(best), likenessAt(best + 1)];
  return sampleRateHz / (best + (before - after) / (2 * (before - 2 * at + after)));
}
