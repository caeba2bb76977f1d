import { HEARD_HZ } from '../telephone-hops.ts';
import { HIGH_HZ, LOW_HZ } from './keypad.ts';

/** The bank hears hops of this length. */
export const HOP_MS = 5;
/** And looks back over this much sound. */
export const SPAN_MS = 4 * HOP_MS;
const HOP = (HOP_MS * HEARD_HZ) / 1000;
const WINDOW = 2 * HOP;
const TONES = [...LOW_HZ, ...HIGH_HZ];
const GROUP = LOW_HZ.length;
/** Sum of the window of 10 ms; three of them, weighted ½, 1, ½, make the bell of 20 ms. */
const WINDOW_SUM = WINDOW / 2;
const BELL_SUM = 2 * WINDOW_SUM;
/** A low tone below this share of the power belongs to no key: the high ones need not be looked at. */
const LOW_SHARE_MIN = 0.03;

/** Windows and powers of two hops before are kept. */
const QUIET_HOPS = 5;

const HANN = Float64Array.from(
  { length: WINDOW },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / WINDOW),
);
const angles = TONES.map((hz) => (2 * Math.PI * hz) / HEARD_HZ);
const COS = Float64Array.from(angles, Math.cos);
const SIN = Float64Array.from(angles, Math.sin);
/** How far a tone turns in one hop. */
const TURN_COS = Float64Array.from(angles, (angle) => Math.cos(angle * HOP));
const TURN_SIN = Float64Array.from(angles, (angle) => Math.sin(angle * HOP));

/**
 * The eight tones of a keypad under a bell of 20 ms that moves on by 5 ms. Goertzel filters run over
 * Hann windows of
 * 10 ms, so that the other group's tone stays out; three neighbours are added with their phases.
 */
export class DtmfBank {
  /** Power of each tone, rows before columns: A²/2 for a steady sine of amplitude A. */
  readonly power = new Float64Array(TONES.length);
  /** The same one and two hops before. */
  readonly powerBefore = new Float64Array(TONES.length);
  readonly powerBeforeThat = new Float64Array(TONES.length);
  /** How each tone turned since the hop before beyond what its frequency says, weighted by its power. */
  readonly driftRe = new Float64Array(TONES.length);
  readonly driftIm = new Float64Array(TONES.length);
  /** Mean square of everything under the bell. */
  totalPower = 0;
  readonly #levelMin: number;
  readonly #recent = new Float64Array(WINDOW);
  readonly #shaped = new Float64Array(WINDOW);
  /** What the filters said of this window and of the two before it. */
  readonly #re = new Float64Array(TONES.length);
  readonly #im = new Float64Array(TONES.length);
  readonly #re1 = new Float64Array(TONES.length);
  readonly #im1 = new Float64Array(TONES.length);
  readonly #re2 = new Float64Array(TONES.length);
  readonly #im2 = new Float64Array(TONES.length);
  readonly #bellRe = new Float64Array(TONES.length);
  readonly #bellIm = new Float64Array(TONES.length);
  /** Of this window, and of the two before it. */
  #energy = 0;
  #energyBefore = 0;
  #energyBeforeThat = 0;
  #quietHops = 0;

  /** Windows below a mean square of `powerMin` count as silence. */
  constructor(powerMin: number) {
    this.#levelMin = powerMin * WINDOW_SUM;
  }

  hear(hop: Float32Array): void {
    this.#shape(hop);
    const energy = this.#energy;
    this.totalPower = (0.5 * energy + this.#energyBefore + 0.5 * this.#energyBeforeThat) / BELL_SUM;
    this.#energyBeforeThat = this.#energyBefore;
    this.#energyBefore = energy;
    if (energy < this.#levelMin) {
      this.#restFrom(0);
      this.#quietHops++;
    } else {
      this.#filter(0);
      if (this.#hasLow()) this.#filter(GROUP);
      else this.#restFrom(GROUP);
      this.#quietHops = 0;
    }
    // After that much silence every number below is 0 already.
    if (this.#quietHops <= QUIET_HOPS) this.#ring();
  }

  /** A gap: what was heard before it is not continued. */
  forget(): void {
    this.#recent.fill(0);
    this.#energyBefore = 0;
    this.#energyBeforeThat = 0;
    this.#restFrom(0);
    for (let hop = 0; hop < QUIET_HOPS; hop++) this.#ring();
  }

  #shape(hop: Float32Array): void {
    const recent = this.#recent;
    const shaped = this.#shaped;
    let energy = 0;
    for (let i = 0; i < HOP; i++) {
      const past = recent[HOP + i]!;
      const now = hop[i]!;
      const early = past * HANN[i]!;
      const late = now * HANN[HOP + i]!;
      shaped[i] = early;
      shaped[HOP + i] = late;
      energy += early * past + late * now;
      recent[HOP + i] = now;
    }
    this.#energy = energy;
  }

  /** Four Goertzel filters side by side: one alone would wait for its own last sample. */
  #filter(first: number): void {
    const shaped = this.#shaped;
    const a = 2 * COS[first]!;
    const b = 2 * COS[first + 1]!;
    const c = 2 * COS[first + 2]!;
    const d = 2 * COS[first + 3]!;
    let a1 = 0;
    let a2 = 0;
    let b1 = 0;
    let b2 = 0;
    let c1 = 0;
    let c2 = 0;
    let d1 = 0;
    let d2 = 0;
    for (let i = 0; i < WINDOW; i++) {
      const sample = shaped[i]!;
      const a0 = a * a1 + (sample - a2);
      const b0 = b * b1 + (sample - b2);
      const c0 = c * c1 + (sample - c2);
      const d0 = d * d1 + (sample - d2);
      a2 = a1;
      b2 = b1;
      c2 = c1;
      d2 = d1;
      a1 = a0;
      b1 = b0;
      c1 = c0;
      d1 = d0;
    }
    this.#note(first, a1, a2);
    this.#note(first + 1, b1, b2);
    this.#note(first + 2, c1, c2);
    this.#note(first + 3, d1, d2);
  }

  #note(tone: number, last: number, before: number): void {
    this.#re[tone] = last - before * COS[tone]!;
    this.#im[tone] = before * SIN[tone]!;
  }

  #restFrom(first: number): void {
    for (let tone = first; tone < TONES.length; tone++) {
      this.#re[tone] = 0;
      this.#im[tone] = 0;
    }
  }

  #hasLow(): boolean {
    let most = 0;
    for (let tone = 0; tone < GROUP; tone++) {
      most = Math.max(most, this.#re[tone]! ** 2 + this.#im[tone]! ** 2);
    }
    return (2 * most) / WINDOW_SUM >= LOW_SHARE_MIN * this.#energy;
  }

  /** The bell: each older window is turned to where its tone would be by now. */
  #ring(): void {
    for (let tone = 0; tone < TONES.length; tone++) {
      const cos = TURN_COS[tone]!;
      const sin = TURN_SIN[tone]!;
      const oldRe = this.#re1[tone]! + 0.5 * (this.#re2[tone]! * cos - this.#im2[tone]! * sin);
      const oldIm = this.#im1[tone]! + 0.5 * (this.#re2[tone]! * sin + this.#im2[tone]! * cos);
      const re = 0.5 * this.#re[tone]! + (oldRe * cos - oldIm * sin);
      const im = 0.5 * this.#im[tone]! + (oldRe * sin + oldIm * cos);
      const lastRe = this.#bellRe[tone]! * cos - this.#bellIm[tone]! * sin;
      const lastIm = this.#bellRe[tone]! * sin + this.#bellIm[tone]! * cos;
      this.driftRe[tone] = re * lastRe + im * lastIm;
      this.driftIm[tone] = im * lastRe - re * lastIm;
      this.#bellRe[tone] = re;
      this.#bellIm[tone] = im;
      this.#re2[tone] = this.#re1[tone]!;
      this.#im2[tone] = this.#im1[tone]!;
      this.#re1[tone] = this.#re[tone]!;
      this.#im1[tone] = this.#im[tone]!;
      this.powerBeforeThat[tone] = this.powerBefore[tone]!;
      this.powerBefore[tone] = this.power[tone]!;
      this.power[tone] = (2 * (re * re + im * im)) / BELL_SUM ** 2;
    }
  }
}

/** Share of its power that the bell leaves of a tone that is off by so much. */
export function bellShare(offHz: number): number {
  const comb = Math.cos(Math.PI * offHz * (HOP_MS / 1000)) ** 2;
  const x = offHz * ((2 * HOP_MS) / 1000);
  const sinc = Math.abs(x) < 1e-6 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  return (comb * (sinc / (1 - x * x))) ** 2;
}
