import { describe, expect, it } from 'vitest';
import { Playback } from '../../../../src/cli/calling/audio/playback.ts';
import { FakeClock } from '../../../fakes/clock.ts';

function openPlayback() {
  const clock = new FakeClock({ nowMs: 1_000 });
  const marks: [string, number][] = [];
  const playback = new Playback(clock, (name) => void marks.push([name, clock.nowMs()]));
  return { clock, marks, playback };
}

describe('a loudspeaker', () => {
  it('reaches a mark when what came before it has played', () => {
    const { clock, marks, playback } = openPlayback();
    for (let i = 0; i < 10; i++) playback.hear(20, clock.nowMs());
    playback.mark('a', clock.nowMs());
    playback.hear(20, clock.nowMs());
    playback.mark('b', clock.nowMs());
    clock.advance(1_000);
    expect(marks).toEqual([
      ['a', 1_200],
      ['b', 1_220],
    ]);
  });

  it('reaches a mark at once where nothing plays', () => {
    const { clock, marks, playback } = openPlayback();
    playback.mark('a', clock.nowMs());
    clock.advance(0);
    expect(marks).toEqual([['a', 1_000]]);
  });

  it('tells its marks at once when it is cleared, and what was not heard', () => {
    const { clock, marks, playback } = openPlayback();
    playback.hear(500, clock.nowMs());
    playback.mark('a', clock.nowMs());
    clock.advance(100);
    expect(playback.clear(clock.nowMs())).toBe(400);
    expect(marks).toEqual([['a', 1_100]]);
    clock.advance(1_000);
    expect(marks).toHaveLength(1);
    expect(playback.clear(clock.nowMs())).toBe(0);
  });

  it('says that it plays, and that all has played, once for what comes without a pause', () => {
    const clock = new FakeClock({ nowMs: 1_000 });
    const told: [string, number][] = [];
    const playback = new Playback(clock, () => {}, {
      onStarted: () => void told.push(['started', clock.nowMs()]),
      onPlayedOut: () => void told.push(['played out', clock.nowMs()]),
    });
    playback.hear(200, clock.nowMs());
    clock.advance(220);
    playback.hear(200, clock.nowMs());
    clock.advance(1_000);
    playback.hear(200, clock.nowMs());
    clock.advance(100);
    // What a provider drops it says nothing of.
    playback.clear(clock.nowMs());
    clock.advance(1_000);
    expect(told).toEqual([
      ['started', 1_000],
      ['played out', 1_460],
      ['started', 2_220],
    ]);
  });

  it('says how long it was idle', () => {
    const { clock, playback } = openPlayback();
    expect(playback.hear(20, clock.nowMs())).toBe(0);
    expect(playback.hear(20, clock.nowMs())).toBe(0);
    clock.advance(540);
    expect(playback.hear(20, clock.nowMs())).toBe(500);
  });

  it('holds so many marks and no more', () => {
    const { clock, marks, playback } = openPlayback();
    playback.hear(20, clock.nowMs());
    for (let i = 0; i < 1_005; i++) playback.mark(String(i), clock.nowMs());
    expect(playback.stats.droppedMarks).toBe(5);
    playback.close();
    clock.advance(100);
    expect(marks).toEqual([]);
  });
});
