import { powerOfDbm0, ratioOfDb } from '../power.ts';
import { confidenceOf, type TellTone } from '../tone-edge.ts';
import type { HopClock } from '../telephone-hops.ts';
import type { BeepSettings } from '../tone-settings.ts';
import type { SingleToneMeter } from './single-tone-meter.ts';
import { ToneRun } from './tone-run.ts';

const HOP_MS = 20;
/** ITU-T T.30: 1100 ± 38 Hz for 0.5 s, every 3 s, times within 15 %. */
const CNG = { fromHz: 1062, toHz: 1138, minMs: 425, maxMs: 575, pauseMinMs: 2550, pauseMaxMs: 3450 } as const;
/** ITU-T V.25: 2100 ± 15 Hz, and its phase turned every 450 ms; a few Hz are left to the meter. */
const CED = { fromHz: 2080, toHz: 2120, sureMs: 500 } as const;
/** ITU-T E.180: 950, 1400 and 1800 Hz, each ± 50 Hz, 330 ± 70 ms, at most 30 ms between them. */
const SPECIAL = { hz: [950, 1400, 1800], withinHz: 55, minMs: 240, maxMs: 420 } as const;
/** A tone that another follows within this is part of a tune, not a beep. */
const TUNE_MS = 80;
/** Shorter than this is no note of a tune either. */
const NOTE_MIN_MS = 40;
/** A tone at the edge of the range is followed, so that it does not come and go. */
const EDGE_RATIO = 0.05;
/** How far apart tones of one tune, and of one call of a fax, can be told. */
const SAME_HZ = 25;
/** So much sound that is no tone is somebody speaking. */
const SPOKEN_MIN_MS = 300;
const SPOKEN_ABOVE_FLOOR = ratioOfDb(9);
/** 2 dB a second. */
const FLOOR_RISE = ratioOfDb(0.04);

/** What is known of the call progress tones in a hop. */
export interface ProgressHeard {
  readonly isOn: boolean;
  /** The sound is surely theirs. */
  readonly isClaimed: boolean;
}

/** A tone that was heard whole and waits for what follows. */
interface Waiting {
  frequencyHz: number;
  onsetMs: number;
  endedMs: number;
  noiseRatio: number;
}

/** Beeps, faxes and special information tones: what consists of one sine at a time. */
export class SingleTones {
  readonly #settings: BeepSettings;
  readonly #tell: TellTone;
  /** Frequencies whose cadence somebody else waits for. */
  readonly #cadencedHz: readonly number[];
  readonly #powerMin: number;
  readonly #loudMin: number;
  readonly #run = new ToneRun();
  readonly #waiting: Waiting = { frequencyHz: 0, onsetMs: 0, endedMs: -Infinity, noiseRatio: 0 };
  #isWaiting = false;
  #spokenMs = 0;
  /** The line's noise: the least power, which is forgotten slowly. */
  #floor = Infinity;
  /** The tone that sounds is a progress tone's. */
  #isClaimed = false;
  #cedOnsetMs: number | undefined;
  #cngEndedMs = -Infinity;
  #specialNext = 0;
  #tuneMs = -Infinity;

  constructor(settings: BeepSettings, cadencedHz: readonly number[], tell: TellTone) {
    this.#settings = settings;
    this.#cadencedHz = cadencedHz;
    this.#tell = tell;
    this.#powerMin = powerOfDbm0(settings.levelMinDbm0);
    this.#loudMin = this.#powerMin * ratioOfDb(-5);
  }

  /** One hop of 20 ms, and what is known of progress tones in it. */
  hear(meter: SingleToneMeter, clock: HopClock, progress: ProgressHeard): void {
    const { frequencyMinHz, frequencyMaxHz, noiseMaxRatio } = this.#settings;
    const { power, noiseRatio, frequencyHz } = meter;
    const isTone =
      power >= this.#powerMin &&
      noiseRatio <= noiseMaxRatio &&
      frequencyHz >= frequencyMinHz * (1 - EDGE_RATIO) &&
      frequencyHz <= frequencyMaxHz * (1 + EDGE_RATIO);
    const run = this.#run;
    if (!isTone && !run.isOpen && !progress.isOn) this.#hearSpeech(meter);
    if (!run.isOpen) this.#isClaimed = false;
    if (progress.isClaimed) this.#isClaimed = true;
    const goesOn = run.hear(isTone, meter, clock);
    if (!goesOn && run.isOpen) {
      this.#ended(clock.endMs);
      run.close();
      if (isTone) run.hear(true, meter, clock);
    }
    if (run.isOpen && !this.#isToldCed() && isCed(run) && run.soundedMs >= CED.sureMs)
      this.#tellCed(clock.endMs);
    if (progress.isClaimed) this.#isWaiting = false;
    if (this.#isWaiting) this.#wait(clock.endMs);
  }

  /** A gap, or the end: what sounds is cut short. */
  finish(endMs: number): void {
    if (this.#run.isOpen) this.#ended(endMs);
    this.#run.close();
    this.#wait(Infinity, endMs);
    this.#specialNext = 0;
  }

  /** Whatever stands out of the line's noise and is no tone. */
  #hearSpeech({ power }: SingleToneMeter): void {
    this.#floor = Math.min(this.#floor * FLOOR_RISE, Math.max(power, 1));
    if (power >= this.#loudMin && power >= this.#floor * SPOKEN_ABOVE_FLOOR) this.#spokenMs += HOP_MS;
  }

  #ended(atMs: number): void {
    const run = this.#run;
    if (this.#cedOnsetMs !== undefined) {
      const durationMs = Math.round(run.endedMs - this.#cedOnsetMs);
      this.#tell({ type: 'tone_ended', tone: 'fax_ced', atMs, durationMs });
      this.#cedOnsetMs = undefined;
      return;
    }
    if (run.soundedMs < NOTE_MIN_MS || this.#isClaimed) return;
    if (this.#isInTune()) {
      this.#tuneMs = run.endedMs;
      this.#isWaiting = false;
      this.#hearSpecial(atMs);
      return;
    }
    this.#specialNext = isNear(run.frequencyHz, 0) && isSpecialLength(run.soundedMs) ? 1 : 0;
    if (!this.#isBeep(run)) return;
    this.#waiting.frequencyHz = run.frequencyHz;
    this.#waiting.onsetMs = run.onsetMs;
    this.#waiting.endedMs = run.endedMs;
    this.#waiting.noiseRatio = run.noiseRatio;
    this.#isWaiting = true;
  }

  #isBeep({ soundedMs, frequencyHz }: ToneRun): boolean {
    const { durationMinMs, durationMaxMs, frequencyMinHz, frequencyMaxHz } = this.#settings;
    if (soundedMs < durationMinMs || soundedMs > durationMaxMs) return false;
    return frequencyHz >= frequencyMinHz && frequencyHz <= frequencyMaxHz;
  }

  /** Whether the tone that has just ended followed upon another. */
  #isInTune(): boolean {
    const { onsetMs } = this.#run;
    return (this.#isWaiting && onsetMs - this.#waiting.endedMs < TUNE_MS) || onsetMs - this.#tuneMs < TUNE_MS;
  }

  #hearSpecial(atMs: number): void {
    const run = this.#run;
    const isNext =
      this.#specialNext > 0 && isNear(run.frequencyHz, this.#specialNext) && isSpecialLength(run.soundedMs);
    this.#specialNext = isNext ? this.#specialNext + 1 : 0;
    if (this.#specialNext < SPECIAL.hz.length) return;
    this.#specialNext = 0;
    const onsetMs = Math.round(this.#waiting.onsetMs);
    const confidence = confidenceOf(0.99 - run.noiseRatio);
    this.#tell({ type: 'tone_detected', tone: 'special_information', atMs, onsetMs, confidence });
  }

  /** A tone that nothing followed is told. */
  #wait(nowMs: number, atMs = nowMs): void {
    const { frequencyHz, onsetMs, endedMs, noiseRatio } = this.#waiting;
    if (!this.#isWaiting || this.#run.isOpen) return;
    const isAwaited = this.#cadencedHz.some((hz) => Math.abs(hz - frequencyHz) < SAME_HZ);
    if (nowMs - endedMs < (isAwaited ? this.#settings.cadenceWaitMs : TUNE_MS)) return;
    this.#isWaiting = false;
    const isSpoken = this.#spokenMs >= SPOKEN_MIN_MS;
    const isCng = isCngBurst(frequencyHz, endedMs - onsetMs);
    const pauseMs = onsetMs - this.#cngEndedMs;
    const isSecond = isCng && pauseMs >= CNG.pauseMinMs && pauseMs <= CNG.pauseMaxMs;
    if (isCng) this.#cngEndedMs = endedMs;
    const tone = isSecond || (isCng && !isSpoken) ? 'fax_cng' : 'beep';
    if (tone === 'beep' && !isSpoken && this.#settings.needsSpeech) return;
    const belief = tone === 'fax_cng' ? (isSecond ? 1 : 0.8) : isSpoken && !isAwaited ? 0.95 : 0.6;
    this.#tell({
      type: 'tone_detected',
      tone,
      atMs,
      onsetMs: Math.round(onsetMs),
      confidence: confidenceOf(belief * (1 - noiseRatio)),
      frequencyHz: Math.round(frequencyHz),
    });
  }

  #isToldCed(): boolean {
    return this.#cedOnsetMs !== undefined;
  }

  #tellCed(atMs: number): void {
    const { onsetMs, noiseRatio, frequencyHz } = this.#run;
    this.#cedOnsetMs = onsetMs;
    this.#tell({
      type: 'tone_detected',
      tone: 'fax_ced',
      atMs,
      onsetMs: Math.round(onsetMs),
      confidence: confidenceOf(0.95 * (1 - noiseRatio)),
      frequencyHz: Math.round(frequencyHz),
    });
  }
}

function isCed({ frequencyHz }: ToneRun): boolean {
  return frequencyHz >= CED.fromHz && frequencyHz <= CED.toHz;
}

function isCngBurst(frequencyHz: number, durationMs: number): boolean {
  const isPitch = frequencyHz >= CNG.fromHz && frequencyHz <= CNG.toHz;
  return isPitch && durationMs >= CNG.minMs && durationMs <= CNG.maxMs;
}

function isNear(frequencyHz: number, index: number): boolean {
  return Math.abs(frequencyHz - (SPECIAL.hz[index] ?? Infinity)) <= SPECIAL.withinHz;
}

function isSpecialLength(durationMs: number): boolean {
  return durationMs >= SPECIAL.minMs && durationMs <= SPECIAL.maxMs;
}
