import { limit, saturate } from './fixed-point.ts';
import { Predictor } from './predictor.ts';
import { Scale } from './scale.ts';

// Decision levels of the 60-level quantiser, table 6 (Q6), times eight.
const LEVELS = Int32Array.of(
  0,
  35,
  72,
  110,
  150,
  190,
  233,
  276,
  323,
  370,
  422,
  473,
  530,
  587,
  650,
  714,
  786,
  858,
  940,
  1023,
  1121,
  1219,
  1339,
  1458,
  1612,
  1765,
  1980,
  2195,
  2557,
  2919,
).map((level) => 8 * level);

// Output levels, tables 7 and 9: by the interval counted from zero, for 4 bits (which adapt) and 6 (heard).
const OUTPUT_4_BITS = [0, 150, 323, 530, 786, 1121, 1612, 2557];
const OUTPUT_6_BITS = [
  17, 54, 91, 130, 170, 211, 254, 300, 347, 396, 447, 501, 558, 618, 682, 750, 822, 899, 982, 1072, 1170,
  1279, 1399, 1535, 1689, 1873, 2088, 2376, 2738, 3101,
];
// Multipliers of the logarithmic step, table 13 (WL), by the interval of 4 bits.
const MULTIPLIERS = [-60, -30, 58, 172, 334, 538, 1198, 3042];

// Table 8: the intervals 1 and 2 of negative samples have the codes 63 and 62, of positive ones 61 and 60;
// then they count down, negative ones from 31 to 4, positive ones from 59 to 32. 0 to 3 are never sent.
const NEGATIVE_CODES = codesFrom(63, 31);
const POSITIVE_CODES = codesFrom(61, 59);

const HEARD = heardLevels();
const ADAPTING = adaptingLevels();
const MULTIPLIER_OF = Int32Array.from({ length: 16 }, (_, code) => MULTIPLIERS[coarseInterval(code)]!);

/** The lower sub-band of G.722 at 64 kbit/s: 0 to 4 kHz in 6 bits a sample. One direction each. */
export class LowerBand {
  readonly #predictor = new Predictor();
  readonly #scale = new Scale({ logarithmMax: 18_432, shift: 8 });

  encode(sample: number): number {
    const code = this.#quantise(saturate(sample - this.#predictor.estimate));
    this.#adapt(code);
    return code;
  }

  decode(code: number): number {
    const sample = limit(this.#predictor.estimate + ((this.#scale.step * HEARD[code]!) >> 15));
    this.#adapt(code);
    return sample;
  }

  // The two lowest bits may be stolen for data: what adapts hears four bits only (§1.4.4).
  #adapt(code: number): void {
    const coarse = code >> 2;
    this.#predictor.adapt((this.#scale.step * ADAPTING[coarse]!) >> 15);
    this.#scale.adapt(MULTIPLIER_OF[coarse]!);
  }

  // Levels rise, so the one that holds is found by halving: five products instead of up to thirty.
  #quantise(difference: number): number {
    const isNegative = difference < 0;
    const magnitude = isNegative ? ~difference : difference;
    const step = this.#scale.step;
    let interval = 0;
    let beyond = LEVELS.length;
    while (beyond - interval > 1) {
      const middle = (interval + beyond) >> 1;
      if (magnitude >= (LEVELS[middle]! * step) >> 15) interval = middle;
      else beyond = middle;
    }
    return (isNegative ? NEGATIVE_CODES : POSITIVE_CODES)[interval]!;
  }
}

function codesFrom(first: number, third: number): Uint8Array {
  return Uint8Array.from({ length: LEVELS.length }, (_, i) => (i < 2 ? first - i : third + 2 - i));
}

function heardLevels(): Int32Array {
  // The codes nobody sends sound like the smallest negative ones.
  const heard = new Int32Array(64).fill(-8 * OUTPUT_6_BITS[0]!);
  for (let i = 0; i < OUTPUT_6_BITS.length; i++) {
    heard[NEGATIVE_CODES[i]!] = -8 * OUTPUT_6_BITS[i]!;
    heard[POSITIVE_CODES[i]!] = 8 * OUTPUT_6_BITS[i]!;
  }
  return heard;
}

// Table 10: 4-bit codes 1 to 7 are negative, 8 to 14 positive; 0 and 15 are the interval around zero.
function coarseInterval(code: number): number {
  if (code === 0) return 0;
  return code < 8 ? 8 - code : 15 - code;
}

function adaptingLevels(): Int32Array {
  return Int32Array.from({ length: 16 }, (_, code) => {
    const level = 8 * OUTPUT_4_BITS[coarseInterval(code)]!;
    return code < 8 ? -level : level;
  });
}
