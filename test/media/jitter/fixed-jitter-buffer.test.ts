import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FixedJitterBuffer } from '../../../src/media/jitter/fixed-jitter-buffer.ts';

const SAMPLES = 160;

/** A frame that shows its own number in every sample. */
function frameOf(value: number): Int16Array {
  return new Int16Array(SAMPLES).fill(value);
}

/** One sender and one listener on a virtual line. Frames are named by their place in the stream, from 1. */
class Line {
  readonly buffer: FixedJitterBuffer;
  nowMs = 1000;
  readonly #first: number;
  readonly #target = new Int16Array(SAMPLES);

  constructor(targetMs: number, first = 500) {
    this.buffer = new FixedJitterBuffer({ sampleRateHz: 8000, targetMs });
    this.#first = first;
  }

  arrive(...places: number[]): void {
    for (const place of places) {
      const sequence = (this.#first + place - 1) & 0xffff;
      this.buffer.insert(frameOf(place), sequence, place * SAMPLES, this.nowMs);
    }
  }

  /** The frame heard: its place, 'silence' where it was made up, '-' where nothing is due. */
  play(): number | 'silence' | '-' {
    this.#target.fill(9999);
    const played = this.buffer.playInto(this.nowMs, this.#target);
    if (played === 'audio') return this.#target[SAMPLES - 1]!;
    if (this.#target.some((sample) => sample !== 0)) throw new Error(`${played} is not silence`);
    return played === 'concealed' ? 'silence' : '-';
  }

  /** What a metronome hears in so many turns of 20 ms; `arrivals[turn]` come in before each. */
  turns(count: number, arrivals: { readonly [turn: number]: readonly number[] } = {}): unknown[] {
    return Array.from({ length: count }, (_, turn) => {
      this.arrive(...(arrivals[turn] ?? []));
      const heard = this.play();
      this.nowMs += 20;
      return heard;
    });
  }

  /** What leaves in the turn of an arrival, as a leg at target 0 drains it. */
  forward(...places: number[]): unknown[] {
    const heard: unknown[] = [];
    for (const place of places) {
      this.arrive(place);
      for (let played = this.play(); played !== '-'; played = this.play()) heard.push(played);
    }
    return heard;
  }
}

// RFC 3550 §5.1: numbers wrap at 16 bits. A buffer that compares or indexes plainly fails at one of these.
const WRAPS = [0, 127, 32_767, 65_535];
const STARTS = WRAPS.flatMap((wrap) => [wrap - 4, wrap - 1, wrap, wrap + 1].map((start) => start & 0xffff));

describe('at target 0', () => {
  it.each(STARTS)('frames leave in the turn they came in, from number %d', (start) => {
    const line = new Line(0, start);
    expect(line.forward(1, 2, 3, 4, 5, 6, 7, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 8, lostFrames: 0, resets: 0 });
    expect(line.buffer.depthMs).toBe(0);
  });

  it.each(STARTS)(
    'a hole is counted as lost and the frame behind it leaves at once, from number %d',
    (start) => {
      const line = new Line(0, start);
      expect(line.forward(1, 2, 5, 6)).toEqual([1, 2, 5, 6]);
      expect(line.buffer.stats).toMatchObject({ receivedFrames: 4, lostFrames: 2, concealedFrames: 0 });
    },
  );

  it('a frame whose turn has passed is late, one seen before is a duplicate', () => {
    const line = new Line(0);
    expect(line.forward(1, 3, 2, 3, 3, 4)).toEqual([1, 3, 4]);
    expect(line.buffer.stats).toMatchObject({
      receivedFrames: 3,
      lostFrames: 1,
      lateFrames: 1,
      duplicateFrames: 2,
    });
  });

  it('a hole longer than the slots is counted whole', () => {
    const line = new Line(0);
    expect(line.forward(1, 60)).toEqual([1, 60]);
    expect(line.buffer.stats).toMatchObject({
      receivedFrames: 2,
      lostFrames: 58,
      overflowFrames: 0,
      resets: 0,
    });
  });

  it('a burst leaves whole, in order, and adds no delay', () => {
    const line = new Line(0);
    line.arrive(1, 2, 3, 4, 5);
    expect(line.turns(6)).toEqual([1, 2, 3, 4, 5, '-']);
  });

  it('a pause of the sender is no loss', () => {
    const line = new Line(0);
    line.forward(1);
    line.nowMs += 60_000;
    expect(line.turns(50)).toEqual(Array.from({ length: 50 }, () => '-'));
    expect(line.forward(2)).toEqual([2]);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 0, concealedFrames: 0 });
  });
});

describe('above target 0', () => {
  it.each([20, 60, 200])('the first frame is held for %d ms, then one leaves each turn', (targetMs) => {
    const line = new Line(targetMs);
    const held = targetMs / 20;
    const arrivals = Object.fromEntries(Array.from({ length: 20 }, (_, turn) => [turn, [turn + 1]]));
    const expected = Array.from({ length: 20 }, (_, turn) => (turn < held ? '-' : turn - held + 1));
    expect(line.turns(20, arrivals)).toEqual(expected);
    expect(line.buffer.targetMs).toBe(targetMs);
    expect(line.buffer.depthMs).toBe(targetMs);
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 20, lostFrames: 0, concealedFrames: 0 });
  });

  it.each(STARTS)('frames are put in order, from number %d', (start) => {
    const line = new Line(60, start);
    line.arrive(2, 1, 4, 3, 6, 5);
    line.nowMs += 60;
    expect(line.turns(6)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 6, lostFrames: 0, lateFrames: 0, resets: 0 });
  });

  it.each(STARTS)('a lost frame is one turn of silence, from number %d', (start) => {
    const line = new Line(40, start);
    line.arrive(1, 2, 4, 5);
    line.nowMs += 40;
    expect(line.turns(5)).toEqual([1, 2, 'silence', 4, 5]);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 1, concealedFrames: 1, lateFrames: 0 });
  });

  it('a frame that comes after its turn was filled is late, and the delay stays', () => {
    const line = new Line(20);
    const heard = line.turns(8, { 0: [1], 1: [2], 3: [3, 4], 4: [5], 5: [6], 6: [7], 7: [8] });
    expect(heard).toEqual(['-', 1, 2, 3, 4, 5, 6, 7]);
    const later = line.turns(4, { 2: [9, 10, 11] });
    expect(later).toEqual([8, 'silence', 10, 11]);
    expect(line.buffer.stats).toMatchObject({ lateFrames: 1, lostFrames: 1, concealedFrames: 1 });
  });

  it('duplicates are counted, whether held or played', () => {
    const line = new Line(20);
    line.arrive(1, 1, 2);
    line.nowMs += 20;
    expect(line.turns(2, { 1: [1, 2] })).toEqual([1, 2]);
    expect(line.buffer.stats).toMatchObject({ receivedFrames: 2, duplicateFrames: 3, lateFrames: 0 });
  });

  it('a burst beyond the slots drops its oldest', () => {
    const line = new Line(60);
    const slots = (60 + 200) / 20;
    line.arrive(...Array.from({ length: slots + 7 }, (_, index) => index + 1));
    expect(line.buffer.depthMs).toBe(slots * 20);
    line.nowMs += 60;
    expect(line.turns(2)).toEqual([8, 9]);
    expect(line.buffer.stats).toMatchObject({ overflowFrames: 7, lostFrames: 0 });
  });

  it('a sender that pauses is filled for a while, then waited for, and held for the target again', () => {
    const line = new Line(40);
    line.arrive(1, 2);
    line.nowMs += 40;
    const heard = line.turns(20, { 12: [3], 13: [4], 14: [5], 15: [6], 16: [7], 17: [8], 18: [9], 19: [10] });
    const filled = ['silence', 'silence', 'silence', 'silence', 'silence'];
    const waited = ['-', '-', '-', '-', '-', '-', '-'];
    expect(heard).toEqual([1, 2, ...filled, ...waited, 3, 4, 5, 6, 7, 8]);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 0, lateFrames: 0, concealedFrames: 5 });
  });

  it('frames lost within a pause are counted', () => {
    const line = new Line(20);
    line.arrive(1);
    line.nowMs += 20;
    expect(line.turns(10, { 8: [5] }).at(-1)).toBe(5);
    expect(line.buffer.stats).toMatchObject({ lostFrames: 3, concealedFrames: 5 });
  });

  it('an order turned round before playing began is put right, and nothing before it is lost', () => {
    const line = new Line(60);
    line.arrive(3, 1, 2);
    line.nowMs += 60;
    expect(line.turns(3)).toEqual([1, 2, 3]);
    expect(line.buffer.stats.lostFrames).toBe(0);
  });
});

describe('a sender that starts over', () => {
  it.each([0, 60])(
    'is followed at target %d, what was held of its past is dropped and counted',
    (targetMs) => {
      const line = new Line(targetMs);
      line.arrive(1, 2);
      line.arrive(5000, 5001);
      line.nowMs += targetMs;
      expect(line.turns(2)).toEqual([5000, 5001]);
      expect(line.buffer.stats).toMatchObject({ resets: 1, overflowFrames: 2, lostFrames: 0 });
    },
  );

  it('is followed backwards too', () => {
    const line = new Line(0, 40_000);
    expect(line.forward(1000, 1001, 2, 3)).toEqual([1000, 1001, 2, 3]);
    expect(line.buffer.stats).toMatchObject({ resets: 1, lostFrames: 0, lateFrames: 0 });
  });

  it('by our own word leaves nothing behind', () => {
    const line = new Line(0);
    line.forward(1, 2);
    line.buffer.reset();
    expect(line.buffer.depthMs).toBe(0);
    expect(line.forward(2, 1000)).toEqual([2, 1000]);
    expect(line.buffer.stats).toMatchObject({ duplicateFrames: 0, lateFrames: 0, resets: 1 });
  });
});

describe('a jitter buffer', () => {
  it('refuses targets it cannot keep and frames that are not whole', () => {
    expect(() => new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: 220 })).toThrow(/0 to 200/);
    expect(() => new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: 30 })).toThrow(/whole frames/);
    const buffer = new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: 0 });
    expect(() => buffer.insert(new Int16Array(80), 1, 0, 0)).toThrow(/whole frames/);
  });

  it('plays no frame twice, none out of order, and accounts for every arrival', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('next' as const) },
      { weight: 3, arbitrary: fc.constant('turn' as const) },
      { weight: 1, arbitrary: fc.constant('lose' as const) },
      { weight: 1, arbitrary: fc.constant('swap' as const) },
      { weight: 1, arbitrary: fc.constant('again' as const) },
    );
    const runs = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 100 : 10_000;
    fc.assert(
      fc.property(
        fc.constantFrom(...STARTS),
        fc.constantFrom(0, 20, 60, 200),
        fc.array(step, { maxLength: 200 }),
        (start, targetMs, steps) => {
          const line = new Line(targetMs, start);
          let place = 0;
          let arrivals = 0;
          const heard: number[] = [];
          const listen = (): void => {
            const played = line.play();
            if (typeof played === 'number') heard.push(played);
          };
          for (const what of steps) {
            const coming = { next: [1], lose: [2], swap: [2, 1], again: [0], turn: [] }[what].map(
              (d) => place + d,
            );
            const fresh = coming.filter((c) => c > 0);
            line.arrive(...fresh);
            arrivals += fresh.length;
            place = Math.max(place, ...fresh);
            if (what === 'turn') {
              listen();
              line.nowMs += 20;
            }
          }
          const { receivedFrames, lateFrames, duplicateFrames, overflowFrames } = line.buffer.stats;
          expect(heard).toEqual(heard.toSorted((a, b) => a - b));
          expect(new Set(heard).size).toBe(heard.length);
          expect(receivedFrames + lateFrames + duplicateFrames).toBe(arrivals);
          expect(heard.length + overflowFrames + line.buffer.depthMs / 20).toBe(receivedFrames);
          expect(line.buffer.stats.resets).toBe(0);
        },
      ),
      { numRuns: runs },
    );
  });
});
