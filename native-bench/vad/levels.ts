export const FULL_SCALE = 32_768;

/** Root mean square of samples in which ±1 is full scale. */
export function rmsOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return Math.sqrt(sum / Math.max(1, samples.length));
}

/** Scales in place until the root mean square is 1. */
export function toUnitRms(samples: Float32Array): Float32Array {
  return scale(samples, 1 / (rmsOf(samples) || 1));
}

/** Multiplies in place. */
export function scale(samples: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < samples.length; i++) samples[i] = samples[i]! * factor;
  return samples;
}

/** A ratio of amplitudes from decibels. */
export function ratioOf(db: number): number {
  return 10 ** (db / 20);
}

/** Mean power of each whole hop. */
export function hopPowers(samples: Float32Array, hopSamples: number): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / hopSamples) }, (_, hop) => {
    let sum = 0;
    for (let i = hop * hopSamples; i < (hop + 1) * hopSamples; i++) sum += samples[i]! * samples[i]!;
    return sum / hopSamples;
  });
}

/** Whole samples of 16 bits, saturating. */
export function toPcm(samples: Float32Array): Int16Array {
  return Int16Array.from(samples, (sample) =>
    Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sample * FULL_SCALE))),
  );
}
