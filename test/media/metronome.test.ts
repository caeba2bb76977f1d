import { describe, expect, it } from 'vitest';
import { CATCH_UP_FRAMES, Metronome } from '../../src/media/metronome.ts';

/** The phases that are due at `nowMs`, in order. */
function phasesAt(metronome: Metronome, nowMs: number): number[] {
  return Array.from({ length: metronome.due(nowMs) }, () => metronome.nextPhase());
}

describe('a metronome', () => {
  it('is due every 20 ms of an absolute schedule, however late it is asked', () => {
    const metronome = new Metronome(1000);
    expect([1000, 1019.9, 1020, 1021, 1055, 1060, 1080].map((nowMs) => metronome.due(nowMs))).toEqual([
      0, 0, 1, 0, 1, 1, 1,
    ]);
    expect(metronome.nextAtMs).toBe(1100);
  });

  it('is off by less than one frame after ten minutes of late timers', () => {
    const metronome = new Metronome(123.456, 8);
    let steps = 0;
    const endMs = 123.456 + 600_000;
    for (let nowMs = 123.456; nowMs < endMs; nowMs = Math.max(metronome.nextAtMs, nowMs) + 0.73) {
      steps += metronome.due(nowMs);
    }
    steps += metronome.due(endMs + 0.001);
    expect(steps).toBe(8 * 30_000);
  });

  it('gives each phase its turn within the 20 ms', () => {
    const metronome = new Metronome(0, 4);
    expect([5, 10, 15, 20, 25].map((nowMs) => phasesAt(metronome, nowMs))).toEqual([[0], [1], [2], [3], [0]]);
    expect(metronome.nextAtMs).toBe(30);
  });

  it('catches up after a stall, each phase in turn', () => {
    const metronome = new Metronome(0, 4);
    expect(phasesAt(metronome, 32)).toEqual([0, 1, 2, 3, 0, 1]);
    expect(metronome.stats).toEqual({ playedSteps: 6, caughtUpSteps: 5, forgivenSteps: 0 });
  });

  it('forgives what lies beyond the limit, and every phase keeps its place', () => {
    const metronome = new Metronome(0, 2);
    metronome.due(1010);
    const forgivenSteps = 101 - 2 * CATCH_UP_FRAMES;
    expect(metronome.stats).toEqual({ playedSteps: 10, caughtUpSteps: 9, forgivenSteps });
    // Step 101, the last of the ten, is phase 0: it is due at 10, 30, … 1010 ms.
    expect(Array.from({ length: 10 }, () => metronome.nextPhase()).at(-1)).toBe(0);
    expect(phasesAt(metronome, 1020)).toEqual([1]);
  });

  it('keeps its clock over ten minutes in which the loop stalls for 200 ms every ten seconds', () => {
    const metronome = new Metronome(0, 4);
    let steps = 0;
    for (let nowMs = 0, turn = 1; nowMs < 600_000; turn++) {
      const isStalled = turn % 2000 === 0;
      nowMs = Math.max(metronome.nextAtMs, nowMs) + (isStalled ? 200 : 0.4);
      steps += metronome.due(nowMs);
      // Never behind by a step once it was asked, and never ahead.
      expect(metronome.nextAtMs - nowMs).toBeGreaterThan(0);
      expect(metronome.nextAtMs - nowMs).toBeLessThanOrEqual(5);
    }
    const { playedSteps, caughtUpSteps, forgivenSteps } = metronome.stats;
    expect(playedSteps).toBe(steps);
    expect(Math.abs((playedSteps + forgivenSteps) * 5 - 600_000)).toBeLessThan(20 + 200);
    // 200 ms are ten frames of four phases: five frames are caught up, the rest is forgiven and counted.
    const stalls = forgivenSteps / 21;
    expect(stalls).toBeGreaterThan(50);
    expect(Number.isInteger(stalls)).toBe(true);
    expect(caughtUpSteps).toBe(stalls * (4 * CATCH_UP_FRAMES - 1));
  });

  it("goes on in its own beat after a time that was nobody's, with nothing to catch up", () => {
    const metronome = new Metronome(0, 2);
    metronome.skipTo(1005);
    expect(metronome.due(1009)).toBe(0);
    expect(metronome.nextAtMs).toBe(1010);
    // 1010 ms is one of phase 0's instants, 10, 30, 50 …
    expect(phasesAt(metronome, 1011)).toEqual([0]);
    metronome.skipTo(500);
    expect(metronome.nextAtMs).toBe(1020);
    expect(metronome.stats).toEqual({ playedSteps: 1, caughtUpSteps: 0, forgivenSteps: 0 });
  });

  it('is not confused by a clock that stands still', () => {
    const metronome = new Metronome(0);
    expect(metronome.due(20)).toBe(1);
    expect(metronome.due(20)).toBe(0);
    expect(metronome.due(19)).toBe(0);
  });

  it('seats legs evenly, and again in the seats that were left', () => {
    const metronome = new Metronome(0, 3);
    expect([1, 2, 3, 4].map(() => metronome.join())).toEqual([0, 1, 2, 0]);
    metronome.leave(1);
    expect(metronome.join()).toBe(1);
    metronome.leave(2);
    expect(() => metronome.leave(2)).toThrow(/a phase it was not in/);
  });
});
