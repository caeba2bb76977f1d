import { filterBank } from '../../src/media/resampler/resampler.ts';

/**
 * The same filters in plain JavaScript: 32-bit floats, four sums at once. It rounds as the house's own does,
 * and stands beside it in measurements only.
 */
export function plainResampler(
  fromHz: number,
  toHz: number,
): (source: Int16Array, target: Int16Array) => void {
  const { phases, step, taps, weightBits, weights } = filterBank(fromHz, toHz);
  const rows = Float32Array.from(weights, (weight) => weight / 2 ** weightBits);
  const history = new Float32Array(taps - 1 + fromHz / 50);
  return (source, target) => {
    for (let i = 0; i < source.length; i++) history[taps - 1 + i] = source[i]!;
    let [at, phase] = [0, 0];
    for (let output = 0; output < target.length; output++) {
      const row = phase * taps;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let tap = 0; tap < taps; tap += 4) {
        a += rows[row + tap]! * history[at + tap]!;
        b += rows[row + tap + 1]! * history[at + tap + 1]!;
        c += rows[row + tap + 2]! * history[at + tap + 2]!;
        d += rows[row + tap + 3]! * history[at + tap + 3]!;
      }
      target[output] = Math.max(-32_768, Math.min(32_767, Math.round(a + b + c + d)));
      phase += step;
      while (phase >= phases) {
        phase -= phases;
        at++;
      }
    }
    history.copyWithin(0, source.length);
  };
}
