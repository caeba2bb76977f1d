import type { NativeCaller } from './native-caller.ts';

const FRAME_BYTES = 160;
// Codes of µ-law that come back as they went: both of zero decode alike, so neither is used.
const CODE_FIRST = 0x80;
const DIGIT_BITS = 6;
const DIGITS = 4;

/** A caller's numbered frames, and which of them an echo gave back: where, when, and how often. */
export class NumberedSpeech {
  readonly heard: { readonly number: number; readonly line: number; readonly atMs: number }[] = [];
  #spoken = 0;

  constructor(caller: NativeCaller) {
    caller.onAudio = (frame, line) => {
      this.heard.push({ number: numberOf(frame), line, atMs: performance.now() });
    };
    caller.speak(() => frameOf(this.#spoken++));
  }

  /** Numbers that came twice, or after a later one. */
  get doubledFrames(): number {
    let highest = -1;
    let doubled = 0;
    for (const { number } of this.heard) {
      if (number <= highest) doubled++;
      highest = Math.max(highest, number);
    }
    return doubled;
  }

  /** Numbers that never came, between the first and the last that did. */
  get missingFrames(): number {
    const numbers = new Set(this.heard.map(({ number }) => number));
    return numbers.size === 0 ? 0 : Math.max(...numbers) - Math.min(...numbers) + 1 - numbers.size;
  }

  /** Heard on a line after another, newer one was heard. */
  get framesOfOldLines(): number {
    let newest = 0;
    let old = 0;
    for (const { line } of this.heard) {
      if (line < newest) old++;
      newest = Math.max(newest, line);
    }
    return old;
  }

  get largestGapMs(): number {
    return this.largestGapMsSince(0);
  }

  /** Of the gaps that ended after that moment of `performance.now()`. */
  largestGapMsSince(sinceMs: number): number {
    const gapsMs = this.heard.map(({ atMs }, i) => {
      return atMs < sinceMs ? 0 : atMs - (this.heard[i - 1]?.atMs ?? atMs);
    });
    return Math.max(0, ...gapsMs);
  }
}

function frameOf(number: number): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES, CODE_FIRST);
  for (let digit = 0; digit < DIGITS; digit++) {
    frame[digit] = CODE_FIRST + ((number >> (digit * DIGIT_BITS)) & (2 ** DIGIT_BITS - 1));
  }
  return frame;
}

function numberOf(frame: Buffer): number {
  let number = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    number |= ((frame[digit] ?? CODE_FIRST) - CODE_FIRST) << (digit * DIGIT_BITS);
  }
  return number;
}

/** That many frames in a row, each with its number. */
export function numberedAudio(frames: number): Buffer {
  return Buffer.concat(Array.from({ length: frames }, (_, number) => frameOf(number)));
}

/** How many numbers never came between the first and the last, and how many came twice or too late. */
export function faultsIn(frames: readonly Buffer[]): { readonly missing: number; readonly doubled: number } {
  const numbers = frames.map(numberOf);
  const [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
  const doubled = numbers.filter((number, i) => number <= Math.max(-1, ...numbers.slice(0, i)));
  return { missing: highest - lowest + 1 - new Set(numbers).size, doubled: doubled.length };
}
