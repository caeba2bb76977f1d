import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FramePool } from '../../../src/media/frame-pool.ts';
import {
  AdaptiveJitterBuffer,
  type AdaptiveJitterOptions,
} from '../../../src/media/jitter/adaptive-jitter-buffer.ts';

const SAMPLES = 160;
const LEVEL = 8000;
const CLOCKED = { sampleRateHz: 8000 };
const UNCLOCKED = { sampleRateHz: 8000, maxMs: 0 };
// RFC 3550 §5.1: sequences wrap at 16 bits and timestamps at 32. What compares plainly fails at one of these.
const STARTS = [0, 127, 32_767, 65_535].flatMap((wrap) => [wrap - 4, wrap - 1, wrap].map((n) => n & 0xffff));

/** One sender and one listener. Frames are named by their place in the stream, from 1; each is its own ramp. */
class Line {
  readonly buffer: AdaptiveJitterBuffer;
  nowMs = 1000;
  readonly #first: number;
  readonly #target = new Int16Array(SAMPLES);

  constructor(options: AdaptiveJitterOptions = CLOCKED, first = 500) {
    this.buffer = new AdaptiveJitterBuffer(options);
    this.#first = first;
  }

  arrive(...places: number[]): void {
    for (const place of places) this.arriveAs(place, place);
  }

  /** A frame whose timestamp says that it is of another place than its number does. */
  arriveAs(place: number, timestampPlace: number): void {
    const timestampSamples = (0xffff_fe00 + timestampPlace * SAMPLES) % 0x1_0000_0000;
    this.buffer.insert(rampOf(place), (this.#first + place - 1) & 0xffff, timestampSamples, this.nowMs);
  }

  /** The place of the frame heard, or how it was made up; 'else' where it is no frame sample for sample. */
  play(): number | string {
    const played = this.buffer.playInto(this.nowMs, this.#target);
    if (played !== 'audio') return played;
    const place = this.#target[0]! / 10;
    return this.#target.every((sample, i) => sample === rampOf(place)[i]) ? place : 'else';
  }

  turns(count: number, arrivals: { readonly [turn: number]: readonly number[] } = {}): (number | string)[] {
    return Array.from({ length: count }, (_, turn) => {
      this.nowMs += 10;
      this.arrive(...(arrivals[turn] ?? []));
      this.nowMs += 10;
      return this.play();
    });
  }

  /** All that leaves in the turns of these arrivals, as a leg without a clock drains it. */
  forward(...places: number[]): (number | string)[] {
    return places.flatMap((place) => {
      this.arrive(place);
      return this.drain();
    });
  }

  drain(): (number | string)[] {
    const heard: (number | string)[] = [];
    for (let played = this.play(); played !== 'waiting'; played = this.play()) heard.push(played);
    return heard;
  }
}

function rampOf(place: number): Int16Array {
  return Int16Array.from({ length: SAMPLES }, (_, i) => place * 10 + i);
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** One frame a turn: `frames` frames from `first` on. */
function paced(frames: number, first = 1): Record<number, number[]> {
  return Object.fromEntries(Array.from({ length: frames }, (_, turn) => [turn, [first + turn]]));
}

describe('without a clock', () => {
  it.each(STARTS)('frames leave in the turn they came in, bit for bit, from number %d', (start) => {
    const line = new Line(UNCLOCKED, start);
    expect(line.forward(...upTo(8))).toEqual(upTo(8));
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 8, lostFrames: 0, resets: 0 });
    expect([line.buffer.targetMs, line.buffer.depthMs]).toEqual([0, 0]);
  });

  it('a hole is counted and not waited for; what comes after its turn is late, or a duplicate', () => {
    const line = new Line(UNCLOCKED);
    expect(line.forward(1, 2, 5, 4, 5, 6)).toEqual([1, 2, 5, 6]);
    const { stats } = line.buffer;
    expect(stats).toMatchObject({ receivedFrames: 4, lostFrames: 2, lateFrames: 1, duplicateFrames: 1 });
    expect(stats.concealedFrames).toBe(0);
  });
});

describe('with a clock', () => {
  it.each(STARTS)('a steady sender is heard bit for bit in the next turn, from number %d', (start) => {
    const line = new Line(CLOCKED, start);
    expect(line.turns(100, paced(100))).toEqual(upTo(100));
    expect(line.buffer.targetMs).toBe(20);
    const { addedSamples, removedSamples, concealedFrames } = line.buffer.stats;
    expect([addedSamples, removedSamples, concealedFrames]).toEqual([0, 0, 0]);
  });

  it('keeps the least target it is given', () => {
    const line = new Line({ ...CLOCKED, minMs: 60 });
    const waiting = ['waiting', 'waiting', 'waiting'];
    expect(line.turns(10, paced(10))).toEqual([...waiting, ...upTo(7)]);
    expect(line.buffer.targetMs).toBe(60);
  });

  it('a lost frame is concealed once, and the frames behind it keep their turns', () => {
    const line = new Line();
    const heard = line.turns(12, { ...paced(12), 5: [] });
    expect(heard.slice(0, 6)).toEqual([1, 2, 3, 4, 5, 'concealed']);
    // The first frame after a gap is faded in, the next ones are as they came.
    expect(heard.slice(6)).toEqual(['else', 8, 9, 10, 11, 12]);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 1, concealedFrames: 1, lateFrames: 0 });
  });

  it('a delayed frame is not lost: it is heard when it comes, and the delay is worked off later', () => {
    const line = new Line();
    const heard = line.turns(9, { ...paced(9), 5: [], 6: [6, 7] });
    expect(heard).toEqual([1, 2, 3, 4, 5, 'concealed', 'else', 7, 8]);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 0, concealedFrames: 1, lateFrames: 0 });
  });

  it('a sender that pauses is concealed, then filled with comfort noise, then waited for', () => {
    const line = new Line({ ...CLOCKED, comfortMsMax: 100 });
    const heard = line.turns(20, paced(5));
    expect(heard.slice(0, 5)).toEqual(upTo(5));
    const concealed = Array.from({ length: 5 }, () => 'concealed');
    const comfort = Array.from({ length: 5 }, () => 'comfort');
    expect(heard.slice(5)).toEqual([...concealed, ...comfort, ...Array.from({ length: 5 }, () => 'waiting')]);
    expect(line.turns(30, paced(30, 6)).slice(1)).toEqual(upTo(35, 7));
    expect(line.buffer.stats).toMatchObject({ lostFrames: 0, comfortFrames: 5 });
  });

  it('silence that was left out is no loss: timestamps jump, the sequence does not', () => {
    const line = new Line();
    line.turns(5, paced(5));
    line.turns(30);
    for (let place = 6; place <= 10; place++) {
      line.nowMs += 10;
      line.arriveAs(place, place + 30);
      line.nowMs += 10;
      line.play();
    }
    const { lostFrames, lateFrames, resets, comfortFrames, receivedFrames } = line.buffer.stats;
    expect([lostFrames, lateFrames, resets, comfortFrames]).toEqual([0, 0, 0, 25]);
    expect(receivedFrames).toBe(10);
    expect(line.buffer.depthMs).toBeLessThanOrEqual(20);
  });

  it('timestamps that the arrivals do not bear out do no harm', () => {
    for (const stepOf of [(place: number) => place * 4, () => 7, (place: number) => place * -3]) {
      const line = new Line();
      const heard = upTo(40).map((place) => {
        line.nowMs += 10;
        line.arriveAs(place, stepOf(place) + 1000);
        line.nowMs += 10;
        return line.play();
      });
      expect(heard).toEqual(upTo(40));
    }
  });

  it('a sender that starts over is followed, and nothing held is dropped', () => {
    const line = new Line();
    line.turns(10, paced(10));
    expect(line.turns(20, paced(20, 2000))).toEqual(upTo(2019, 2000));
    expect(line.buffer.stats).toMatchObject({
      resets: 1,
      lostFrames: 0,
      overflowFrames: 0,
      concealedFrames: 0,
    });
  });

  it('holds no more than it may: the oldest goes, and is counted', () => {
    const line = new Line({ ...CLOCKED, heldMsMax: 400 });
    line.arrive(...upTo(50));
    expect(line.buffer.depthMs).toBe(400);
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 50, overflowFrames: 30, lostFrames: 0 });
  });

  it('borrows slots only for what it holds, and lives with a pool that is empty', () => {
    const slots = new FramePool({ frameSamples: SAMPLES, framesMin: 10, framesMax: 10 });
    const line = new Line({ ...CLOCKED, slots });
    line.arrive(...upTo(15));
    expect(slots.freeFrames).toBe(0);
    expect(line.buffer.stats.overflowFrames).toBe(5);
    expect(line.buffer.depthMs).toBe(200);
    line.turns(3);
    expect(slots.freeFrames).toBeGreaterThan(0);
    line.buffer.reset();
    expect(slots.freeFrames).toBe(10);
    // What was learned of the network stays learned: the new stream waits for it.
    const heard = line.turns(20, paced(20)).filter((played) => played !== 'waiting');
    expect(heard).toEqual(upTo(heard.length));
  });

  it('refuses what it cannot keep', () => {
    expect(() => new AdaptiveJitterBuffer({ sampleRateHz: 8000, maxMs: 220 })).toThrow(/0 to 200/);
    expect(() => new AdaptiveJitterBuffer({ sampleRateHz: 8000, minMs: 80, maxMs: 60 })).toThrow(/80 to 60/);
    expect(() => new Line().buffer.insert(new Int16Array(80), 1, 0, 0)).toThrow(/whole frames/);
  });
});

describe('a change of clocks', () => {
  it('neither drops nor doubles a frame, there and back', () => {
    const line = new Line(UNCLOCKED);
    for (const place of [1, 2, 3]) {
      line.nowMs += 20;
      expect(line.forward(place)).toEqual([place]);
    }
    line.nowMs += 10;
    line.buffer.setRange(0, 200);
    const heard = line.turns(10, paced(10, 4));
    line.buffer.setRange(0, 0);
    heard.push(...line.drain(), ...line.forward(14, 15));
    expect(heard).toEqual(upTo(15, 4));
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 15, lostFrames: 0, lateFrames: 0 });
  });

  it('to a deep buffer and back plays every sample but those that were stretched', () => {
    const line = new Line(UNCLOCKED);
    line.forward(1, 2, 3);
    line.buffer.setRange(60, 200);
    const heard = line.turns(40, paced(40, 4));
    expect(line.buffer.depthMs).toBeGreaterThan(40);
    line.buffer.setRange(0, 0);
    heard.push(...line.drain(), ...line.forward(44, 45));
    const { addedSamples, removedSamples, concealedFrames } = line.buffer.stats;
    expect(addedSamples).toBeGreaterThan(0);
    expect(heard.length * SAMPLES).toBe((42 + concealedFrames) * SAMPLES + addedSamples - removedSamples);
    expect(heard.slice(-2)).toEqual([44, 45]);
  });

  it('leaves no part of a frame behind', () => {
    const line = new Line();
    line.arrive(...upTo(30));
    line.turns(7);
    line.buffer.setRange(0, 0);
    line.drain();
    expect(line.buffer.depthMs).toBe(0);
    expect(line.forward(31, 32)).toEqual([31, 32]);
  });
});

describe.each([8000, 16_000, 24_000, 48_000])('a voice at %d Hz', (sampleRateHz) => {
  const samples = sampleRateHz / 50;
  const toneHz = 200;

  /** The largest step between two samples while a tone with harmonics goes through `arrivalAtMs`. */
  function worstStep(
    frames: number,
    arrivalAtMs: (place: number) => number,
  ): { step: number; buffer: AdaptiveJitterBuffer } {
    const buffer = new AdaptiveJitterBuffer({ sampleRateHz });
    const frame = new Int16Array(samples);
    const target = new Int16Array(samples);
    let [place, last, step] = [0, 0, 0];
    for (let nowMs = 7; place < frames; nowMs += 20) {
      for (; place < frames && arrivalAtMs(place) <= nowMs; place++) {
        for (let i = 0; i < samples; i++) frame[i] = voiceAt((place * samples + i) / sampleRateHz);
        buffer.insert(frame, place & 0xffff, place * samples, arrivalAtMs(place));
      }
      if (buffer.playInto(nowMs, target) === 'waiting') continue;
      for (const sample of target) {
        step = Math.max(step, Math.abs(sample - last));
        last = sample;
      }
    }
    return { step, buffer };
  }

  function voiceAt(seconds: number): number {
    const angle = 2 * Math.PI * toneHz * seconds;
    return Math.round(LEVEL * (Math.sin(angle) + 0.3 * Math.sin(2 * angle)));
  }

  // The steepest the voice itself gets: its derivative where it crosses zero.
  const steepest = (2 * Math.PI * toneHz * LEVEL * 1.6) / sampleRateHz;

  it('drifts by 200 ppm either way without a click', () => {
    for (const driftPpm of [200, -200]) {
      const frames = sampleRateHz === 8000 ? 30_000 : 7500;
      const { step, buffer } = worstStep(frames, (place) => place * 20 * (1 - driftPpm / 1e6));
      expect(buffer.stats.addedSamples + buffer.stats.removedSamples).toBeGreaterThan(samples / 8);
      expect(step).toBeLessThan(1.3 * steepest);
    }
  });

  it('is got through without a click when a second of it comes at once', () => {
    const { step, buffer } = worstStep(500, (place) =>
      Math.max(2000, place * 20 - 1000 * Number(place >= 150)),
    );
    expect(buffer.stats.removedSamples).toBeGreaterThan(20 * samples);
    expect(step).toBeLessThan(1.3 * steepest);
  });
});

describe('whatever comes', () => {
  it('accounts for every frame', () => {
    const runs = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 60 : 6000;
    const jump = fc.oneof(
      { weight: 8, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.integer({ min: -5, max: 9 }) },
    );
    const step = fc.record({ jump, passedMs: fc.constantFrom(0, 5, 20, 20, 20, 60, 500) });
    fc.assert(
      fc.property(
        fc.constantFrom(...STARTS),
        fc.constantFrom(0, 60, 200),
        fc.array(step, { maxLength: 300 }),
        (start, minMs, steps) => {
          const slots = new FramePool({ frameSamples: SAMPLES, framesMin: 40, framesMax: 40 });
          const line = new Line({ ...CLOCKED, minMs, heldMsMax: 600, slots }, start);
          let place = 0;
          for (const { jump: by, passedMs } of steps) {
            place = Math.max(1, place + by);
            line.arrive(place);
            for (const end = line.nowMs + passedMs; line.nowMs < end;) {
              line.play();
              line.nowMs += Math.min(20, end - line.nowMs);
            }
            expect(line.buffer.depthMs).toBeLessThan(600 + 20);
          }
          const { receivedFrames, lateFrames, duplicateFrames, resets } = line.buffer.stats;
          expect(receivedFrames + lateFrames + duplicateFrames).toBe(steps.length);
          expect(resets).toBe(0);
          line.buffer.reset();
          expect(slots.freeFrames).toBe(40);
        },
      ),
      { numRuns: runs },
    );
  });
});
