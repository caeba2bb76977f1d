import { DtmfTone } from '../../media/tones/dtmf/dtmf-tone.ts';
import { refuse, type Refusal } from '../../base/errors.ts';
import type { FrameSource } from './frame-source.ts';

/** A tone as its address names it: frequencies, and how long it is on and off. */
interface TonePlan {
  readonly frequenciesHz: readonly number[];
  readonly onMs: number;
  readonly offMs: number;
}

// Cadences of ETSI TR 103 075 (most of Europe); `tone:` with frequencies says any other.
const PLANS: { readonly [name: string]: TonePlan } = {
  ringback: { frequenciesHz: [425], onMs: 1000, offMs: 4000 },
  busy: { frequenciesHz: [425], onMs: 500, offMs: 500 },
  dial: { frequenciesHz: [425], onMs: 1000, offMs: 0 },
  beep: { frequenciesHz: [1000], onMs: 400, offMs: 100 },
};
const FREQUENCY_HZ_MIN = 20;
const FREQUENCY_HZ_MAX = 3800;
const FREQUENCIES_MAX = 4;
/** Well below what a telephone line clips at. */
const LEVEL = 8000;
const RAMP_MS = 5;
const STEADY_MS = 1000;

/**
 * `tone:ringback`, `tone:busy`, `tone:dial`, `tone:beep`, or one to four frequencies of one second:
 * `tone:440`, `tone:350+440`. Once through its cadence, or over and over.
 */
export function openTone(url: string, sampleRateHz: number, isLoop: boolean): FrameSource | Refusal {
  const name = url.slice('tone:'.length);
  const plan = Object.hasOwn(PLANS, name) ? PLANS[name] : planOf(name);
  return plan === undefined
    ? refuse('invalid_argument', `url names no tone: ${name.slice(0, 64)}`)
    : new Tone(plan, sampleRateHz, isLoop);
}

function planOf(name: string): TonePlan | undefined {
  if (!/^\d{1,4}(?:\+\d{1,4})*$/.test(name)) return undefined;
  const frequenciesHz = name.split('+').map(Number);
  const isHeard = frequenciesHz.every((hz) => hz >= FREQUENCY_HZ_MIN && hz <= FREQUENCY_HZ_MAX);
  if (!isHeard || frequenciesHz.length > FREQUENCIES_MAX) return undefined;
  return { frequenciesHz, onMs: STEADY_MS, offMs: 0 };
}

class Tone implements FrameSource {
  readonly #steps: readonly number[];
  readonly #onSamples: number;
  readonly #periodSamples: number;
  readonly #rampSamples: number;
  readonly #isLoop: boolean;
  #at = 0;

  constructor({ frequenciesHz, onMs, offMs }: TonePlan, sampleRateHz: number, isLoop: boolean) {
    this.#steps = frequenciesHz.map((hz) => (2 * Math.PI * hz) / sampleRateHz);
    this.#onSamples = Math.round((onMs * sampleRateHz) / 1000);
    this.#periodSamples = Math.round(((onMs + offMs) * sampleRateHz) / 1000);
    // A tone without pauses goes on without a dip.
    this.#rampSamples = offMs > 0 || !isLoop ? Math.round((RAMP_MS * sampleRateHz) / 1000) : 0;
    this.#isLoop = isLoop;
  }

  nextInto(frame: Int16Array): boolean {
    if (!this.#isLoop && this.#at >= this.#periodSamples) return false;
    for (let i = 0; i < frame.length; i++, this.#at++) frame[i] = this.#sampleAt(this.#at);
    return true;
  }

  #sampleAt(at: number): number {
    if (!this.#isLoop && at >= this.#periodSamples) return 0;
    const inPeriod = at % this.#periodSamples;
    if (inPeriod >= this.#onSamples) return 0;
    let sum = 0;
    for (let i = 0; i < this.#steps.length; i++) sum += Math.sin(this.#steps[i]! * at);
    const toEdge = Math.min(inPeriod, this.#onSamples - 1 - inPeriod);
    const ramp = toEdge >= this.#rampSamples ? 1 : toEdge / this.#rampSamples;
    return Math.round((ramp * LEVEL * sum) / this.#steps.length);
  }
}

/** Keys said in-band, where a protocol has no word for them. */
export class DtmfSource implements FrameSource {
  readonly #tone: DtmfTone;

  constructor(digits: string, sampleRateHz: number) {
    this.#tone = new DtmfTone(digits, sampleRateHz);
  }

  nextInto(frame: Int16Array): boolean {
    if (this.#tone.isDone) return false;
    this.#tone.fillInto(frame);
    return true;
  }
}
