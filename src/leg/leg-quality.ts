import type { AtMs } from '../base/clock.ts';
import type { CodecName } from '../media/format.ts';
import { QualityEdges, type QualityEdge } from '../media/quality/quality-edges.ts';
import { QUALITY_WINDOW_MS, QualityWindow, type QualityReport } from '../media/quality/quality-window.ts';
import type { Egress } from './egress.ts';
import type { Ingress } from './ingress.ts';

/** Who was not heard: the other end, or we. */
export type SilentSide = 'rx' | 'tx';

/** What ten seconds were like, and whether they changed how the leg counts. */
export interface LegWindow {
  /** Undefined where nothing was to be heard. */
  readonly report: QualityReport | undefined;
  readonly edge: QualityEdge;
  /** As they stood at its end. */
  readonly jitterMs: number;
  readonly bufferMs: number;
  /** Sides that have sent nothing for a window, told once until they are heard again. */
  readonly silentSides: readonly SilentSide[];
}

/** Frames one side has sent, and whether it is known to have stopped. */
interface Side {
  readonly name: SilentSide;
  frames: number;
  isSilent: boolean;
}

/** How good one leg sounds on its way in, window by window and as a whole. */
export class LegQuality {
  readonly #ingress: Ingress;
  readonly #egress: Pick<Egress, 'stats'>;
  readonly #window: QualityWindow;
  readonly #edges = new QualityEdges();
  readonly #heard: Side = { name: 'rx', frames: 0, isSilent: false };
  readonly #said: Side = { name: 'tx', frames: 0, isSilent: false };
  #windowEndsAtMs: AtMs;

  constructor(options: {
    codec: CodecName;
    ingress: Ingress;
    egress: Pick<Egress, 'stats'>;
    startedAtMs: AtMs;
  }) {
    const { codec, startedAtMs } = options;
    this.#ingress = options.ingress;
    this.#egress = options.egress;
    this.#windowEndsAtMs = startedAtMs + QUALITY_WINDOW_MS;
    this.#window = new QualityWindow({ codec, startedAtMs });
  }

  /** Looks once more, about once a second; answers the window that ended by now, if one did. */
  observe(nowMs: AtMs): LegWindow | undefined {
    const report = this.#look(nowMs);
    if (nowMs < this.#windowEndsAtMs) return undefined;
    this.#windowEndsAtMs = nowMs + QUALITY_WINDOW_MS;
    const { arrivals, jitter } = this.#ingress;
    const edge = report === undefined ? undefined : this.#edges.judge(report);
    return {
      report,
      edge,
      jitterMs: arrivals.jitterMs,
      bufferMs: jitter.depthMs,
      silentSides: this.#silentSides(),
    };
  }

  /** The whole leg until now; undefined where nothing was ever to be heard of it. */
  whole(nowMs: AtMs): QualityReport | undefined {
    this.#look(nowMs);
    return this.#window.whole();
  }

  #look(nowMs: AtMs): QualityReport | undefined {
    const { losses, jitter, arrivals, stats } = this.#ingress;
    // Without a clock nothing is made up: a hole is heard as a hole.
    const missingFrames = Math.max(losses.concealedFrames, losses.lostFrames);
    const playedFrames = Math.max(0, stats.playedFrames - losses.concealedFrames - stats.comfortFrames);
    return this.#window.observe(
      nowMs,
      { playedFrames, missingFrames, missingRuns: 0, lateFrames: losses.lateFrames },
      { jitterMs: arrivals.jitterMs, bufferMs: jitter.depthMs, networkMs: 0 },
    );
  }

  #silentSides(): readonly SilentSide[] {
    const isHeardSilent = fellSilent(this.#heard, this.#ingress.stats.receivedFrames);
    const isSaidSilent = fellSilent(this.#said, this.#egress.stats.sentFrames);
    return [...(isHeardSilent ? [this.#heard.name] : []), ...(isSaidSilent ? [this.#said.name] : [])];
  }
}

/** Whether a side has sent nothing since it was looked at last, and had until then. */
function fellSilent(side: Side, frames: number): boolean {
  const isSilent = frames === side.frames;
  const hasFallen = isSilent && !side.isSilent;
  side.frames = frames;
  side.isSilent = isSilent;
  return hasFallen;
}
