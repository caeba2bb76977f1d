import { refuse } from '../../src/base/errors.ts';
import type { Tape, TapeEnd, TapeFailure, Tapes, TapeWish } from '../../src/call/recording/tape.ts';

/** One recording in memory, for tests that want to hear every sample. */
export class MemoryTape implements Tape {
  readonly format = 'wav_l16';
  readonly wish: TapeWish;
  readonly fail: (reason: TapeFailure) => void;
  readonly #left: Int16Array[] = [];
  readonly #right: Int16Array[] = [];
  isFinished = false;

  constructor(wish: TapeWish, fail: (reason: TapeFailure) => void) {
    this.wish = wish;
    this.fail = fail;
  }

  write(left: Int16Array, right: Int16Array): void {
    this.#left.push(left.slice());
    this.#right.push(right.slice());
  }

  async finish(): Promise<TapeEnd> {
    this.isFinished = true;
    return { durationMs: this.durationMs, bytes: this.left.length * 4, sha256: 'ab'.repeat(32) };
  }

  get durationMs(): number {
    return this.#left.length * 20;
  }

  get left(): Int16Array {
    return joined(this.#left);
  }

  get right(): Int16Array {
    return joined(this.#right);
  }
}

/** Tapes that keep what they are given. */
export class MemoryTapes implements Tapes {
  readonly tapes: MemoryTape[] = [];
  isRefusing = false;
  readonly #isWanted: boolean;

  constructor(isWanted = false) {
    this.#isWanted = isWanted;
  }

  open(wish: TapeWish, failed: (reason: TapeFailure) => void): Tape | ReturnType<typeof refuse> {
    if (this.isRefusing) return refuse('unavailable', 'no tape');
    const tape = new MemoryTape(wish, failed);
    this.tapes.push(tape);
    return tape;
  }

  isWanted(): boolean {
    return this.#isWanted;
  }

  urlOf(recordingId: string): string {
    return `http://127.0.0.1:8080/api/v1/recordings/${recordingId}/content`;
  }
}

function joined(frames: readonly Int16Array[]): Int16Array {
  const samples = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    samples.set(frame, at);
    at += frame.length;
  }
  return samples;
}
