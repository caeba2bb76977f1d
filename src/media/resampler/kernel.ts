import { invariant } from '../../base/errors.ts';
import type { FilterBank } from './filter-bank.ts';
import { BANK_HEAD, BANK_HEAD_BYTES, simdModule } from './simd-module.ts';

/** Source samples taken in one go. */
export const CHUNK_SAMPLES_MAX = 1920;
/** What a bank may have at most: 96 to 8 kHz has 1424 taps, and 8 to 96 kHz twelve samples for each. */
const TAPS_MAX = 1536;
const OUTPUTS_PER_SAMPLE_MAX = 12;

const BYTES_PER_SAMPLE = 2;
const TARGET_ADDRESS = BYTES_PER_SAMPLE * (TAPS_MAX + CHUNK_SAMPLES_MAX);
// Up to two outputs more than the chunk would make evenly.
const TARGET_BYTES = BYTES_PER_SAMPLE * (OUTPUTS_PER_SAMPLE_MAX * CHUNK_SAMPLES_MAX + 16);
const PAGE_BYTES = 65_536;
// All pairs of rates together take 2.2 MB; what nobody asks for is never touched, and never taken.
const PAGES = 64;

/** A place in the kernel's memory that speaks of one bank. */
export type BankAddress = number;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  filter(bank: BankAddress, sourceAddress: number, phase: number, samples: number): void;
}

/**
 * The inner loop of all resamplers of the process, with the weights they share: 128 bits at a time. Its
 * memory is lent for one step and holds nothing of anybody's sound between steps.
 */
export class Kernel {
  readonly #exports: Exports;
  readonly #banks = new Map<FilterBank, BankAddress>();
  #freeAddress = TARGET_ADDRESS + TARGET_BYTES;
  /** What went before, and the chunk right behind it. */
  readonly source: Int16Array;
  /** What the last step made. */
  readonly target: Int16Array;

  constructor() {
    const module = new WebAssembly.Module(simdModule(PAGES, TARGET_ADDRESS));
    this.#exports = new WebAssembly.Instance(module).exports as Exports;
    this.source = new Int16Array(this.#exports.memory.buffer, 0, TAPS_MAX + CHUNK_SAMPLES_MAX);
    this.target = this.outputs(TARGET_BYTES / BYTES_PER_SAMPLE);
  }

  /** A view of the first outputs of a step. */
  outputs(samples: number): Int16Array {
    return new Int16Array(this.#exports.memory.buffer, TARGET_ADDRESS, samples);
  }

  /** A view of the first samples of `source`. */
  sources(samples: number): Int16Array {
    return this.source.subarray(0, samples);
  }

  /** Keeps a bank for good; the same bank again has the same address. */
  place(bank: FilterBank): BankAddress {
    return this.#banks.get(bank) ?? this.#placeNew(bank);
  }

  /** Makes outputs from the sample at `sourceAt` on, beginning with the row of `phase`. */
  filter(bank: BankAddress, sourceAt: number, phase: number, samples: number): void {
    if (samples > 0) this.#exports.filter(bank, BYTES_PER_SAMPLE * sourceAt, phase, samples);
  }

  #placeNew(bank: FilterBank): BankAddress {
    const { phases, step, taps, weightBits, weights } = bank;
    const address = this.#freeAddress;
    const bytes = BANK_HEAD_BYTES + weights.byteLength;
    invariant(taps <= TAPS_MAX, `${taps} taps, and ${TAPS_MAX} fit`);
    invariant(address + bytes <= PAGES * PAGE_BYTES, 'no room for the weights of one more pair of rates');
    const rowBytes = BYTES_PER_SAMPLE * taps;
    const head = new Int32Array(this.#exports.memory.buffer, address, BANK_HEAD_BYTES / 4);
    head[BANK_HEAD.rowBytes] = rowBytes;
    head[BANK_HEAD.rowsBytes] = phases * rowBytes;
    head[BANK_HEAD.rowStepBytes] = (step % phases) * rowBytes;
    head[BANK_HEAD.sourceStepBytes] = BYTES_PER_SAMPLE * Math.floor(step / phases);
    head[BANK_HEAD.weightBits] = weightBits;
    new Int16Array(this.#exports.memory.buffer, address + BANK_HEAD_BYTES, weights.length).set(weights);
    this.#freeAddress += bytes;
    this.#banks.set(bank, address);
    return address;
  }
}
