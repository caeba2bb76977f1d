import { bellShare, HOP_MS, SPAN_MS, type DtmfBank } from './dtmf-bank.ts';
import { DIGITS, HIGH_HZ, LOW_HZ } from './keypad.ts';
import { ratioOfDb } from '../power.ts';
import type { HopClock } from '../telephone-hops.ts';
import type { DtmfSettings } from './dtmf-settings.ts';

const HIGH = LOW_HZ.length;
/** The bell tells of its middle. */
const LAG_MS = SPAN_MS / 2 - HOP_MS / 2;
/** From here on a tone stands as it stood before. */
const STEADY = 0.8;
/** A tone that became this much softer is still the same key, if nothing else sounds. */
const SOFTER_HOPS_MAX = 5;
/** Turning as evenly as this is a tone; a voice wavers. */
const EVENNESS_MIN = 0.9;

/**
 * One key while it sounds. The amplitudes under the bell, added up and divided by the steady one, are
 * the time
 * that the key has sounded, however it lies to the hops: that is how 23 ms and 40 ms are told apart.
 */
export class PressedKey {
  /** Index in `DIGITS`, or −1: none. */
  key = -1;
  /** For how long the key has been gone, parts of hops included. */
  goneMs = 0;
  #low = 0;
  #high = 0;
  #steady = 0;
  #sum = 0;
  #softerHops = 0;
  #onsetMs = 0;
  #isSettled = false;
  // Of the hops in which nothing but the key was heard.
  readonly #lowTurn = new Float64Array(3);
  readonly #highTurn = new Float64Array(3);
  #lowPower = 0;
  #highPower = 0;
  #totalPower = 0;

  get digit(): string {
    return DIGITS[this.key]!;
  }

  /** Media time of the first sample. */
  get onsetMs(): number {
    return this.#onsetMs;
  }

  /** The key has been told: its onset stays what was said. */
  settle(): void {
    this.#isSettled = true;
  }

  /** How long it has sounded by now, interruptions left out. */
  get soundedMs(): number {
    return (HOP_MS * this.#sum) / this.#steady;
  }

  clear(): void {
    this.key = -1;
  }

  /** A key begins; the two hops before held its first samples. */
  begin(key: number, bank: DtmfBank): void {
    this.key = key;
    this.#low = key >> 2;
    this.#high = HIGH + (key & 3);
    this.goneMs = 0;
    this.#softerHops = 0;
    this.#isSettled = false;
    this.#sum = this.#amplitude(bank.powerBefore) + this.#amplitude(bank.powerBeforeThat);
    this.#steady = 0;
    this.#lowTurn.fill(0);
    this.#highTurn.fill(0);
    this.#lowPower = 0;
    this.#highPower = 0;
    this.#totalPower = 0;
  }

  /** One more hop; `isAlone`: nothing but this key was heard in it. */
  hear(bank: DtmfBank, isAlone: boolean, clock: HopClock): void {
    const amplitude = this.#amplitude(bank.power);
    this.#follow(amplitude, isAlone);
    this.#sum += amplitude;
    if (!this.#isSettled) this.#onsetMs = clock.endMs - LAG_MS - this.soundedMs;
    const missing = 1 - Math.min(1, amplitude / this.#steady);
    if (amplitude >= STEADY * this.#steady) this.goneMs = 0;
    else this.goneMs += HOP_MS * missing;
    if (!isAlone) return;
    this.#measure(bank);
  }

  /** Media time of the last sample, once the key is gone. */
  endedMs(endMs: number): number {
    return endMs - LAG_MS - this.goneMs;
  }

  /** Whether all that was heard so far is as a key must be. */
  isSure(settings: DtmfSettings): boolean {
    if (this.soundedMs < settings.durationMinMs) return false;
    const lowOffHz = offHz(this.#lowTurn);
    const highOffHz = offHz(this.#highTurn);
    const lowMaxHz = (LOW_HZ[this.#low]! * settings.offsetMaxPercent) / 100;
    const highMaxHz = (HIGH_HZ[this.#high - HIGH]! * settings.offsetMaxPercent) / 100;
    if (Math.abs(lowOffHz) > lowMaxHz || Math.abs(highOffHz) > highMaxHz) return false;
    if (!isEven(this.#lowTurn) || !isEven(this.#highTurn)) return false;
    // What the bell left of tones that are a little off is put back.
    const low = this.#lowPower / bellShare(lowOffHz);
    const high = this.#highPower / bellShare(highOffHz);
    const isLong = this.soundedMs >= settings.longMs;
    const shareMin = isLong ? settings.longShareMinRatio : settings.shareMinRatio;
    if (low + high < shareMin * this.#totalPower) return false;
    return (
      high <= low * ratioOfDb(settings.highOverLowMaxDb) && low <= high * ratioOfDb(settings.lowOverHighMaxDb)
    );
  }

  /** Both tones at once: the geometric mean falls when either does. */
  #amplitude(power: Float64Array): number {
    return Math.sqrt(Math.sqrt(power[this.#low]! * power[this.#high]!));
  }

  #follow(amplitude: number, isAlone: boolean): void {
    if (amplitude > this.#steady) {
      this.#steady = amplitude;
      this.#softerHops = 0;
    } else if (!isAlone || amplitude >= STEADY * this.#steady) this.#softerHops = 0;
    else if (++this.#softerHops === SOFTER_HOPS_MAX) {
      // The time told so far stays what it was.
      this.#sum *= amplitude / this.#steady;
      this.#steady = amplitude;
      this.#softerHops = 0;
    }
  }

  #measure(bank: DtmfBank): void {
    turn(this.#lowTurn, bank, this.#low);
    turn(this.#highTurn, bank, this.#high);
    this.#lowPower += bank.power[this.#low]!;
    this.#highPower += bank.power[this.#high]!;
    this.#totalPower += bank.totalPower;
  }
}

/** Sum of the turns and of their lengths. */
function turn(into: Float64Array, bank: DtmfBank, tone: number): void {
  const re = bank.driftRe[tone]!;
  const im = bank.driftIm[tone]!;
  into[0]! += re;
  into[1]! += im;
  into[2]! += Math.sqrt(re * re + im * im);
}

function offHz(turned: Float64Array): number {
  return (Math.atan2(turned[1]!, turned[0]!) * 1000) / (2 * Math.PI * HOP_MS);
}

function isEven(turned: Float64Array): boolean {
  return Math.sqrt(turned[0]! ** 2 + turned[1]! ** 2) >= EVENNESS_MIN * turned[2]!;
}
