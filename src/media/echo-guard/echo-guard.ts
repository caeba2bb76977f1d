import { FRAME_MS, frameSamples } from '../../base/units.ts';
import { meanSquare, meanSquareOf } from '../voice/level.ts';
import { BAND_HZ, LowBand } from './low-band.ts';

/** What was played is looked for this far back: 400 ms of echo path, and what providers hold of it. */
const DELAY_MS_MAX = 480;
/** How much of the line is compared. Longer tells voices apart better, shorter tells sooner. */
const WINDOW_MS = 80;
/** Twice as fine as the band: an echo comes back between two samples, too. */
const GRID_HZ = 2 * BAND_HZ;
const STRIDE = GRID_HZ / BAND_HZ;
/** An echo is weaker than what was played by more than this: 20 dB on real lines, 8 of them in reserve. */
const RETURN_LOSS_DB = 12;
/** At least this share of the line's energy is what was played: else somebody is as loud as the echo. */
const EXPLAINED_RATIO_MIN = 0.5;
/** The two clocks are frames apart now and then; around each place the delay is looked for this far. */
const NEAR_GRID = 8;
/** Softer than this is neither voice nor echo: the gate of the voice detectors, too. */
const QUIET_DBFS = -50;
/** Nothing was played for so many frames of the line: from there on silence was. */
const STALL_FRAMES = 3;

const WINDOW = (WINDOW_MS * BAND_HZ) / 1000;
const LAGS = (DELAY_MS_MAX * GRID_HZ) / 1000;
const FRAME_GRID = (FRAME_MS * GRID_HZ) / 1000;
const LEVEL_FRAMES = (DELAY_MS_MAX + WINDOW_MS) / FRAME_MS;
const QUIET_LEVEL = meanSquareOf(QUIET_DBFS);
const NOWHERE = -1;
const LAGS_AT_ONCE = 4;
/** Far below one step of a 16-bit sample, squared, in a whole window. */
const NO_ENERGY = 1e-3;

/**
 * Tells a caller from the echo of what the caller is being played. Whoever is louder than any echo is a
 * caller; whoever is not is one where what was played in the last half second does not explain the line.
 * Made for one line; per frame it allocates nothing, and correlates only when it is asked.
 */
export class EchoGuard {
  readonly stats = { searches: 0 };
  readonly #playedBand: LowBand;
  readonly #heardBand: LowBand;
  readonly #played = new Float32Array(LAGS + STRIDE * WINDOW);
  readonly #heard = new Float32Array(WINDOW);
  readonly #silence: Int16Array;
  readonly #levels = new Float64Array(LEVEL_FRAMES);
  readonly #lossRatio = meanSquareOf(-RETURN_LOSS_DB) / meanSquareOf(0);
  #levelAt = 0;
  #heardLevel = 0;
  #stallFrames = 0;
  /** Where the echo was found last. */
  #lag = NOWHERE;
  #bestLag = NOWHERE;
  #bestRatio = 0;

  /** `sampleRateHz` is a whole multiple of 4 kHz. */
  constructor(sampleRateHz: number) {
    this.#playedBand = new LowBand(sampleRateHz, GRID_HZ);
    this.#heardBand = new LowBand(sampleRateHz, BAND_HZ);
    this.#silence = new Int16Array(frameSamples(sampleRateHz));
  }

  /** One frame went out on the line. */
  played(frame: Int16Array): void {
    this.#stallFrames = 0;
    this.#append(frame);
  }

  /** One frame came in on it, in order. */
  heard(frame: Int16Array): void {
    if (++this.#stallFrames > STALL_FRAMES) this.#append(this.#silence);
    this.#heardLevel = meanSquare(frame);
    this.#heardBand.appendInto(frame, this.#heard);
  }

  /** Whether the newest frame of the line is too soft to say anything of it: a voice's pauses are. */
  get isQuiet(): boolean {
    return this.#heardLevel < QUIET_LEVEL;
  }

  /** Whether a voice of this level is louder than any echo of what was played. */
  isLouder(levelDbfs: number): boolean {
    return meanSquareOf(levelDbfs) > this.#echoLevelMax();
  }

  /** Whether the last 80 ms of the line are what was played, come back. */
  isEcho(): boolean {
    const echoLevelMax = this.#echoLevelMax();
    if (echoLevelMax === 0 || this.#heardLevel > echoLevelMax) return false;
    const heardEnergy = energyOf(this.#heard);
    if (heardEnergy === 0) return true;
    this.#bestRatio = 0;
    if (this.#lag !== NOWHERE) {
      for (let frames = -1; frames <= 1; frames++) this.#lookAround(this.#lag + frames * FRAME_GRID);
    }
    if (this.#bestRatio < EXPLAINED_RATIO_MIN * heardEnergy) this.#search();
    const isExplained = this.#bestRatio >= EXPLAINED_RATIO_MIN * heardEnergy;
    if (isExplained) this.#lag = this.#bestLag;
    return isExplained;
  }

  #append(frame: Int16Array): void {
    this.#levels[this.#levelAt++ % LEVEL_FRAMES] = meanSquare(frame);
    this.#playedBand.appendInto(frame, this.#played);
  }

  #echoLevelMax(): number {
    let max = 0;
    for (let i = 0; i < LEVEL_FRAMES; i++) max = Math.max(max, this.#levels[i]!);
    return max * this.#lossRatio;
  }

  /**
   * Every delay. Half the grid would be too coarse: a quarter of a millisecond hides a sharp voice. Four
   * delays share each sample of the line, and the energy of one is that of the one before the last but for
   * two samples.
   */
  #search(): void {
    this.stats.searches++;
    const [played, heard] = [this.#played, this.#heard];
    let even = this.#energyAt(0);
    let odd = this.#energyAt(1);
    for (let lag = 0; lag <= LAGS - LAGS_AT_ONCE; lag += LAGS_AT_ONCE) {
      const first = LAGS - lag + STRIDE - 1;
      let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
      for (let i = 0, at = first; i < WINDOW; i++, at += STRIDE) {
        const sample = heard[i]!;
        sum0 += played[at]! * sample;
        sum1 += played[at - 1]! * sample;
        sum2 += played[at - 2]! * sample;
        sum3 += played[at - 3]! * sample;
      }
      this.#weigh(lag, sum0, even);
      this.#weigh(lag + 1, sum1, odd);
      even += this.#energyStep(first);
      odd += this.#energyStep(first - 1);
      this.#weigh(lag + 2, sum2, even);
      this.#weigh(lag + 3, sum3, odd);
      even += this.#energyStep(first - STRIDE);
      odd += this.#energyStep(first - STRIDE - 1);
    }
    this.#look(LAGS);
  }

  #energyAt(lag: number): number {
    const first = LAGS - lag + STRIDE - 1;
    let energy = 0;
    for (let i = 0; i < WINDOW; i++) energy += this.#played[first + STRIDE * i]! ** 2;
    return energy;
  }

  /** From the energy of the window that begins at `first` to that of the window one stride before it. */
  #energyStep(first: number): number {
    const enters = this.#played[first - STRIDE]!;
    const leaves = this.#played[first + STRIDE * (WINDOW - 1)]!;
    return enters * enters - leaves * leaves;
  }

  #lookAround(lag: number): void {
    for (let off = -NEAR_GRID; off <= NEAR_GRID; off++) this.#look(lag + off);
  }

  /** How much of the line's energy the sound played `lag` ago explains: (Σnr)² / Σr². */
  #look(lag: number): void {
    if (lag < 0 || lag > LAGS) return;
    const first = LAGS - lag + STRIDE - 1;
    const [played, heard] = [this.#played, this.#heard];
    let both = 0;
    let energy = 0;
    for (let i = 0; i < WINDOW; i++) {
      const sample = played[first + STRIDE * i]!;
      both += sample * heard[i]!;
      energy += sample * sample;
    }
    this.#weigh(lag, both, energy);
  }

  #weigh(lag: number, both: number, energy: number): void {
    // A running sum ends near zero rather than at it, on either side.
    const ratio = energy <= NO_ENERGY ? 0 : (both * both) / energy;
    if (ratio <= this.#bestRatio) return;
    this.#bestRatio = ratio;
    this.#bestLag = lag;
  }
}

function energyOf(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return sum;
}
