/** How a pair of rates is resampled: for each phase between two samples, the weights of those around it. */
export interface FilterBank {
  readonly fromHz: number;
  readonly toHz: number;
  /** Output sample n lies `n * step / phases` source samples behind the first. */
  readonly phases: number;
  readonly step: number;
  /** Source samples that one output sample is made of; a multiple of 16, as the kernel takes them. */
  readonly taps: number;
  /** Weights are whole numbers of 2^-weightBits. */
  readonly weightBits: number;
  /** `taps` weights for each phase, for the oldest sample first. */
  readonly weights: Int16Array;
}

// Of the band both rates have. Narrowband telephony ends at 3.4 kHz, and what lies between 3.6 and 4 kHz must
// not come out at 8 kHz: that slope takes long filters. Other slopes may end where the band does, and pass
// 7 kHz of 16, as G.722 does. Spans are counted in samples of the lower rate.
const NARROWBAND = { rateHz: 8000, stopRatio: 0.9, spanSamples: 118 };
const WIDER = { stopRatio: 1, spanSamples: 48 };
const ATTENUATION_DB = 64;
const KAISER_BETA = 0.1102 * (ATTENUATION_DB - 8.7);
const TAPS_AT_ONCE = 16;
const LANES = 8;
const WEIGHT_MAX = 32_767;
const WEIGHT_BITS_MAX = 20;
const SAMPLE_MAX = 32_768;
/** What a 32-bit lane of the kernel holds. */
const LANE_MAX = 2 ** 31 - 1;

/** Designs the bank of a pair: a sinc under Kaiser's window, with his formulas for length and slope. */
export function designFilterBank(fromHz: number, toHz: number): FilterBank {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const [phases, step] = [toHz / divisor, fromHz / divisor];
  const { stopRatio, spanSamples } = toHz === NARROWBAND.rateHz ? NARROWBAND : WIDER;
  const band = Math.min(1, toHz / fromHz);
  const taps = TAPS_AT_ONCE * Math.ceil(spanSamples / band / TAPS_AT_ONCE);
  const halfSlope = (ATTENUATION_DB - 7.95) / (14.36 * taps * band);
  const cutoff = (stopRatio - halfSlope) * band;
  const exact = Array.from({ length: phases }, () => new Float64Array(taps));
  for (const [phase, row] of exact.entries()) weigh(row, phase / phases, cutoff);
  const weightBits = bitsFor(exact);
  const weights = new Int16Array(phases * taps);
  for (const [phase, row] of exact.entries()) {
    roundInto(weights.subarray(phase * taps, (phase + 1) * taps), row, weightBits);
  }
  return { fromHz, toHz, phases, step, taps, weightBits, weights };
}

// All pairs are designed while a node starts, 390 000 weights: what is done for each is done in loops.

/** The place `offset` behind the sample in the middle, told by the samples around it; they sum to 1. */
function weigh(row: Float64Array, offset: number, cutoff: number): void {
  const half = row.length / 2;
  let sum = 0;
  for (let tap = 0; tap < row.length; tap++) {
    const distance = half - 1 - tap + offset;
    const weight = sinc(distance * cutoff) * kaiser(distance / half);
    row[tap] = weight;
    sum += weight;
  }
  for (let tap = 0; tap < row.length; tap++) row[tap]! /= sum;
}

/** The finest weights that fit their 16 bits and let no lane of the kernel run over, whatever comes in. */
function bitsFor(rows: readonly Float64Array[]): number {
  let largest = 0;
  let fullest = 0;
  const lanes = new Float64Array(LANES);
  for (const row of rows) {
    lanes.fill(0);
    for (let tap = 0; tap < row.length; tap++) {
      const weight = Math.abs(row[tap]!);
      if (weight > largest) largest = weight;
      lanes[laneOf(tap)]! += weight;
    }
    fullest = Math.max(fullest, ...lanes);
  }
  let bits = WEIGHT_BITS_MAX;
  while (largest * 2 ** bits > WEIGHT_MAX - LANES || fullest * 2 ** bits * SAMPLE_MAX > 0.99 * LANE_MAX)
    bits--;
  return bits;
}

/** The kernel adds neighbours in pairs, four pairs to an accumulator, two accumulators. */
function laneOf(tap: number): number {
  return (tap % TAPS_AT_ONCE) >> 1;
}

/** Whole weights that sum to exactly 1: a phase that is louder than the next would be heard as a tone. */
function roundInto(weights: Int16Array, row: Float64Array, bits: number): void {
  const scale = 2 ** bits;
  let owed = scale;
  for (let tap = 0; tap < row.length; tap++) {
    const weight = Math.round(row[tap]! * scale);
    weights[tap] = weight;
    owed -= weight;
  }
  const sign = Math.sign(owed);
  for (; owed !== 0; owed -= sign) weights[furthestOff(row, weights, sign * scale)]! += sign;
}

/** The weight that was rounded furthest the other way: one step more takes least from it. */
function furthestOff(row: Float64Array, weights: Int16Array, signedScale: number): number {
  let furthest = 0;
  let furthestError = -Infinity;
  for (let tap = 0; tap < row.length; tap++) {
    const error = signedScale * row[tap]! - Math.sign(signedScale) * weights[tap]!;
    if (error <= furthestError) continue;
    furthest = tap;
    furthestError = error;
  }
  return furthest;
}

/** Kaiser's window over -1 to 1. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : bessel0(KAISER_BETA * Math.sqrt(1 - x * x));
}

/** The modified Bessel function of order 0, by its power series. */
function bessel0(x: number): number {
  const quarter = (x * x) / 4;
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-12 * sum; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
