import { frameSamples } from '../../base/units.ts';
import { meanSquare } from '../voice/level.ts';

// 40 ms say enough about the colour of a noise, and hold still between two syllables.
const KEPT_FRAMES = 2;
// Nothing louder than −36 dB full scale is taken for a background, however long it lasts: music is not.
const POWER_MAX = 500 ** 2;
// A frame up to 3 dB above the quietest is background too; that level forgets at 3 dB a second.
const NEAR_RATIO = 2;
const RISE_RATIO = 2 ** (1 / 50);
const FOLLOW_RATIO = 0.25;
const POWER_MIN = 0.25;

/** What a line sounds like while nobody speaks: its level and a piece of it. */
export class Background {
  /** The last background that was heard, oldest sample first. */
  readonly kept: Int16Array;
  /** Grows whenever `kept` changes, so that what was learned from it can be kept until then. */
  version = 0;
  readonly #level = new Float64Array(2);

  constructor(sampleRateHz: number) {
    this.kept = new Int16Array(KEPT_FRAMES * frameSamples(sampleRateHz));
  }

  /** Mean square per sample, a whole number; 0 before anything was heard. */
  get power(): number {
    return Math.round(this.#level[1]!) | 0;
  }

  hear(frame: Int16Array): void {
    const power = meanSquare(frame);
    const level = this.#level;
    const isFirst = this.version === 0;
    const floor = isFirst ? POWER_MAX : level[0]! * RISE_RATIO + POWER_MIN / 100;
    level[0] = Math.min(power, floor, POWER_MAX);
    if (power > NEAR_RATIO * level[0] + POWER_MIN || power > POWER_MAX) return;
    const isNew = isFirst || NEAR_RATIO * power < level[1]!;
    level[1]! += (power - level[1]!) * (isNew ? 1 : FOLLOW_RATIO);
    this.#keep(frame);
  }

  reset(): void {
    this.kept.fill(0);
    this.#level.fill(0);
    this.version = 0;
  }

  #keep(frame: Int16Array): void {
    this.kept.copyWithin(0, frame.length);
    this.kept.set(frame, this.kept.length - frame.length);
    this.version = (this.version + 1) & 0x3fffffff || 1;
  }
}
