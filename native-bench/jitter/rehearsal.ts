import { seededDice } from '../../src/base/clock.ts';
import { FRAME_MS } from '../../src/base/units.ts';
import { AdaptiveJitterBuffer } from '../../src/media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import type { JitterBuffer } from '../../src/media/jitter/jitter-buffer.ts';
import type { Trace } from './trace.ts';

const SAMPLE_RATE_HZ = 8000;
const SAMPLES = 160;
/** So many samples in a row are enough to tell one place of the source from all others nearby. */
const MATCH_SAMPLES = 24;
const SEARCH_SAMPLES = 64_000;
/** What everybody is held against. */
export const FIXED_TARGET_MS = 60;

/** What came of a trace, judged from outside: by what was played, and when. */
export interface Outcome {
  readonly meanDelayMs: number;
  readonly p95DelayMs: number;
  /** Turns of speech in which nothing that was said was played, and frames that came and were not played. */
  readonly concealedRatio: number;
  readonly endDelayMs: number;
  /** When sound was last played more than 100 ms after it was said. */
  readonly lastAbove100AtMs: number;
  /** Frames handed to the buffer. */
  readonly arrivedFrames: number;
  readonly played: Int16Array;
  readonly buffer: JitterBuffer;
}

/** Speech, looped, with enough noise on it that no two places are alike. */
export function sourceOf(speech: Int16Array, places: number): Int16Array {
  const dice = seededDice(4711);
  const source = new Int16Array(places * SAMPLES);
  for (let i = 0; i < source.length; i++) {
    source[i] = Math.round(speech[i % speech.length]! * 0.9 + (dice() - 0.5) * 60);
  }
  return source;
}

export function fixedBuffer(): JitterBuffer {
  return new FixedJitterBuffer({ sampleRateHz: SAMPLE_RATE_HZ, targetMs: FIXED_TARGET_MS });
}

export function adaptiveBuffer(): JitterBuffer {
  return new AdaptiveJitterBuffer({ sampleRateHz: SAMPLE_RATE_HZ });
}

/** Plays a trace through a buffer, a metronome asking every 20 ms, up to 1 ms late. */
export function rehearse(trace: Trace, source: Int16Array, buffer: JitterBuffer, phaseMs = 7): Outcome {
  const { arrivals } = trace;
  const dice = seededDice(99);
  const endAtMs = arrivals.at(-1)!.arrivedAtMs;
  const turns = Math.floor((endAtMs - 1000) / FRAME_MS);
  const played = new Int16Array(turns * SAMPLES);
  const target = new Int16Array(SAMPLES);
  const finder = new PlaceFinder(source);
  const delays: number[] = [];
  let [arrival, silentTurns, lastAbove100AtMs, hasBegun] = [0, 0, 0, false];
  for (let turn = 0; turn < turns; turn++) {
    const tickAtMs = 1000 + phaseMs + turn * FRAME_MS;
    const nowMs = tickAtMs + dice();
    for (; arrival < arrivals.length && arrivals[arrival]!.arrivedAtMs <= nowMs; arrival++) {
      const { place, sequence, timestampSamples, arrivedAtMs } = arrivals[arrival]!;
      const frame = source.slice(place * SAMPLES, (place + 1) * SAMPLES);
      buffer.insert(frame, sequence, timestampSamples, arrivedAtMs);
    }
    const kind = buffer.playInto(nowMs, target);
    played.set(target, turn * SAMPLES);
    hasBegun ||= kind === 'audio';
    if (hasBegun && kind !== 'audio') silentTurns++;
    if (kind !== 'audio') continue;
    const at = finder.find(target);
    if (at < 0) continue;
    const delayMs =
      tickAtMs - trace.sentAtMs(Math.floor(at / SAMPLES)) - ((at % SAMPLES) * 1000) / SAMPLE_RATE_HZ;
    delays.push(delayMs);
    if (delayMs > 100) lastAbove100AtMs = nowMs;
  }
  const { lateFrames, overflowFrames } = buffer.stats;
  const missing = Math.max(0, silentTurns - trace.silentPlaces) + lateFrames + overflowFrames;
  return {
    meanDelayMs: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    p95DelayMs: delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.95)]!,
    concealedRatio: missing / (trace.places - trace.silentPlaces),
    endDelayMs: delays.at(-1)!,
    lastAbove100AtMs,
    arrivedFrames: arrival,
    played,
    buffer,
  };
}

/** Finds where in the source a frame is from, sample for sample. What was stretched or made up is nowhere. */
class PlaceFinder {
  readonly #source: Int16Array;
  #expected = 0;

  constructor(source: Int16Array) {
    this.#source = source;
  }

  find(frame: Int16Array): number {
    const at = this.#search(frame);
    this.#expected = (at < 0 ? this.#expected : at) + SAMPLES;
    return at;
  }

  #search(frame: Int16Array): number {
    for (let away = 0; away < SEARCH_SAMPLES; away++) {
      if (this.#isAt(this.#expected + away, frame)) return this.#expected + away;
      if (away < SEARCH_SAMPLES / 20 && this.#isAt(this.#expected - away, frame))
        return this.#expected - away;
    }
    return -1;
  }

  #isAt(at: number, frame: Int16Array): boolean {
    for (let i = 0; i < MATCH_SAMPLES; i++) if (this.#source[at + i] !== frame[i]) return false;
    return at >= 0;
  }
}
