import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sequencer } from '../../../src/media/jitter/sequencer.ts';

const WAIT_MS = 60;
const STARTS = [0, 127, 32_767, 65_535].flatMap((wrap) => [wrap - 3, wrap - 1, wrap].map((n) => n & 0xffff));

/** A decoder's end of a line. Packets are named by their place, from 1, and carry it as their bytes. */
class Line {
  readonly sequencer = new Sequencer({ packetsMax: 8, packetBytesMax: 4, waitMs: WAIT_MS });
  nowMs = 1000;
  readonly #first: number;
  readonly #scratch = new Uint8Array(16);

  constructor(first = 500) {
    this.#first = first;
  }

  /** What is decoded after these packets came. */
  arrive(...places: number[]): unknown[] {
    const heard: unknown[] = [];
    for (const place of places) {
      this.#scratch.fill(0).set([place & 0xff, place >> 8]);
      const sequence = (this.#first + place - 1) & 0xffff;
      this.sequencer.offer(this.#scratch, 2, { sequence, timestampSamples: place * 160 }, this.nowMs);
      heard.push(...this.take());
    }
    return heard;
  }

  take(): unknown[] {
    const heard: unknown[] = [];
    for (let found = this.sequencer.next(this.nowMs); found !== 'waiting';) {
      heard.push(found === 'lost' ? 'lost' : this.#shown());
      found = this.sequencer.next(this.nowMs);
    }
    return heard;
  }

  #shown(): number {
    const { packet, packetBytes, sequence, timestampSamples } = this.sequencer;
    const place = packet[0]! + packet[1]! * 256;
    const isAsSent = sequence === ((this.#first + place - 1) & 0xffff) && timestampSamples === place * 160;
    if (!isAsSent || packetBytes !== 2) throw new Error(`packet ${place} is shown as ${sequence}`);
    return place;
  }
}

describe('a sequencer', () => {
  it.each(STARTS)('gives packets in order as they come, from number %d', (start) => {
    expect(new Line(start).arrive(1, 2, 3, 4, 5, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each(STARTS)('holds what came too early until the missing one is there, from number %d', (start) => {
    const line = new Line(start);
    expect(line.arrive(1, 3, 4)).toEqual([1]);
    expect(line.sequencer.heldPackets).toBe(2);
    expect(line.arrive(2, 5)).toEqual([2, 3, 4, 5]);
    expect(line.sequencer.stats).toMatchObject({ packets: 5, lostPackets: 0, latePackets: 0 });
  });

  it('gives a missing one up after the wait, and says when that is', () => {
    const line = new Line();
    line.arrive(1, 3);
    expect(line.sequencer.givesUpAtMs).toBe(1000 + WAIT_MS);
    line.nowMs += WAIT_MS - 1;
    expect(line.take()).toEqual([]);
    line.nowMs += 1;
    expect(line.take()).toEqual(['lost', 3]);
    expect(line.sequencer.givesUpAtMs).toBe(Infinity);
    expect(line.arrive(2)).toEqual([]);
    expect(line.sequencer.stats).toMatchObject({ lostPackets: 1, latePackets: 1 });
  });

  it('gives missing ones up at once when its window is full', () => {
    const line = new Line();
    line.arrive(1);
    expect(line.arrive(3, 4, 5, 6, 7, 8)).toEqual([]);
    expect(line.arrive(9)).toEqual(['lost', 3, 4, 5, 6, 7, 8, 9]);
    // What lies before the window of 40 is counted, not told: nobody conceals half a second.
    expect(line.arrive(40)).toEqual(['lost']);
    expect(line.sequencer.stats.lostPackets).toBe(1 + 23 + 1);
    line.nowMs += WAIT_MS;
    expect(line.take()).toEqual([...Array.from({ length: 6 }, () => 'lost'), 40]);
  });

  it('shows the packet behind a lost one, so that what it repeats can be decoded', () => {
    const line = new Line();
    line.arrive(1, 3);
    line.nowMs += WAIT_MS;
    expect(line.sequencer.next(line.nowMs)).toBe('lost');
    expect(line.sequencer.hasFollowing).toBe(true);
    expect(line.sequencer.packet[0]).toBe(3);
    expect(line.sequencer.next(line.nowMs)).toBe('packet');
    expect(line.sequencer.packet[0]).toBe(3);
  });

  it('counts duplicates, held or taken, and refuses what is too long', () => {
    const line = new Line();
    line.arrive(1, 1, 3, 3);
    line.sequencer.offer(new Uint8Array(9), 9, { sequence: 503, timestampSamples: 0 }, line.nowMs);
    expect(line.sequencer.stats).toMatchObject({ packets: 2, duplicatePackets: 2, oversizedPackets: 1 });
  });

  it('follows a sender that starts over and drops nothing it holds', () => {
    const line = new Line();
    line.arrive(1, 3);
    line.arrive(20_000, 20_001);
    line.nowMs += WAIT_MS;
    expect(line.take()).toEqual(['lost', 3, 20_000, 20_001]);
    expect(line.sequencer.stats).toMatchObject({ resets: 1, lostPackets: 1 });
    line.sequencer.reset();
    expect(line.arrive(7, 8)).toEqual([7, 8]);
  });

  it('gives every packet at most once, in order, whatever comes', () => {
    const runs = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 100 : 10_000;
    const steps = fc.array(fc.integer({ min: -6, max: 12 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), steps, (start, jumps) => {
        const line = new Line(start);
        const heard: unknown[] = line.arrive(20);
        let place = 20;
        for (const jump of jumps) {
          line.nowMs += 7;
          place = Math.max(21, place + jump);
          heard.push(...line.arrive(place));
          expect(line.sequencer.heldPackets).toBeLessThanOrEqual(8);
        }
        const places = heard.filter((found) => typeof found === 'number');
        expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
        const { packets, lostPackets } = line.sequencer.stats;
        expect(packets).toBe(places.length + line.sequencer.heldPackets);
        expect(lostPackets).toBeGreaterThanOrEqual(heard.length - places.length);
      }),
      { numRuns: runs },
    );
  });
});
