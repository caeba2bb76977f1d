import { describe, expect, it } from 'vitest';
import { Ear } from '../../native-bench/failover/ear.ts';
import type { LegFigures } from '../../native-bench/failover/crowd.ts';
import { brokenOf, figuresOf } from '../../native-bench/failover/fault-figures.ts';
import { FAULTS } from '../../native-bench/failover/faults.ts';
import { FRAME_BYTES, numberOf, writeNumber } from '../../native-bench/failover/numbered-frame.ts';
import type { Told } from '../../native-bench/scene/hook-figures.ts';

describe('a numbered frame', () => {
  it('says its number, also by its first bytes alone', () => {
    const frame = new Uint8Array(FRAME_BYTES);
    for (const number of [0, 1, 127, 32_767, 65_535, 0xfff_ffff]) {
      writeNumber(number, frame);
      expect(numberOf(frame)).toBe(number);
      expect(numberOf(frame.subarray(0, 8))).toBe(number);
    }
  });

  it('says none where a byte of it is another, or it is silence', () => {
    const frame = new Uint8Array(FRAME_BYTES);
    writeNumber(70_000, frame);
    frame[2]! ^= 1;
    expect(numberOf(frame)).toBe(-1);
    expect(numberOf(new Uint8Array(FRAME_BYTES).fill(0xff))).toBe(-1);
  });
});

/** Frames of these numbers, 20 ms apart from `fromMs` on. */
function hear(ear: Ear, fromMs: number, numbers: readonly number[]): void {
  for (const [i, number] of numbers.entries()) ear.hear(number, fromMs + 20 * i);
}

describe('an ear', () => {
  it('measures the silence that reaches beyond the fault, and the longest before', () => {
    const ear = new Ear();
    hear(ear, 1_000, [0, 1, 2]);
    hear(ear, 1_075, [3, 4]);
    hear(ear, 1_300, [5, 6]);
    expect(ear.heard(1_100, 1_330)).toMatchObject({ gapMs: 205, gapBeforeMs: 35, missingFrames: 0 });
  });

  it('takes a silence that lasts for as long as it has lasted', () => {
    const ear = new Ear();
    hear(ear, 1_000, [0, 1]);
    expect(ear.heard(1_030, 5_030)).toMatchObject({ gapMs: 4_000 });
  });

  it('tells missing, doubled and late frames apart', () => {
    const ear = new Ear();
    hear(ear, 0, [3, 4, 4, 8, 6, -1, 9]);
    expect(ear.heard(0, 140)).toMatchObject({ missingFrames: 2, doubledFrames: 1, lateFrames: 1 });
    expect(ear.otherFrames).toBe(1);
  });
});

const fault = FAULTS.find(({ name }) => name === 'node')!;

function leg(more: Partial<LegFigures> = {}): LegFigures {
  return {
    kind: 'native',
    callId: 'call_1',
    callSid: null,
    cause: 'closed',
    detectMs: 4,
    resumeMs: 3,
    gapMs: 40,
    gapBeforeMs: 21,
    missingFrames: 1,
    doubledFrames: 0,
    lateFrames: 0,
    otherFrames: 0,
    refusedLines: 1,
    refusals: [],
    isLost: false,
    ...more,
  };
}

function told(callId: string, sequence: number, type: string): Told {
  const id = `evt_${callId}_${sequence}`;
  return { id, type, sequence, callId, callSid: '', mediaMs: null, gapMs: null, arrivedAtMs: sequence };
}

const whole = [told('call_1', 1, 'call_started'), told('call_1', 2, 'call_analyzed')];

function figures(legs: readonly LegFigures[], events: readonly Told[], movedCalls: number | null = null) {
  return figuresOf(fault, [{ legs, placedCalls: 1, warmCalls: 0, refusals: [], movedCalls }], events);
}

describe('what a fault cost', () => {
  it('is held against its target, figure by figure', () => {
    expect(figures([leg()], whole).legs[0]!.missed).toEqual([]);
    expect(figures([leg({ detectMs: 11, gapMs: 101 })], whole).legs[0]!.missed).toEqual(['detect', 'gap']);
  });

  it('misses a target where nobody came back', () => {
    const missed = figures([leg({ isLost: true, resumeMs: null })], whole).legs[0]!.missed;
    expect(missed).toEqual(['resume']);
  });

  it('is nothing broken where every call went on and was told whole', () => {
    expect(brokenOf(figures([leg()], whole, 0))).toEqual([]);
  });

  it('is broken by a lost call, one told as another, a frame twice, an event lost and a call moved', () => {
    expect(brokenOf(figures([leg({ isLost: true })], whole))[0]).toContain('1 calls were lost');
    const other = [told('call_2', 1, 'call_started'), told('call_2', 2, 'call_analyzed')];
    expect(brokenOf(figures([leg()], [...whole, ...other]))[0]).toContain('1 calls were lost');
    expect(brokenOf(figures([leg({ doubledFrames: 3 })], whole))[0]).toContain('3 frames were heard twice');
    expect(brokenOf(figures([leg()], [whole[1]!]))[0]).toContain('1 events were lost');
    expect(brokenOf(figures([leg()], whole, 2))[0]).toContain('2 calls were moved');
  });
});

describe('the faults', () => {
  it('take no more than three quarters of an hour as they are planned', () => {
    const alone = FAULTS.filter(({ scene }) => !scene.startsWith('redis-'));
    const long = FAULTS.filter(({ scene }) => scene === 'redis-killed');
    const seconds = [...alone, ...long].reduce(
      (sum, { runs, secondsPerRun }) => sum + runs * secondsPerRun,
      0,
    );
    expect(seconds).toBeLessThan(2_400);
  });
});
