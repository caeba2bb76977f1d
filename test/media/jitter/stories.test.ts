import { describe, expect, it } from 'vitest';
import {
  adaptiveBuffer,
  fixedBuffer,
  rehearse,
  sourceOf,
  type Outcome,
} from '../../../native-bench/jitter/rehearsal.ts';
import { STORIES } from '../../../native-bench/jitter/stories.ts';
import { traceOf } from '../../../native-bench/jitter/trace.ts';
import { readSpeech } from '../../../native-bench/load/speech.ts';

const speech = readSpeech().samples;

function tell(name: string): Outcome {
  const { network, seed } = STORIES.find((story) => story.name === name)!;
  const trace = traceOf(network, seed);
  return rehearse(trace, sourceOf(speech, trace.places), adaptiveBuffer());
}

/** The same networks with dice that nothing was ever tuned by. */
const HELD_OUT = STORIES.map((story) => ({ ...story, seed: story.seed + 5000 }));

describe('beside a fixed buffer of 60 ms on the same arrivals', () => {
  it.each([...STORIES, ...HELD_OUT])(
    '$name, seed $seed: never worse in delay and concealment both, better in one',
    ({ name, network, seed }) => {
      const trace = traceOf(network, seed);
      const source = sourceOf(speech, trace.places);
      const fixed = rehearse(trace, source, fixedBuffer());
      const adaptive = rehearse(trace, source, adaptiveBuffer());
      const said = `${name}, seed ${seed}: ${figures(fixed)} fixed, ${figures(adaptive)} adaptive`;
      const isBetterInDelay = adaptive.meanDelayMs < fixed.meanDelayMs;
      const isBetterInSound = adaptive.concealedRatio < fixed.concealedRatio;
      expect({ said, isBetter: isBetterInDelay || isBetterInSound }).toMatchObject({ isBetter: true });
      const { receivedFrames, lateFrames, duplicateFrames } = adaptive.buffer.stats;
      expect(receivedFrames + lateFrames + duplicateFrames).toBe(adaptive.arrivedFrames);
    },
  );
});

describe('the adaptive buffer', () => {
  it.each([0.5, 7, 13, 19.5])(
    'costs at most 20 ms where pacing is perfect, asked %d ms after it',
    (phaseMs) => {
      const trace = traceOf({ seconds: 30 }, 1);
      const { p95DelayMs, concealedRatio, buffer } = rehearse(
        trace,
        sourceOf(speech, trace.places),
        adaptiveBuffer(),
        phaseMs,
      );
      expect(p95DelayMs).toBeLessThanOrEqual(20);
      expect(concealedRatio).toBe(0);
      expect(buffer.stats).toMatchObject({ addedSamples: 0, removedSamples: 0 });
    },
  );

  it.each(['five seconds at once, sent ahead', 'five seconds at once, after a stall'])(
    '%s: is below 100 ms again within ten seconds, and drops nothing',
    (name) => {
      const adaptive = tell(name);
      const releasedAtMs = name.includes('stall') ? 15_000 : 10_000;
      expect(adaptive.lastAbove100AtMs).toBeLessThan(releasedAtMs + 10_000);
      expect(adaptive.endDelayMs).toBeLessThan(60);
      expect(adaptive.buffer.stats).toMatchObject({ overflowFrames: 0, lateFrames: 0, lostFrames: 0 });
      expect(adaptive.buffer.stats.receivedFrames).toBe(adaptive.arrivedFrames);
    },
  );

  it.each([
    ['a sender 200 ppm fast, ten minutes', 200],
    ['a sender 200 ppm slow, ten minutes', -200],
  ])('%s: stays within 60 ms, loses nothing and knows the drift', (name, driftPpm) => {
    const adaptive = tell(name);
    expect(adaptive.p95DelayMs).toBeLessThan(60);
    expect(adaptive.concealedRatio).toBeLessThan(0.0005);
    expect(adaptive.buffer.driftPpm).toBeGreaterThan(driftPpm - 20);
    expect(adaptive.buffer.driftPpm).toBeLessThan(driftPpm + 20);
    const { addedSamples, removedSamples } = adaptive.buffer.stats;
    // 200 ppm of ten minutes are 120 ms; a frame or two more is the depth it ends at.
    expect(Math.abs(removedSamples - addedSamples)).toBeGreaterThan(80 * 8);
    expect(Math.abs(removedSamples - addedSamples)).toBeLessThan(160 * 8);
  });
});

function figures({ meanDelayMs, concealedRatio }: Outcome): string {
  return `${meanDelayMs.toFixed(1)} ms and ${(100 * concealedRatio).toFixed(2)} %`;
}
