import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CodecName } from '../format.ts';
import { impairmentOf, lookAheadMs } from './codec-impairments.ts';
import { burstRatioOf, mosOf, rFactorOf } from './e-model.ts';

/** What a leg counts from its beginning; only differences matter, and a smaller count is a new beginning. */
export interface QualityCounts {
  /** Frames that came and were played. */
  readonly playedFrames: number;
  /** Frames made up because none came in time (on a leg without a buffer: frames that never came). */
  readonly missingFrames: number;
  /** Runs of such frames; 0 where nobody counts them, which is taken for chance. */
  readonly missingRuns: number;
  /** Frames that came after their turn. */
  readonly lateFrames: number;
}

/** What stands at this moment, besides what is counted. */
export interface QualityGauges {
  readonly jitterMs: number;
  /** How long a frame is held between arrival and playing. */
  readonly bufferMs: number;
  /** One way through the network, as far as anybody knows. */
  readonly networkMs: number;
}

/** How good a leg sounded over a stretch of time, by the E-model: an estimate, nobody has listened. */
export interface QualityReport {
  readonly rFactor: number;
  readonly mos: number;
  readonly lossRatio: number;
  readonly lateRatio: number;
  readonly burstRatio: number;
  /** Means over the stretch. */
  readonly jitterMs: number;
  readonly delayMs: number;
  /** Frames that were or should have been played; below a few hundred the estimate is a guess. */
  readonly frames: number;
}

/** One leg's windows. */
export interface QualityWindowOptions {
  readonly codec: CodecName;
  readonly startedAtMs: AtMs;
  readonly windowMs?: number;
}

/** How long a window is by default; operators are used to it from RTCP reports. */
export const QUALITY_WINDOW_MS = 10_000;

/**
 * Judges one direction of one leg, window by window and as a whole. It is fed counters now and then (once a
 * second will do), told the time, and has a report at the end of each window in which anything was to be
 * played.
 */
export class QualityWindow {
  readonly #codec: CodecName;
  readonly #windowMs: number;
  readonly #window = new Stretch();
  readonly #whole = new Stretch();
  #windowEndsAtMs: AtMs;
  #before: QualityCounts | undefined;

  constructor({ codec, startedAtMs, windowMs = QUALITY_WINDOW_MS }: QualityWindowOptions) {
    this.#codec = codec;
    this.#windowMs = windowMs;
    this.#windowEndsAtMs = startedAtMs + windowMs;
  }

  /** Notes where things stand; answers the report of the window that ended by now, if one did. */
  observe(nowMs: AtMs, counts: QualityCounts, gauges: QualityGauges): QualityReport | undefined {
    this.#note(counts, gauges);
    if (nowMs < this.#windowEndsAtMs) return undefined;
    // A stalled loop leaves out whole windows; what was counted meanwhile is in this one.
    this.#windowEndsAtMs +=
      this.#windowMs * (1 + Math.floor((nowMs - this.#windowEndsAtMs) / this.#windowMs));
    return this.endWindow();
  }

  /** Ends the window now, as when the leg ends; undefined where nothing was to be played in it. */
  endWindow(): QualityReport | undefined {
    const report = this.#window.report(this.#codec);
    this.#window.reset();
    return report;
  }

  /** The whole leg until now; undefined where nothing ever was to be played. */
  whole(): QualityReport | undefined {
    return this.#whole.report(this.#codec);
  }

  #note(counts: QualityCounts, gauges: QualityGauges): void {
    const before = this.#before;
    const isContinued = before !== undefined && isFrom(before, counts);
    for (const stretch of [this.#window, this.#whole]) {
      stretch.count(isContinued ? before : NOTHING, counts);
      stretch.gauge(gauges);
    }
    this.#before = { ...counts };
  }
}

const NOTHING: QualityCounts = { playedFrames: 0, missingFrames: 0, missingRuns: 0, lateFrames: 0 };

/** Whether the later counts go on from the earlier: a leg that came back counts from 0 again. */
function isFrom(earlier: QualityCounts, later: QualityCounts): boolean {
  return later.playedFrames >= earlier.playedFrames && later.missingFrames >= earlier.missingFrames;
}

/** What was counted over a stretch, and the sums its means are made of. */
class Stretch {
  #playedFrames = 0;
  #missingFrames = 0;
  #missingRuns = 0;
  #lateFrames = 0;
  #gauges = 0;
  #jitterSumMs = 0;
  #delaySumMs = 0;

  count(from: QualityCounts, to: QualityCounts): void {
    this.#playedFrames += to.playedFrames - from.playedFrames;
    this.#missingFrames += to.missingFrames - from.missingFrames;
    this.#missingRuns += Math.max(0, to.missingRuns - from.missingRuns);
    this.#lateFrames += Math.max(0, to.lateFrames - from.lateFrames);
  }

  gauge({ jitterMs, bufferMs, networkMs }: QualityGauges): void {
    this.#gauges++;
    this.#jitterSumMs += jitterMs;
    this.#delaySumMs += bufferMs + networkMs;
  }

  report(codec: CodecName): QualityReport | undefined {
    const frames = this.#playedFrames + this.#missingFrames;
    if (frames === 0) return undefined;
    const lossRatio = this.#missingFrames / frames;
    const meanRunFrames = this.#missingRuns === 0 ? 1 : this.#missingFrames / this.#missingRuns;
    const burstRatio = burstRatioOf(lossRatio, meanRunFrames);
    const delayMs = FRAME_MS + lookAheadMs(codec) + this.#delaySumMs / this.#gauges;
    const rFactor = rFactorOf({ codec: impairmentOf(codec), delayMs, lossRatio, burstRatio });
    return {
      rFactor,
      mos: mosOf(rFactor),
      lossRatio,
      lateRatio: Math.min(1, this.#lateFrames / frames),
      burstRatio,
      jitterMs: this.#jitterSumMs / this.#gauges,
      delayMs,
      frames,
    };
  }

  reset(): void {
    this.#playedFrames = 0;
    this.#missingFrames = 0;
    this.#missingRuns = 0;
    this.#lateFrames = 0;
    this.#gauges = 0;
    this.#jitterSumMs = 0;
    this.#delaySumMs = 0;
  }
}
