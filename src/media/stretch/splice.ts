const SAMPLE_MAX = 32_767;
const SAMPLE_MIN = -32_768;

/** One passage of `source` fading into another of the same length. */
export interface Passages {
  outAt: number;
  inAt: number;
  samples: number;
}

/**
 * Fades from one passage of `source` into another, written to `target` from `targetAt` on. The power stays
 * even: sounds that are alike add up by their amplitudes, sounds that are not by their powers.
 */
export function spliceInto(
  source: Int16Array,
  passages: Passages,
  target: Int16Array,
  targetAt: number,
): void {
  const { outAt, inAt, samples } = passages;
  const likeness = likenessOf(source, passages);
  for (let i = 0; i < samples; i++) {
    const rising = (i + 1) / (samples + 1);
    const falling = 1 - rising;
    const power = rising * rising + falling * falling + 2 * likeness * rising * falling;
    const sum = (rising * source[inAt + i]! + falling * source[outAt + i]!) / Math.sqrt(power);
    target[targetAt + i] = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, Math.round(sum)));
  }
}

/** How alike two passages are, 0 to 1; what runs against one another counts as not alike. */
function likenessOf(source: Int16Array, { outAt, inAt, samples }: Passages): number {
  let product = 0;
  let outPower = 0;
  let inPower = 0;
  for (let i = 0; i < samples; i++) {
    const leaving = source[outAt + i]!;
    const coming = source[inAt + i]!;
    product += leaving * coming;
    outPower += leaving * leaving;
    inPower += coming * coming;
  }
  if (product <= 0) return 0;
  return product / Math.sqrt(outPower * inPower);
}
