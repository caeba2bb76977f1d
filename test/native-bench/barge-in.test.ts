import { describe, expect, it } from 'vitest';
import { EchoPath } from '../../native-bench/barge-in/echo-path.ts';
import { wordsOf } from '../../native-bench/barge-in/words.ts';
import { readSpeech } from '../../native-bench/load/speech.ts';

const FRAME = 160;

/** What comes back in so many frames of a click that is played first. */
function backOfClick(delaySamples: number, frames: number): Float64Array {
  const path = new EchoPath(delaySamples);
  const click = new Int16Array(FRAME);
  click[0] = 10_000;
  for (let i = 0; i < frames; i++) path.played(i === 0 ? click : new Int16Array(FRAME));
  const line = new Float64Array(frames * FRAME);
  for (let i = 0; i < frames; i++) path.addTo(line.subarray(i * FRAME, (i + 1) * FRAME));
  return line;
}

describe('the line of a caller who interrupts', () => {
  it('brings back what was played, 20 dB softer and so much later', () => {
    const line = backOfClick(FRAME * 5 + 7, 10);
    // Three frames of the delay are the wait for what is played.
    const at = line.findIndex((sample) => sample !== 0);
    expect(at).toBe(FRAME * 2 + 7);
    expect(line[at]).toBeCloseTo(880);
    expect(Math.hypot(...line)).toBeLessThan(1_000);
  });

  it('knows where nothing was played in time', () => {
    const path = new EchoPath(FRAME * 5);
    const line = new Float64Array(FRAME);
    expect(path.addTo(line)).toBe(true);
    for (let i = 0; i < 3; i++) path.played(new Int16Array(FRAME));
    expect([1, 2, 3].map(() => path.addTo(line))).toEqual([true, true, true]);
    expect([path.addTo(line), path.addTo(line)]).toEqual([false, true]);
  });
});

it('callers who interrupt say words that begin at their very onset', () => {
  const words = wordsOf(readSpeech(), 200);
  expect(words.length).toBeGreaterThan(5);
  for (const word of words) {
    expect(word).toHaveLength(1_600);
    expect(Math.abs(word[0]!)).toBeGreaterThan(800);
  }
});
