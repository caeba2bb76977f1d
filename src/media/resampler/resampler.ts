import { invariant, VoiceError } from '../../base/errors.ts';
import { designFilterBank, type FilterBank } from './filter-bank.ts';
import { CHUNK_SAMPLES_MAX, Kernel, type BankAddress } from './kernel.ts';

/** Every rate a provider is known to send; any of them becomes any other. */
export const RESAMPLED_RATES_HZ: readonly number[] = [
  8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000,
];

const FRAMES_PER_SECOND = 50;

/** One direction of one party's sound at another rate, chunk after chunk as if it were whole. */
export interface Resampler {
  /** How much later the sound comes out than it went in, in samples of the rate it comes out at. */
  readonly delaySamples: number;
  /**
   * Resamples the first `samples` of `source`; answers how many samples it wrote to `target`. 20 ms become
   * exactly 20 ms where both are whole samples; else the rest is carried on to the next chunk.
   */
  resampleInto(source: Int16Array, samples: number, target: Int16Array): number;
  /** Forgets what went before, as at a new stream. */
  reset(): void;
}

let kernel: Kernel | undefined;
const banks = new Map<string, FilterBank>();

/** A resampler between two rates of `RESAMPLED_RATES_HZ`; equal rates pass bit for bit. */
export function openResampler(fromHz: number, toHz: number): Resampler {
  for (const rateHz of [fromHz, toHz]) {
    if (!RESAMPLED_RATES_HZ.includes(rateHz)) {
      throw new VoiceError('unsupported_format', `no audio is resampled at ${rateHz} Hz`, {
        field: 'format',
      });
    }
  }
  if (fromHz === toHz) return UNCHANGED;
  kernel ??= new Kernel();
  return new PolyphaseResampler(kernel, filterBank(fromHz, toHz));
}

/** The bank of a pair, designed once: all resamplers of a pair share it. */
export function filterBank(fromHz: number, toHz: number): FilterBank {
  const name = `${fromHz}/${toHz}`;
  const bank = banks.get(name) ?? designFilterBank(fromHz, toHz);
  banks.set(name, bank);
  return bank;
}

const UNCHANGED: Resampler = {
  delaySamples: 0,
  resampleInto(source, samples, target) {
    if (samples === source.length) target.set(source);
    else for (let i = 0; i < samples; i++) target[i] = source[i]!;
    return samples;
  },
  reset() {},
};

class PolyphaseResampler implements Resampler {
  readonly delaySamples: number;
  readonly #kernel: Kernel;
  readonly #bank: BankAddress;
  readonly #phases: number;
  readonly #step: number;
  /** The newest samples, one less than the filter is long: the next output needs them again. */
  readonly #history: Int16Array;
  /** Where the kernel reads them, and where it leaves 20 ms. */
  readonly #recent: Int16Array;
  readonly #frame: Int16Array;
  /** Where the next output lies behind the newest sample, in `phases` of a source sample. */
  #nextPhases = 0;

  constructor(kernel: Kernel, bank: FilterBank) {
    const { fromHz, toHz, phases, step, taps } = bank;
    this.delaySamples = (taps / 2) * (toHz / fromHz);
    this.#kernel = kernel;
    this.#bank = kernel.place(bank);
    this.#phases = phases;
    this.#step = step;
    this.#history = new Int16Array(taps - 1);
    this.#recent = kernel.sources(taps - 1);
    this.#frame = kernel.outputs(Math.ceil(toHz / FRAMES_PER_SECOND));
  }

  resampleInto(source: Int16Array, samples: number, target: Int16Array): number {
    invariant(samples <= source.length, 'a resampler is told of more samples than there are');
    invariant(this.#outputsOf(samples) <= target.length, 'what is resampled fits into its target');
    let written = 0;
    for (let from = 0; from < samples; from += CHUNK_SAMPLES_MAX) {
      const to = Math.min(samples, from + CHUNK_SAMPLES_MAX);
      this.#fill(source, from, to);
      const outputs = this.#filter(to - from);
      this.#take(outputs, target, written);
      written += outputs;
    }
    return written;
  }

  reset(): void {
    this.#history.fill(0);
    this.#nextPhases = 0;
  }

  #outputsOf(samples: number): number {
    return Math.max(0, Math.ceil((samples * this.#phases - this.#nextPhases) / this.#step));
  }

  #fill(source: Int16Array, from: number, to: number): void {
    const into = this.#kernel.source;
    const before = this.#history.length;
    into.set(this.#history);
    if (to - from === source.length) into.set(source, before);
    else for (let i = from; i < to; i++) into[before + i - from] = source[i]!;
  }

  #filter(samples: number): number {
    const outputs = this.#outputsOf(samples);
    const sourceAt = Math.floor(this.#nextPhases / this.#phases);
    this.#kernel.filter(this.#bank, sourceAt, this.#nextPhases % this.#phases, outputs);
    this.#nextPhases += outputs * this.#step - samples * this.#phases;
    this.#kernel.source.copyWithin(0, samples, samples + this.#history.length);
    this.#history.set(this.#recent);
    return outputs;
  }

  #take(outputs: number, target: Int16Array, at: number): void {
    if (outputs === this.#frame.length) {
      target.set(this.#frame, at);
      return;
    }
    const made = this.#kernel.target;
    for (let i = 0; i < outputs; i++) target[at + i] = made[i]!;
  }
}
