import { LOW_HZ } from './keypad.ts';
import { powerOfDbm0, ratioOfDb } from '../power.ts';
import type { DtmfBank } from './dtmf-bank.ts';
import type { DtmfSettings } from './dtmf-settings.ts';

const HIGH = LOW_HZ.length;
/** A tone that is off by 2.4 % loses 2 dB under the bell. */
const TWIST_ROOM_DB = 2;
const SHARE_SEEN = 0.45;
/** How far the other tones of a group must be below its strongest. */
const OTHERS_BELOW = ratioOfDb(-5);

/**
 * Which key alone is heard under the bell, or −1. A first look: what it lets through is measured
 * afterwards.
 */
export class KeyFinder {
  readonly #powerMin: number;
  readonly #twistMax: number;

  constructor(settings: DtmfSettings) {
    this.#powerMin = powerOfDbm0(settings.levelMinDbm0);
    this.#twistMax = ratioOfDb(
      Math.max(settings.highOverLowMaxDb, settings.lowOverHighMaxDb) + TWIST_ROOM_DB,
    );
  }

  find({ power, totalPower }: DtmfBank): number {
    if (totalPower < this.#powerMin) return -1;
    const low = strongest(power, 0);
    const high = strongest(power, HIGH);
    const lowPower = power[low]!;
    const highPower = power[high]!;
    if (lowPower + highPower < SHARE_SEEN * totalPower) return -1;
    if (lowPower < this.#powerMin || highPower < this.#powerMin) return -1;
    if (lowPower > highPower * this.#twistMax || highPower > lowPower * this.#twistMax) return -1;
    if (!isAlone(power, low, 0) || !isAlone(power, high, HIGH)) return -1;
    return 4 * low + (high - HIGH);
  }
}

function strongest(power: Float64Array, first: number): number {
  let best = first;
  for (let tone = first + 1; tone < first + HIGH; tone++) if (power[tone]! > power[best]!) best = tone;
  return best;
}

function isAlone(power: Float64Array, best: number, first: number): boolean {
  const most = power[best]! * OTHERS_BELOW;
  for (let tone = first; tone < first + HIGH; tone++) if (tone !== best && power[tone]! > most) return false;
  return true;
}
