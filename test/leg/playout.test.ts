import { describe, expect, it } from 'vitest';
import { newFrameCounters } from '../../src/leg/counters.ts';
import { Playout } from '../../src/leg/playout.ts';

const slots = { take: () => new Int16Array(1), giveBack: () => {} };
const frame = (value: number): Int16Array => Int16Array.of(value);

function played(playout: Playout): number | undefined {
  const target = frame(0);
  return playout.playInto(target) ? target[0] : undefined;
}

describe('a playout queue', () => {
  it('plays in order, and copies what it is given', () => {
    const playout = new Playout(slots);
    const source = frame(1);
    playout.push(source);
    source[0] = 99;
    playout.push(frame(2));
    expect([played(playout), played(playout), played(playout)]).toEqual([1, 2, undefined]);
  });

  it('reports a mark once everything before it has been played', () => {
    const playout = new Playout(slots);
    playout.push(frame(1));
    playout.mark('after one');
    playout.push(frame(2));
    playout.mark('after two');
    expect(playout.takeMark()).toBeUndefined();
    played(playout);
    expect([playout.takeMark(), playout.takeMark()]).toEqual([
      { name: 'after one', playedFrames: 1 },
      undefined,
    ]);
    played(playout);
    expect(playout.takeMark()).toEqual({ name: 'after two', playedFrames: 2 });
  });

  it('reports a mark in an empty queue at once', () => {
    const playout = new Playout(slots);
    playout.mark('now');
    expect(playout.takeMark()).toEqual({ name: 'now', playedFrames: 0 });
  });

  it('says on clear what was heard, what was not, and which marks never came', () => {
    const playout = new Playout(slots);
    for (let i = 0; i < 5; i++) playout.push(frame(i));
    playout.mark('end');
    played(playout);
    played(playout);
    expect(playout.clear()).toEqual({
      playedFrames: 2,
      unplayedFrames: 3,
      marks: [{ name: 'end', playedFrames: 2 }],
    });
    expect(playout.isIdle).toBe(true);
    expect(playout.takeMark()).toBeUndefined();
  });

  it('counts what was heard of a speech from where that speech began', () => {
    const playout = new Playout(slots);
    playout.push(frame(1));
    played(playout);
    expect([playout.rest(), playout.rest(), playout.rest(), playout.rest()]).toEqual([
      false,
      false,
      true,
      false,
    ]);
    playout.push(frame(2));
    playout.push(frame(3));
    played(playout);
    expect(playout.clear()).toMatchObject({ playedFrames: 1, unplayedFrames: 1 });
  });

  it('takes a source that speaks just in time for one speech', () => {
    const playout = new Playout(slots);
    for (let spoken = 1; spoken <= 10; spoken++) {
      playout.push(frame(spoken));
      played(playout);
      expect(playout.rest()).toBe(false);
    }
    expect(playout.playedOfSpeechFrames).toBe(10);
  });

  it('holds its breath while paused', () => {
    const playout = new Playout(slots);
    playout.push(frame(1));
    playout.pause('asked');
    expect(played(playout)).toBeUndefined();
    playout.resume('asked');
    expect(played(playout)).toBe(1);
  });

  it('waits until every reason to has gone, and a command’s reason outlives what it held', () => {
    const playout = new Playout(slots);
    playout.push(frame(1));
    playout.pause('asked');
    playout.pause('interrupted');
    playout.resume('interrupted');
    expect(played(playout)).toBeUndefined();
    playout.clear();
    playout.push(frame(2));
    expect(played(playout)).toBeUndefined();
    playout.resume('asked');
    expect(played(playout)).toBe(2);
  });

  it('says of a mark how much of its own speech was played, and nothing of a live voice', () => {
    const playout = new Playout(slots);
    playout.push(frame(1));
    played(playout);
    for (let tick = 0; tick < 3; tick++) playout.rest();
    for (let i = 0; i < 4; i++) playout.push(frame(i));
    playout.mark('two more');
    playout.mark('live', true);
    for (let i = 0; i < 4; i++) played(playout);
    expect([playout.takeMark(), playout.takeMark()]).toEqual([
      { name: 'two more', playedFrames: 4 },
      { name: 'live', playedFrames: null },
    ]);
  });

  it('carries on a speech that began in another queue', () => {
    const playout = new Playout(slots);
    playout.carryOn(7);
    playout.push(frame(1));
    playout.mark('end');
    played(playout);
    expect(playout.takeMark()).toEqual({ name: 'end', playedFrames: 8 });
  });

  it('refuses, and counts, what is over its limit or what the pool has no slot for', () => {
    const small = new Playout(slots, 1);
    expect([small.push(frame(1)), small.push(frame(2))]).toEqual([true, false]);
    const poor = new Playout({ take: () => undefined, giveBack: () => {} });
    expect(poor.push(frame(1))).toBe(false);
    expect([small.stats.refusedFrames, poor.stats.refusedFrames]).toEqual([1, 1]);
  });

  it('gives every slot back: played, cleared or refused', () => {
    let lent = 0;
    const counted = { take: () => (lent++, new Int16Array(1)), giveBack: () => void lent-- };
    const playout = new Playout(counted, 3);
    for (let i = 0; i < 5; i++) playout.push(frame(i));
    played(playout);
    playout.clear();
    expect(lent).toBe(0);
  });

  it('counts what it refuses among the frames of all legs of its kind, of the queue beside it, too', () => {
    const counters = newFrameCounters();
    const playout = new Playout(slots, 1, counters);
    const beside = playout.beside();
    for (const queue of [playout, beside]) for (let i = 0; i < 3; i++) queue.push(frame(i));
    expect([playout.stats.refusedFrames, beside.stats.refusedFrames]).toEqual([2, 2]);
    expect(counters.droppedFullFrames).toBe(4);
  });
});
