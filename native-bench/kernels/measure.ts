import { getHeapStatistics } from 'node:v8';

/** One function of the way of a frame, called as the house calls it. `index` counts the calls. */
export interface Kernel {
  readonly name: string;
  readonly run: (index: number) => void;
  /** What else does the same, or the least that could: measured in turn with ours. */
  readonly peer?: { readonly name: string; readonly run: (index: number) => void };
}

export interface Measured {
  readonly name: string;
  readonly nsPerCall: number;
  /** Growth of the heap; null where something was collected meanwhile. */
  readonly bytesPerCall: number | null;
  readonly peer: string | null;
  readonly peerNsPerCall: number | null;
}

export interface Effort {
  readonly warmUpMs: number;
  /** Until so many calls code is compiled again and again, which shows as growth of the heap. */
  readonly warmUpCalls: number;
  readonly repeatMs: number;
  readonly repeats: number;
  readonly countedCalls: number;
}

export const FULL_EFFORT: Effort = {
  warmUpMs: 300,
  warmUpCalls: 30_000,
  repeatMs: 60,
  repeats: 9,
  countedCalls: 50_000,
};
export const SMOKE_EFFORT: Effort = {
  warmUpMs: 20,
  warmUpCalls: 30_000,
  repeatMs: 5,
  repeats: 3,
  countedCalls: 25_000,
};

/** Wire counters keep this many digits for the whole run. */
const FIRST_INDEX = 200_000;
const COUNTS = 5;
/** Code that fell back to being interpreted is compiled again some thousand calls later. */
const ROUNDS = 4;
const MUCH_BYTES = 64;

/** Times a kernel and its peer in turn, so that whatever slows the machine slows both. */
export function measure(kernel: Kernel, effort: Effort): Measured {
  const ours = new Runner(kernel.run, effort);
  const peer = kernel.peer === undefined ? undefined : new Runner(kernel.peer.run, effort);
  const ourNs: number[] = [];
  const peerNs: number[] = [];
  for (let repeat = 0; repeat < effort.repeats; repeat++) {
    ourNs.push(ours.nsPerCall());
    if (peer !== undefined) peerNs.push(peer.nsPerCall());
  }
  return {
    name: kernel.name,
    nsPerCall: median(ourNs),
    bytesPerCall: ours.bytesPerCall(effort.countedCalls),
    peer: kernel.peer?.name ?? null,
    peerNsPerCall: peer === undefined ? null : median(peerNs),
  };
}

class Runner {
  readonly #run: (index: number) => void;
  readonly #callsPerRepeat: number;
  #index = FIRST_INDEX;

  constructor(run: (index: number) => void, { warmUpMs, warmUpCalls, repeatMs }: Effort) {
    this.#run = run;
    const startedAtMs = performance.now();
    let calls = 0;
    let durationMs = 0;
    do {
      this.#call(1000);
      calls += 1000;
      durationMs = performance.now() - startedAtMs;
    } while (durationMs < warmUpMs || calls < warmUpCalls);
    this.#callsPerRepeat = Math.max(1000, Math.round((calls / durationMs) * repeatMs));
  }

  nsPerCall(): number {
    const startedAtMs = performance.now();
    this.#call(this.#callsPerRepeat);
    return ((performance.now() - startedAtMs) * 1e6) / this.#callsPerRepeat;
  }

  /**
   * What compiled code allocates. Of several counts the middle one, since code that is compiled anew in one of
   * them is no frame's garbage; what allocates much is counted again, since each round leaves more compiled.
   */
  bytesPerCall(calls: number): number | null {
    let least = this.#countedBytes(calls);
    for (let round = 1; round < ROUNDS && least !== null && least > MUCH_BYTES; round++) {
      least = Math.min(least, this.#countedBytes(calls) ?? least);
    }
    return least;
  }

  #countedBytes(calls: number): number | null {
    globalThis.gc?.();
    const counts = Array.from({ length: COUNTS }, () => this.#grownBytes(Math.ceil(calls / COUNTS)));
    return counts.some((bytes) => bytes < 0) ? null : median(counts);
  }

  #grownBytes(calls: number): number {
    const before = getHeapStatistics().used_heap_size;
    this.#call(calls);
    return (getHeapStatistics().used_heap_size - before) / calls;
  }

  #call(calls: number): void {
    const run = this.#run;
    const end = this.#index + calls;
    for (let index = this.#index; index < end; index++) run(index);
    this.#index = end;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
