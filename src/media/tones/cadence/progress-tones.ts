import { powerOfDbm0, ratioOfDb } from '../power.ts';
import type { HopClock } from '../telephone-hops.ts';
import { confidenceOf, type TellTone, type ToneName } from '../tone-edge.ts';
import type { TonePlan } from '../tone-plans.ts';
import type { ToneSettings } from '../tone-settings.ts';
import { Cadence } from './cadence.ts';
import { PROGRESS_LAG_MS, ProgressBank, type HopPower } from './progress-bank.ts';

const HOP_MS = 20;
/** The weaker of two tones may be so far below the stronger. */
const TWIST_MAX = ratioOfDb(10);
/** Three parts that fit are a cadence; one is enough where it is long and fits nothing else. */
const PARTS_SURE = 3;
const LONG_PART_MS = 800;
const DIAL_SURE_MS = 2000;
/** A burst shorter than this is none. */
const BURST_MIN_MS = 100;
/** So much other sound in a pause is somebody who answered. */
const OTHER_SOUND_MS = 200;
/** Sound in a pause that is so far below the burst is the line. */
const QUIET_BELOW = ratioOfDb(-12);

/** Plans with the same frequencies, which only cadence tells apart. */
interface Pitch {
  /** Places in the bank. */
  readonly tones: readonly number[];
  readonly plans: readonly TonePlan[];
}

/** Ringback, busy, dial tone and their like: known frequencies, told apart by their cadence. */
export class ProgressTones {
  readonly #tell: TellTone;
  readonly #bank: ProgressBank;
  readonly #pitches: readonly Pitch[];
  readonly #powerMin: number;
  readonly #shareMin: number;
  readonly #cadence = new Cadence();
  /** How much each pitch was heard in this burst. */
  readonly #heard: Float64Array;
  #pitch = -1;
  #isOn = false;
  #partMs = 0;
  #burstPower = 0;
  #otherMs = 0;
  #onsetMs = 0;
  #burstEndedMs = 0;
  #told: ToneName | undefined;
  /** Nothing was heard before the first hop: what sounds in it may have begun earlier. */
  #isCut = true;

  constructor(settings: ToneSettings, tell: TellTone) {
    const frequenciesHz = frequenciesOf(settings.plans);
    this.#tell = tell;
    this.#powerMin = powerOfDbm0(settings.progressLevelMinDbm0);
    this.#shareMin = settings.progressShareMinRatio;
    this.#bank = new ProgressBank(frequenciesHz, this.#powerMin);
    this.#pitches = pitchesOf(settings.plans, frequenciesHz);
    this.#heard = new Float64Array(this.#pitches.length);
  }

  /** Whether a known tone sounds right now. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether what sounds is surely a progress tone: one that was told, or two sines, which no beep has. */
  get isClaimed(): boolean {
    if (this.#told !== undefined) return true;
    return this.#isOn && this.#pitches[strongest(this.#heard)]!.tones.length > 1;
  }

  /** One hop of 20 ms and its power. */
  hear(hop: Float32Array, meter: HopPower, clock: HopClock): void {
    this.#bank.hear(hop, meter);
    const isOn = this.#isHeard();
    if (isOn !== this.#isOn) this.#turn(isOn, clock.endMs - PROGRESS_LAG_MS);
    this.#partMs += HOP_MS;
    if (isOn) this.#burstPower = Math.max(this.#burstPower, this.#bank.totalPower);
    else if (this.#cadence.count > 0) this.#pause(meter.power, clock.endMs);
    if (this.#isOn || this.#cadence.count > 0) this.#judge(clock.endMs);
    else this.#isCut = false;
  }

  /** A gap, or the end. */
  finish(endMs: number): void {
    this.#stop(endMs);
    this.#isOn = false;
    this.#isCut = true;
    this.#bank.forget();
  }

  /** Adds up how much of each pitch there is. */
  #isHeard(): boolean {
    const { totalPower } = this.#bank;
    if (totalPower < this.#powerMin) return false;
    let most = 0;
    for (let pitch = 0; pitch < this.#pitches.length; pitch++) {
      const share = this.#shareOf(this.#pitches[pitch]!.tones) / totalPower;
      this.#heard[pitch]! += share;
      most = Math.max(most, share);
    }
    return most >= this.#shareMin;
  }

  #shareOf(tones: readonly number[]): number {
    const { power } = this.#bank;
    const first = power[tones[0]!]!;
    const second = tones.length > 1 ? power[tones[1]!]! : first;
    if (first > second * TWIST_MAX || second > first * TWIST_MAX) return 0;
    return tones.length > 1 ? first + second : first;
  }

  /** A burst begins or ends. */
  #turn(isOn: boolean, atMs: number): void {
    if (isOn) this.#begin(atMs);
    else this.#endBurst(atMs);
    this.#isOn = isOn;
    this.#partMs = 0;
  }

  #begin(atMs: number): void {
    if (this.#cadence.count > 0) this.#cadence.add(this.#partMs);
    else this.#onsetMs = atMs - HOP_MS;
    this.#heard.fill(0);
    this.#burstPower = 0;
    this.#otherMs = 0;
  }

  #endBurst(atMs: number): void {
    const pitch = strongest(this.#heard);
    if (this.#partMs < BURST_MIN_MS || (this.#cadence.count > 0 && pitch !== this.#pitch)) this.#stop(atMs);
    if (this.#partMs < BURST_MIN_MS) return;
    if (this.#cadence.count === 0) {
      this.#cadence.clear(this.#isCut);
      this.#onsetMs = atMs - this.#partMs;
    }
    this.#isCut = false;
    this.#pitch = pitch;
    this.#cadence.add(this.#partMs);
    this.#burstEndedMs = atMs;
  }

  /** What else is heard between bursts. */
  #pause(hopPower: number, endMs: number): void {
    // The window still holds the end of the burst.
    if (this.#partMs <= 2 * PROGRESS_LAG_MS) return;
    if (hopPower > this.#burstPower * QUIET_BELOW && hopPower > this.#powerMin) this.#otherMs += HOP_MS;
    if (this.#otherMs >= OTHER_SOUND_MS) this.#stop(endMs);
  }

  #judge(endMs: number): void {
    const pitch = this.#isOn ? strongest(this.#heard) : this.#pitch;
    let sure: TonePlan | undefined;
    let isOpen = false;
    for (const plan of this.#pitches[pitch]!.plans) {
      if (this.#cadence.fit(plan, this.#partMs) < 0) continue;
      isOpen ||= sure !== undefined && sure.tone !== plan.tone;
      sure = plan;
    }
    if (sure === undefined) {
      if (!this.#isOn) this.#stop(endMs);
      return;
    }
    if (!isOpen && sure.tone !== this.#told && this.#isEnough(sure)) this.#detected(sure, endMs);
  }

  #isEnough(plan: TonePlan): boolean {
    if (plan.cadenceMs[0] === Infinity) return this.#isOn && this.#partMs >= DIAL_SURE_MS;
    if (this.#cadence.fit(plan, this.#partMs) >= PARTS_SURE) return true;
    return this.#cadence.longestMs() >= LONG_PART_MS;
  }

  #detected(plan: TonePlan, endMs: number): void {
    const parts = Math.max(1, this.#cadence.fit(plan, this.#partMs));
    this.#told = plan.tone;
    this.#tell({
      type: 'tone_detected',
      tone: plan.tone,
      atMs: endMs,
      onsetMs: Math.round(this.#onsetMs),
      confidence: confidenceOf(1 - 0.4 ** parts),
    });
  }

  /** The sequence is over: whoever comes next begins anew. */
  #stop(atMs: number): void {
    if (this.#told !== undefined) {
      const until = this.#isOn ? atMs : this.#burstEndedMs;
      const durationMs = Math.round(until - this.#onsetMs);
      this.#tell({ type: 'tone_ended', tone: this.#told, atMs, durationMs });
    }
    this.#told = undefined;
    this.#cadence.clear(false);
    this.#pitch = -1;
  }
}

function frequenciesOf(plans: readonly TonePlan[]): number[] {
  return [...new Set(plans.flatMap(({ frequenciesHz }) => frequenciesHz))].toSorted((a, b) => a - b);
}

function pitchesOf(plans: readonly TonePlan[], frequenciesHz: readonly number[]): Pitch[] {
  const byPitch = new Map<string, { tones: number[]; plans: TonePlan[] }>();
  for (const plan of plans) {
    const tones = plan.frequenciesHz.map((hz) => frequenciesHz.indexOf(hz)).toSorted((a, b) => a - b);
    const pitch = byPitch.get(tones.join()) ?? { tones, plans: [] };
    pitch.plans.push(plan);
    byPitch.set(tones.join(), pitch);
  }
  return [...byPitch.values()];
}

function strongest(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
