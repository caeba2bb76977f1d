/** The quietest level ever told: below the last bit of 16. Digital silence has no logarithm. */
export const LEVEL_FLOOR_DBFS = -96;

const FULL_SCALE = 32_768;

/** Mean of the squared samples, a whole number up to 2^30: unlike a level it is no heap number. */
export function meanSquare(samples: Int16Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i]!;
    sum += Math.imul(sample, sample);
  }
  return samples.length === 0 ? 0 : Math.round(sum / samples.length) | 0;
}

/** The mean square of a level: what a gate compares with, so that no frame needs a logarithm. */
export function meanSquareOf(levelDbfs: number): number {
  return Math.round(FULL_SCALE * FULL_SCALE * 10 ** (levelDbfs / 10));
}

/** Root-mean-square level; a full-scale square wave is 0 dBFS. */
export function rmsDbfs(samples: Int16Array): number {
  return dbfsOf(Math.sqrt(meanSquare(samples)));
}

function dbfsOf(amplitude: number): number {
  return amplitude === 0
    ? LEVEL_FLOOR_DBFS
    : Math.max(LEVEL_FLOOR_DBFS, 20 * Math.log10(amplitude / FULL_SCALE));
}
