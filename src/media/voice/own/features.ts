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
const KEY_TONES = [10, 16, 18, 27] as const;
/** Share of the power that the two tones of a key have between them; a voice has its own pitch beside. */
const KEY_SHARE_MIN = 0.98;
/** Octaves of power above the floor that count. */
const ABOVE_MAX = 12;
/** Levels whose floors are tracked: of each band, of the whole, and above the telephone band. */
const WHOLE = BANDS;
const HIGH = BANDS + 1;
const LEVELS = BANDS + 2;

/** A hop speaks for a wide line where it has about as much above the telephone band as in the top of it. */
const WIDE_BELOW_TOP = 1.5;
/** Softer than this, 6 dB above silence in octaves of power, a hop says nothing of its line. */
const TELLING_MIN = Math.log2(SILENCE) + 2;
/** What a hop that speaks for a wide line outweighs: of telephones one in a hundred does. */
const FOR_WIDE = 50;
const WIDE_AT = 3 * FOR_WIDE;
/** A telephone on a line that was wide is known as one after 2.5 s of sound. */
const WIDE_MAX = WIDE_AT + 250;

/** Where what is measured of a hop waits to be averaged: a returned fraction would be on the heap. */
const RAW = {
  above: 0,
  periodicity: 1,
  flux: 2,
  peakShare: 3,
  lagStep: 4,
  hold: 5,
  high: 6,
  depth: 7,
  quiet: 8,
  spread: 9,
  top: 10,
} as const;
/** Running means: of what, and the share of the new hop. First syllables (50 ms), then music (2.5 s). */
const MEANS = [
  [RAW.high, 0.25],
  [RAW.periodicity, 0.2],
  [RAW.flux, 0.15],
  [RAW.peakShare, 0.15],
  [RAW.lagStep, 0.15],
  [RAW.hold, 0.15],
  [RAW.above, 0.03],
  [RAW.above, 0.006],
  [RAW.periodicity, 0.006],
  [RAW.flux, 0.006],
  [RAW.peakShare, 0.006],
  [RAW.lagStep, 0.006],
  [RAW.hold, 0.006],
  [RAW.depth, 0.006],
  [RAW.quiet, 0.004],
] as const;
const MEAN_SOURCES = Uint8Array.from(MEANS, ([source]) => source);
const MEAN_SHARES = Float32Array.from(MEANS, ([, share]) => share);
/** The mean whose distance to the level is the depth of its swing. */
const DEPTH_AFTER = 6;

const SCALARS = 11 + MEANS.length;
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
  readonly #raw = new Float32Array(11);
  #peakBin = 0;
  #lag = 0;
  #wideness = 0;

  constructor(sampleRateHz: number) {
    this.#half = sampleRateHz === HEARD_HZ ? undefined : new HalfBand(2 * HOP_SAMPLES);
  }

  /** Whether the line carries more than the telephone band. One of 16 kHz may well carry no more. */
  get isWide(): boolean {
    return this.#wideness >= WIDE_AT;
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
    if (levels[HIGH] > TELLING_MIN) this.#weigh(levels[HIGH] - levels[BANDS - 1]!);
  }

  #weigh(aboveTop: number): void {
    const isFor = aboveTop > -WIDE_BELOW_TOP;
    this.#wideness = isFor ? Math.min(WIDE_MAX, this.#wideness + FOR_WIDE) : Math.max(0, this.#wideness - 1);
  }

  /** Per band: how far above its floor, the short mean of that, and how its level lies against the whole. */
  #fillBands(): void {
    const { values } = this;
    const levels = this.#levels;
    for (let b = 0; b < BANDS; b++) {
      const above = Math.min(ABOVE_MAX, levels[b]! - this.#floor.floors[b]!);
      values[b] = above;
      values[BANDS + b] = values[BANDS + b]! + 0.25 * (above - values[BANDS + b]!);
      values[2 * BANDS + b] = levels[b]! - levels[WHOLE]!;
    }
  }

  #fillScalars(): void {
    const { values } = this;
    const raw = this.#raw;
    const level = this.#levels[WHOLE]!;
    const { periodicity, lag } = this.#pitch;
    const lastPeak = this.#peakBin;
    this.#measurePeak();
    this.#measureShape();
    raw[RAW.above] = this.#levels[WHOLE]! - this.#floor.floors[WHOLE]!;
    if (raw[RAW.above]! > ABOVE_MAX) raw[RAW.above] = ABOVE_MAX;
    raw[RAW.high] = this.#levels[HIGH]! - this.#floor.floors[HIGH]!;
    if (raw[RAW.high]! > ABOVE_MAX) raw[RAW.high] = ABOVE_MAX;
    raw[RAW.periodicity] = periodicity;
    raw[RAW.lagStep] = Math.min(4, Math.abs(lag - this.#lag));
    raw[RAW.hold] = lastPeak === this.#peakBin ? 1 : 0;
    raw[RAW.quiet] = raw[RAW.above]! < 1.5 ? 1 : 0;
    this.#lag = lag;
    // A voice is loud against the loudest of the last seconds; talk far behind it is not.
    raw[RAW.top] = Math.max(level, raw[RAW.top]! - 0.01);
    const at = 3 * BANDS;
    values[at] = raw[RAW.above]!;
    values[at + 1] = level - raw[RAW.top]!;
    values[at + 2] = raw[RAW.top]! - this.#floor.floors[WHOLE]!;
    values[at + 3] = periodicity;
    values[at + 4] = raw[RAW.lagStep]!;
    values[at + 5] = 10 / lag;
    values[at + 6] = raw[RAW.peakShare]!;
    values[at + 7] = raw[RAW.flux]!;
    values[at + 8] = level - this.#before[WHOLE]!;
    values[at + 9] = raw[RAW.spread]!;
    values[at + 10] = raw[RAW.high]!;
    this.#fillMeans();
  }

  #fillMeans(): void {
    const { values } = this;
    const raw = this.#raw;
    const first = FEATURES - MEANS.length;
    for (let m = 0; m < MEANS.length; m++) {
      const before = values[first + m]!;
      values[first + m] = before + MEAN_SHARES[m]! * (raw[MEAN_SOURCES[m]!]! - before);
      // How far the level swings about its own short mean, which has just been told.
      if (m === DEPTH_AFTER) raw[RAW.depth] = Math.abs(raw[RAW.above]! - values[first + m]!);
    }
  }

  /** Share of the power that lies in the three bins around the strongest: near 1 for a tone. */
  #measurePeak(): void {
    const power = this.#power;
    const last = EDGES[BANDS]!;
    let peak = 2;
    let sum = SILENCE;
    for (let bin = 2; bin < last; bin++) {
      sum += power[bin]!;
      if (power[bin]! > power[peak]!) peak = bin;
    }
    this.#peakBin = peak;
    this.#raw[RAW.peakShare] = (power[peak - 1]! + power[peak]! + power[peak + 1]!) / sum;
    let keys = 0;
    for (let tone = 0; tone < KEY_TONES.length; tone += 2) {
      let top = KEY_TONES[tone]!;
      for (let bin = top; bin <= KEY_TONES[tone + 1]!; bin++) if (power[bin]! > power[top]!) top = bin;
      // The window spreads a tone over two bins to each side.
      keys += power[top - 2]! + power[top - 1]! + power[top]! + power[top + 1]! + power[top + 2]!;
    }
    this.isKey = keys >= KEY_SHARE_MIN * sum;
  }

  /** How unevenly the bands are filled, 0 for a flat spectrum; and how much that moved, in octaves a band. */
  #measureShape(): void {
    const levels = this.#levels;
    let mean = 0;
    let moved = 0;
    for (let b = 0; b < BANDS; b++) {
      mean += levels[b]!;
      moved += Math.abs(levels[b]! - this.#before[b]!);
    }
    this.#raw[RAW.spread] = levels[WHOLE]! - mean / BANDS;
    this.#raw[RAW.flux] = moved / BANDS;
  }
}
