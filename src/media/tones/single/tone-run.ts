import type { HopClock } from '../telephone-hops.ts';
import type { SingleToneMeter } from './single-tone-meter.ts';

const HOP_MS = 20;
/** The meter looks 4 samples back. */
const LAG_MS = 0.5;
/** A sine that turns its phase, or a lost packet, spoils one hop. */
const BAD_HOPS_MAX = 1;
const DRIFT_MAX_RATIO = 0.02;
/** A hop that is so much weaker than the loudest is the end of the tone, or another one. */
const SOFTER_RATIO = 0.05;

/** One sine for as long as it lasts at one pitch. */
export class ToneRun {
  isOpen = false;
  /** Mean over the run. */
  frequencyHz = 0;
  noiseRatio = 0;
  onsetMs = 0;
  #hops = 0;
  #badHops = 0;
  #peak = 0;
  #energy = 0;
  #badEnergy = 0;

  /** How long it sounds: by its energy, since it neither begins nor ends with a hop. */
  get soundedMs(): number {
    return (HOP_MS * this.#energy) / this.#peak;
  }

  /** Media time of its last sample. */
  get endedMs(): number {
    return this.onsetMs + this.soundedMs;
  }

  /** Says whether the hop belongs to the run, or begins one. */
  hear(isTone: boolean, meter: SingleToneMeter, clock: HopClock): boolean {
    if (!this.isOpen) {
      if (isTone) this.#begin(meter, clock);
      return isTone;
    }
    const isSame =
      isTone &&
      Math.abs(meter.frequencyHz - this.frequencyHz) <= DRIFT_MAX_RATIO * this.frequencyHz &&
      meter.power >= SOFTER_RATIO * this.#peak;
    if (!isSame) return this.#falter(isTone, meter);
    this.#add(meter, clock);
    return true;
  }

  close(): void {
    this.isOpen = false;
  }

  #begin(meter: SingleToneMeter, clock: HopClock): void {
    this.isOpen = true;
    this.#hops = 0;
    this.#badHops = 0;
    this.#badEnergy = 0;
    this.#peak = 0;
    this.#energy = 0;
    this.#add(meter, clock);
  }

  #add({ frequencyHz, noiseRatio, power }: SingleToneMeter, clock: HopClock): void {
    this.#hops++;
    // The first hop may hold only a little of the tone: what it says weighs less.
    const weight = this.#hops === 2 ? 0.9 : 1 / this.#hops;
    this.frequencyHz =
      this.#hops === 1 ? frequencyHz : this.frequencyHz + weight * (frequencyHz - this.frequencyHz);
    this.noiseRatio =
      this.#hops === 1 ? noiseRatio : this.noiseRatio + weight * (noiseRatio - this.noiseRatio);
    this.#peak = Math.max(this.#peak, power);
    this.#energy += power + this.#badEnergy;
    this.#badEnergy = 0;
    this.#badHops = 0;
    // In the first three hops, while the peak is being found; later it is known.
    if (this.#hops <= 3) this.onsetMs = clock.endMs - LAG_MS - this.soundedMs;
  }

  /** A last part of a hop may be too short to be heard as a tone; its energy says how long it was. */
  #falter(isTone: boolean, { power }: SingleToneMeter): boolean {
    if (isTone || ++this.#badHops > BAD_HOPS_MAX) {
      this.#energy += Math.min(this.#badEnergy, this.#peak);
      this.#badEnergy = 0;
      return false;
    }
    this.#badEnergy = Math.min(power, this.#peak);
    return true;
  }
}
