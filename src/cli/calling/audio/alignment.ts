/** How far an echo may be moved against what was said: codecs delay, and a line may begin with silence. */
const EARLIER_MS_MAX = 500;
const LATER_MS_MAX = 1_000;
/** Loudness is compared in blocks of this length first, and samples only around the best place. */
const BLOCK_MS = 5;
const FINE_MS = 10;
/** So much of both decides where they lie upon each other. */
const FINE_JUDGED_MS = 4_000;

/** The correlation (−1 … 1) of two sounds at the place where they fit each other best. */
export function alignedSimilarity(reference: Int16Array, heard: Int16Array, sampleRateHz: number): number {
  const block = (sampleRateHz * BLOCK_MS) / 1000;
  const coarse = bestLag(loudnessOf(reference, block), loudnessOf(heard, block), {
    from: -EARLIER_MS_MAX / BLOCK_MS,
    to: LATER_MS_MAX / BLOCK_MS,
  });
  const around = (sampleRateHz * FINE_MS) / 1000;
  const middle = coarse * block;
  const piece = (samples: Int16Array): Int16Array =>
    samples.subarray(0, (sampleRateHz * FINE_JUDGED_MS) / 1000);
  const fine = bestLag(piece(reference), piece(heard), { from: middle - around, to: middle + around });
  const scale = Math.sqrt(energyOf(reference) * energyOf(heard));
  return scale === 0 ? 0 : productAt(reference, heard, fine) / scale;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function bestLag(a: ArrayLike<number>, b: ArrayLike<number>, { from, to }: Range): number {
  let [best, bestLag] = [Number.NEGATIVE_INFINITY, 0];
  for (let lag = Math.round(from); lag <= to; lag++) {
    const product = productAt(a, b, lag);
    if (product > best) [best, bestLag] = [product, lag];
  }
  return bestLag;
}

/** The product of `a` and of `b` moved ahead by `lag`; whatever hangs over on either side counts as lost. */
function productAt(a: ArrayLike<number>, b: ArrayLike<number>, lag: number): number {
  let product = 0;
  const end = Math.min(a.length, b.length - lag);
  for (let i = Math.max(0, -lag); i < end; i++) product += a[i]! * b[i + lag]!;
  return product;
}

function energyOf(samples: ArrayLike<number>): number {
  let energy = 0;
  for (let i = 0; i < samples.length; i++) energy += samples[i]! ** 2;
  return energy;
}

/** Mean loudness of each block, without what all have in common, so that silence against sound counts. */
function loudnessOf(samples: Int16Array, block: number): Float64Array {
  const blocks = Float64Array.from({ length: Math.floor(samples.length / block) }, (_, index) => {
    let sum = 0;
    for (let i = index * block; i < (index + 1) * block; i++) sum += Math.abs(samples[i]!);
    return sum / block;
  });
  const mean = blocks.reduce((sum, loudness) => sum + loudness, 0) / Math.max(1, blocks.length);
  return blocks.map((loudness) => loudness - mean);
}
