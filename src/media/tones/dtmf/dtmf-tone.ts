import { VoiceError } from '../../../base/errors.ts';
import { amplitudeOfDbm0 } from '../power.ts';
import { tonesOf } from './keypad.ts';

/** How keys are said. */
export interface DtmfToneSettings {
  readonly onMs: number;
  readonly offMs: number;
  /** ETSI ES 201 235-2 has the high tone 2 dB above the low one: lines take more from it. */
  readonly lowLevelDbm0: number;
  readonly highLevelDbm0: number;
  /** A tone that begins at once clicks. */
  readonly rampMs: number;
}

/** Long enough for every receiver, quiet enough for every line. */
export const DTMF_TONE_DEFAULTS: DtmfToneSettings = {
  onMs: 100,
  offMs: 70,
  lowLevelDbm0: -10,
  highLevelDbm0: -8,
  rampMs: 2,
};

const LIMITS = { onMs: 60_000, offMs: 60_000, digits: 128 } as const;

/** Says keys in-band, sample by sample, in pieces of any length. */
export class DtmfTone {
  /** Radians per sample of each key's tones. */
  readonly #lowSteps: Float64Array;
  readonly #highSteps: Float64Array;
  readonly #lowAmplitude: number;
  readonly #highAmplitude: number;
  readonly #onSamples: number;
  readonly #keySamples: number;
  readonly #rampSamples: number;
  readonly #low = new Sine();
  readonly #high = new Sine();
  #at = 0;

  /** Throws for what is no key, and for times that nobody wants to hear. */
  constructor(digits: string, sampleRateHz: number, settings: DtmfToneSettings = DTMF_TONE_DEFAULTS) {
    const { onMs, offMs } = settings;
    const isFit = onMs > 0 && onMs <= LIMITS.onMs && offMs >= 0 && offMs <= LIMITS.offMs;
    const tones = digits.split('').flatMap((digit) => tonesOf(digit) ?? []);
    if (!isFit || digits.length > LIMITS.digits || tones.length < digits.length) {
      throw new VoiceError('invalid_argument', 'these keys cannot be said');
    }
    const radiansPerHz = (2 * Math.PI) / sampleRateHz;
    this.#lowSteps = Float64Array.from(tones, ({ lowHz }) => lowHz * radiansPerHz);
    this.#highSteps = Float64Array.from(tones, ({ highHz }) => highHz * radiansPerHz);
    this.#lowAmplitude = amplitudeOfDbm0(settings.lowLevelDbm0);
    this.#highAmplitude = amplitudeOfDbm0(settings.highLevelDbm0);
    this.#onSamples = Math.round((onMs * sampleRateHz) / 1000);
    this.#keySamples = this.#onSamples + Math.round((offMs * sampleRateHz) / 1000);
    const rampSamples = Math.round((settings.rampMs * sampleRateHz) / 1000);
    this.#rampSamples = Math.max(1, Math.min(rampSamples, this.#onSamples >> 1));
  }

  /** Whether all keys and the pause after the last one have been said. */
  get isDone(): boolean {
    return this.#at >= this.#lowSteps.length * this.#keySamples;
  }

  /** Fills the whole target; after the last key with silence. Returns how many samples were of keys. */
  fillInto(target: Int16Array): number {
    let filled = 0;
    while (filled < target.length && !this.isDone) {
      const inKey = this.#at % this.#keySamples;
      if (inKey === 0) this.#press(this.#at / this.#keySamples);
      const isOn = inKey < this.#onSamples;
      const most = (isOn ? this.#onSamples : this.#keySamples) - inKey;
      const count = Math.min(most, target.length - filled);
      if (isOn) this.#soundInto(target, filled, count, inKey);
      else target.fill(0, filled, filled + count);
      filled += count;
      this.#at += count;
    }
    target.fill(0, filled);
    return filled;
  }

  #press(index: number): void {
    this.#low.begin(this.#lowSteps[index]!, this.#lowAmplitude);
    this.#high.begin(this.#highSteps[index]!, this.#highAmplitude);
  }

  #soundInto(target: Int16Array, from: number, count: number, inKey: number): void {
    const ramp = this.#rampSamples;
    for (let i = 0; i < count; i++) {
      const toEdge = Math.min(inKey + i, this.#onSamples - 1 - inKey - i);
      const gain = toEdge >= ramp ? 1 : (toEdge + 1) / (ramp + 1);
      const sample = Math.round(gain * (this.#low.next() + this.#high.next()));
      target[from + i] = Math.max(-32_768, Math.min(32_767, sample));
    }
  }
}

/** A sine by its recurrence: a sample is a product and a difference. */
class Sine {
  #twiceCos = 0;
  #last = 0;
  #before = 0;

  begin(step: number, amplitude: number): void {
    this.#twiceCos = 2 * Math.cos(step);
    this.#last = -amplitude * Math.sin(step);
    this.#before = -amplitude * Math.sin(2 * step);
  }

  next(): number {
    const now = this.#twiceCos * this.#last - this.#before;
    this.#before = this.#last;
    this.#last = now;
    return now;
  }
}
