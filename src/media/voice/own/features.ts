import { HalfBand } from './half-band.ts';
import { NoiseFloor } from './noise-floor.ts';
import { Pitch } from './pitch.ts';
import { powerInto, SPECTRUM_SAMPLES } from './spectrum.ts';

/** Everything is heard at 8 kHz: whatever the line, the same voice has the same features. */
export const HEARD_HZ = 8000;
const HOP_SAMPLES = HEARD_HZ / 100;
/** First bin of each band, and the one past the last: from 125 to 3750 Hz, wider with the pitch. */
const EDGES = [2, 4, 6, 8, 11, 14, 18, 23, 30, 40, 60];
const BANDS = EDGES.length - 1;
/** Power of a bin under noise of 4 steps of 16 bits: below it all is silence. */
const SILENCE = 4 * 4 * 48;
/** Bins of the low and of the high tone of a key (ITU-T Q.23: 697–941 and 1209–1633 Hz). */
const KEY_LOW = [10, 16] as const;
const KEY_HIGH = [18, 27] as const;
/** Share of the power that the two tones of a key have between them; a voice has its own pitch beside. */
const KEY_SHARE_MIN = 0.98;
/** Octaves of power above the floor that count. */
const ABOVE_MAX = 12;
/** Levels whose floors are tracked: of each band, of the whole, and above the telephone band. */
const WHOLE = BANDS;
const HIGH = BANDS + 1;
const LEVELS = BANDS + 2;

const SCALARS = 26;
/** Numbers that describe a hop. */
export const FEATURES = 3 * BANDS + SCALARS;

/** What is known of a hop: each band against its noise floor, how it rings, and what came before. */
export class Features {
  /** Valid until the next hop. */
  readonly values = new Float32Array(FEATURES);
  /** Whether the last hop is the tone of a key and nothing else. */
  isKey = false;
  readonly #half: HalfBand | undefined;
  readonly #hop = new Float32Array(HOP_SAMPLES);
  readonly #window = new Float32Array(SPECTRUM_SAMPLES);
  readonly #power = new Float32Array(SPECTRUM_SAMPLES / 2 + 1);
  readonly #levels = new Float32Array(LEVELS);
  readonly #before = new Float32Array(LEVELS);
  readonly #floor = new NoiseFloor(LEVELS);
  readonly #pitch = new Pitch(HOP_SAMPLES);
  /** Running means that the scalars are made of, of 50 ms to 2.5 s. */
  readonly #means = new Float32Array(16);
  #peakBin = 0;
  #topLevel = 0;
  #lag = 0;

  constructor(sampleRateHz: number) {
    this.#half = sampleRateHz === HEARD_HZ ? undefined : new HalfBand(2 * HOP_SAMPLES);
  }

  hear(samples: Int16Array): void {
    this.#take(samples);
    powerInto(this.#window, this.#power);
    this.#measureBands();
    this.#floor.hear(this.#levels);
    this.#pitch.hear(this.#hop);
    this.#fillBands();
    this.#fillScalars();
    this.#before.set(this.#levels);
  }

  #take(samples: Int16Array): void {
    const hop = this.#hop;
    if (this.#half === undefined) for (let i = 0; i < HOP_SAMPLES; i++) hop[i] = samples[i]!;
    else this.#half.halveInto(samples, hop);
    this.#window.copyWithin(0, HOP_SAMPLES);
    this.#window.set(hop, SPECTRUM_SAMPLES - HOP_SAMPLES);
  }

  #measureBands(): void {
    const power = this.#power;
    const levels = this.#levels;
    let total = 0;
    for (let b = 0; b < BANDS; b++) {
      const end = EDGES[b + 1]!;
      let sum = 0;
      for (let bin = EDGES[b]!; bin < end; bin++) sum += power[bin]!;
      total += sum;
      levels[b] = Math.log2(sum / (end - EDGES[b]!) + SILENCE);
    }
    levels[WHOLE] = Math.log2(total / (EDGES[BANDS]! - EDGES[0]!) + SILENCE);
    levels[HIGH] = this.#half === undefined ? 0 : Math.log2(48 * this.#half.highPower + SILENCE);
  }

  /** Per band: how far above its floor, the short mean of that, and how its level lies against the whole. */
  #fillBands(): void {
    const { values } = this;
    const levels = this.#levels;
    for (let b = 0; b < BANDS; b++) {
      const above = this.#above(b);
      values[b] = above;
      values[BANDS + b] = values[BANDS + b]! + 0.25 * (above - values[BANDS + b]!);
      values[2 * BANDS + b] = levels[b]! - levels[WHOLE]!;
    }
  }

  #fillScalars(): void {
    const { values } = this;
    const level = this.#levels[WHOLE]!;
    const above = this.#above(WHOLE);
    const high = this.#above(HIGH);
    const { periodicity, lag } = this.#pitch;
    const lagStep = Math.min(4, Math.abs(lag - this.#lag));
    this.#lag = lag;
    const lastPeak = this.#peakBin;
    const peakShare = this.#peakShare();
    const hold = lastPeak === this.#peakBin ? 1 : 0;
    const flux = this.#flux();
    // A voice is loud against the loudest of the last seconds; talk far behind it is not.
    this.#topLevel = Math.max(level, this.#topLevel - 0.01);
    let at = 3 * BANDS;
    values[at++] = above;
    values[at++] = level - this.#topLevel;
    values[at++] = this.#topLevel - this.#floor.floors[WHOLE]!;
    values[at++] = periodicity;
    values[at++] = lagStep;
    values[at++] = 10 / lag;
    values[at++] = peakShare;
    values[at++] = flux;
    values[at++] = level - this.#before[WHOLE]!;
    values[at++] = this.#spread();
    values[at++] = high;
    values[at++] = this.#mean(0, high, 0.25);
    // Short means: how this syllable sounds.
    values[at++] = this.#mean(1, periodicity, 0.2);
    values[at++] = this.#mean(2, flux, 0.15);
    values[at++] = this.#mean(3, peakShare, 0.15);
    values[at++] = this.#mean(4, lagStep, 0.15);
    values[at++] = this.#mean(5, hold, 0.15);
    values[at++] = this.#mean(6, above, 0.03);
    // Long means: music holds its notes and seldom pauses.
    values[at++] = this.#mean(7, above, 0.006);
    values[at++] = this.#mean(8, periodicity, 0.006);
    values[at++] = this.#mean(9, flux, 0.006);
    values[at++] = this.#mean(10, peakShare, 0.006);
    values[at++] = this.#mean(11, lagStep, 0.006);
    values[at++] = this.#mean(12, hold, 0.006);
    values[at++] = this.#mean(13, Math.abs(above - this.#means[6]!), 0.006);
    values[at++] = this.#mean(14, above < 1.5 ? 1 : 0, 0.004);
  }

  #above(index: number): number {
    return Math.min(ABOVE_MAX, this.#levels[index]! - this.#floor.floors[index]!);
  }

  #mean(index: number, value: number, share: number): number {
    const means = this.#means;
    return (means[index] = means[index]! + share * (value - means[index]!));
  }

  /** Share of the power that lies in the three bins around the strongest: near 1 for a tone. */
  #peakShare(): number {
    const power = this.#power;
    const last = EDGES[BANDS]!;
    let peak = 2;
    let sum = SILENCE;
    for (let bin = 2; bin < last; bin++) {
      sum += power[bin]!;
      if (power[bin]! > power[peak]!) peak = bin;
    }
    this.#peakBin = peak;
    this.isKey = this.#powerAround(KEY_LOW) + this.#powerAround(KEY_HIGH) >= KEY_SHARE_MIN * sum;
    return (power[peak - 1]! + power[peak]! + power[peak + 1]!) / sum;
  }

  /** Power of the strongest bin of a range and of two to each side: so wide the window makes a tone. */
  #powerAround([first, last]: readonly [number, number]): number {
    const power = this.#power;
    let peak = first;
    for (let bin = first; bin <= last; bin++) if (power[bin]! > power[peak]!) peak = bin;
    return power[peak - 2]! + power[peak - 1]! + power[peak]! + power[peak + 1]! + power[peak + 2]!;
  }

  /** How much the shape of the spectrum moved since the last hop, in octaves a band. */
  #flux(): number {
    let moved = 0;
    for (let b = 0; b < BANDS; b++) moved += Math.abs(this.#levels[b]! - this.#before[b]!);
    return moved / BANDS;
  }

  /** How unevenly the bands are filled: 0 for a flat spectrum. */
  #spread(): number {
    let mean = 0;
    for (let b = 0; b < BANDS; b++) mean += this.#levels[b]!;
    return this.#levels[WHOLE]! - mean / BANDS;
  }
}
