import { invariant } from '../../base/errors.ts';
import type { QualityReport } from './quality-window.ts';

/** What a window may be like at worst. */
export interface QualityLimits {
  readonly mosMin: number;
  readonly lossRatioMax: number;
  readonly lateRatioMax: number;
}

/** When a leg counts as degraded, and when as recovered: the second limits are the stricter ones. */
export interface QualityEdgeSettings {
  /** Beyond any of these a window is bad. */
  readonly degraded: QualityLimits;
  /** Within all of these a window is good; between the two it changes nothing. */
  readonly recovered: QualityLimits;
  /** Bad windows in a row that make a leg degraded, good ones in a row that make it recovered. */
  readonly degradeWindows: number;
  readonly recoverWindows: number;
  /** Windows with fewer frames decide nothing: two lost of ten are no 20 %. */
  readonly framesMin: number;
}

/** MOS 3.6 is R 70, below which many users are dissatisfied (ITU-T G.109 table 1). */
export const DEFAULT_QUALITY_EDGES: QualityEdgeSettings = {
  degraded: { mosMin: 3.6, lossRatioMax: 0.05, lateRatioMax: 0.05 },
  recovered: { mosMin: 3.8, lossRatioMax: 0.02, lateRatioMax: 0.02 },
  degradeWindows: 1,
  recoverWindows: 2,
  framesMin: 100,
};

/** What a window made of a leg, if it changed anything. */
export type QualityEdge = 'degraded' | 'recovered' | undefined;

type EdgeState =
  | { readonly name: 'well'; readonly badWindows: number }
  | { readonly name: 'ill'; readonly goodWindows: number };

const WELL: EdgeState = { name: 'well', badWindows: 0 };
const ILL: EdgeState = { name: 'ill', goodWindows: 0 };

/** Turns windows into edges, so that a leg on the brink does not chatter. */
export class QualityEdges {
  readonly #settings: QualityEdgeSettings;
  #state: EdgeState = WELL;

  constructor(settings: QualityEdgeSettings = DEFAULT_QUALITY_EDGES) {
    const { degraded, recovered, degradeWindows, recoverWindows } = settings;
    invariant(isWithin(recovered, degraded), 'what is recovered may not be degraded at once');
    invariant(degradeWindows >= 1 && recoverWindows >= 1, 'it takes a window at least to change');
    this.#settings = settings;
  }

  get isDegraded(): boolean {
    return this.#state.name === 'ill';
  }

  /** Judges the next window. */
  judge(report: QualityReport): QualityEdge {
    const { degraded, recovered, framesMin } = this.#settings;
    if (report.frames < framesMin) return undefined;
    if (this.#state.name === 'well') return this.#whileWell(this.#state.badWindows, !meets(report, degraded));
    return this.#whileIll(this.#state.goodWindows, meets(report, recovered));
  }

  #whileWell(badWindows: number, isBad: boolean): QualityEdge {
    const isOver = isBad && badWindows + 1 >= this.#settings.degradeWindows;
    if (isOver) this.#state = ILL;
    else this.#state = isBad ? { name: 'well', badWindows: badWindows + 1 } : WELL;
    return isOver ? 'degraded' : undefined;
  }

  #whileIll(goodWindows: number, isGood: boolean): QualityEdge {
    const isOver = isGood && goodWindows + 1 >= this.#settings.recoverWindows;
    if (isOver) this.#state = WELL;
    else this.#state = isGood ? { name: 'ill', goodWindows: goodWindows + 1 } : ILL;
    return isOver ? 'recovered' : undefined;
  }
}

function meets(report: QualityReport, { mosMin, lossRatioMax, lateRatioMax }: QualityLimits): boolean {
  return report.mos >= mosMin && report.lossRatio <= lossRatioMax && report.lateRatio <= lateRatioMax;
}

function isWithin(inner: QualityLimits, outer: QualityLimits): boolean {
  return (
    inner.mosMin >= outer.mosMin &&
    inner.lossRatioMax <= outer.lossRatioMax &&
    inner.lateRatioMax <= outer.lateRatioMax
  );
}
