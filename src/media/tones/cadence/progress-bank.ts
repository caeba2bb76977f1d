import { invariant } from '../../../base/errors.ts';
import { HEARD_HZ } from '../telephone-hops.ts';

/** Progress tones lie below 700 Hz: a quarter of the samples is enough to hear them. */
const FEWER = 4;
const LOW_HZ = HEARD_HZ / FEWER;
const HOP_MS = 20;
const HOP = (HOP_MS * HEARD_HZ) / 1000;
const LOW_HOP = HOP / FEWER;
const HOPS = 5;
const WINDOW = HOPS * LOW_HOP;
/** The bank tells of the middle of its window. */
export const PROGRESS_LAG_MS = (HOPS * HOP_MS) / 2;
const FREQUENCY_MAX_HZ = 900;

/** Low-pass of 48 taps under a Hamming window: flat to 640 Hz, and below −50 dB from 1200 Hz. */
const TAPS = 48;
const CUT_HZ = 925;
const SIDE = TAPS / 2;
/** Its right half; the left one mirrors it. */
const LOW_PASS = (() => {
  const taps = Float32Array.from({ length: SIDE }, (_, i) => {
    const t = i + 0.5;
    const sinc = Math.sin((2 * Math.PI * CUT_HZ * t) / HEARD_HZ) / (Math.PI * t);
    return sinc * (0.54 + 0.46 * Math.cos((Math.PI * t) / SIDE));
  });
  const sum = 2 * taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
})();

const HANN = Float32Array.from(
  { length: WINDOW },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW),
);
const HANN_SUM = WINDOW / 2;
/** What part of the window lies over each of its hops. */
const HOP_SHARES = Float64Array.from({ length: HOPS }, (_, hop) =>
  HANN.subarray(hop * LOW_HOP, (hop + 1) * LOW_HOP).reduce((sum, value) => sum + value / HANN_SUM, 0),
);

/** Who has measured the mean square of the hop already. */
export interface HopPower {
  readonly power: number;
}

/** How strong each frequency of the call progress tones is in the last 100 ms. */
export class ProgressBank {
  /** A²/2 of a steady sine of amplitude A at each frequency. */
  readonly power: Float64Array;
  /** Mean square of everything under the window, above 1 kHz too. */
  totalPower = 0;
  readonly #cosines: Float64Array;
  readonly #line = new Float32Array(TAPS - 1 + HOP);
  readonly #low = new Float32Array(WINDOW);
  readonly #shaped = new Float32Array(WINDOW);
  readonly #hopPowers = new Float64Array(HOPS);
  readonly #powerMin: number;

  /** Windows below a mean square of `powerMin` are not looked into. */
  constructor(frequenciesHz: readonly number[], powerMin: number) {
    const isFit = frequenciesHz.every((hz) => hz > 0 && hz <= FREQUENCY_MAX_HZ);
    invariant(isFit, `call progress tones lie below ${FREQUENCY_MAX_HZ} Hz`);
    this.power = new Float64Array(frequenciesHz.length);
    this.#cosines = Float64Array.from(frequenciesHz, (hz) => Math.cos((2 * Math.PI * hz) / LOW_HZ));
    this.#powerMin = powerMin;
  }

  /** One hop of 20 ms at 8 kHz. */
  hear(hop: Float32Array, { power: hopPower }: HopPower): void {
    this.#thinOut(hop);
    const powers = this.#hopPowers;
    powers.copyWithin(0, 1);
    powers[HOPS - 1] = hopPower;
    let total = 0;
    for (let i = 0; i < HOPS; i++) total += powers[i]! * HOP_SHARES[i]!;
    this.totalPower = total;
    if (total < this.#powerMin) {
      this.power.fill(0);
      return;
    }
    for (let i = 0; i < WINDOW; i++) this.#shaped[i] = this.#low[i]! * HANN[i]!;
    for (let tone = 0; tone < this.power.length; tone++) this.#filter(tone);
  }

  forget(): void {
    this.#line.fill(0);
    this.#low.fill(0);
    this.#hopPowers.fill(0);
    this.power.fill(0);
    this.totalPower = 0;
  }

  #thinOut(hop: Float32Array): void {
    const line = this.#line;
    const low = this.#low;
    line.copyWithin(0, HOP);
    line.set(hop, TAPS - 1);
    low.copyWithin(0, LOW_HOP);
    for (let i = 0; i < LOW_HOP; i++) {
      const middle = FEWER * i + SIDE;
      let sum = 0;
      for (let tap = 0; tap < SIDE; tap++) {
        sum += LOW_PASS[tap]! * (line[middle + tap]! + line[middle - 1 - tap]!);
      }
      low[WINDOW - LOW_HOP + i] = sum;
    }
  }

  /** Goertzel's filter. */
  #filter(tone: number): void {
    const shaped = this.#shaped;
    const twice = 2 * this.#cosines[tone]!;
    let last = 0;
    let before = 0;
    for (let i = 0; i < WINDOW; i++) {
      const now = twice * last + (shaped[i]! - before);
      before = last;
      last = now;
    }
    this.power[tone] = (2 * (last * last + before * before - twice * last * before)) / HANN_SUM ** 2;
  }
}
