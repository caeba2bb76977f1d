import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { Leg } from '../leg/leg.ts';
import type { QualityReport } from '../media/quality/quality-window.ts';

/**
 * What was measured of one leg's audio: a leg of `call_completed`'s quality. What is counted is exact; MOS, R
 * and delay are estimates by transport (ITU-T G.107), null where nothing was ever heard.
 */
export function qualityOf(leg: Leg, nowMs: AtMs): JsonObject {
  const { ingress, egress, playout } = leg;
  const { jitter, losses } = ingress;
  const { addedSamples, removedSamples } = jitter.stats;
  const stretchedSamples = addedSamples + removedSamples;
  return {
    received_frames: ingress.stats.receivedFrames,
    late_frames: losses.lateFrames,
    lost_frames: losses.lostFrames,
    duplicate_frames: losses.duplicateFrames,
    concealed_frames: losses.concealedFrames,
    sent_frames: egress.stats.sentFrames,
    dropped_frames: egress.stats.droppedFrames + playout.stats.refusedFrames,
    stretched_ms: Math.round((1000 * stretchedSamples) / leg.sampleRateHz),
    drift_ppm: Math.round(jitter.driftPpm),
    ...estimateOf(leg.quality.whole(nowMs)),
  };
}

/** What `media_degraded` and `media_recovered` say of the ten seconds that decided them. */
export function windowFields({ mos, rFactor, lossRatio, lateRatio, jitterMs }: QualityReport): JsonObject {
  return {
    mos: rounded(mos, 2),
    r_factor: rounded(rFactor, 1),
    loss_ratio: rounded(lossRatio, 4),
    late_ratio: rounded(lateRatio, 4),
    jitter_ms: rounded(jitterMs, 1),
  };
}

function estimateOf(report: QualityReport | undefined): JsonObject {
  if (report === undefined) return { mos: null, r_factor: null, jitter_ms: null, delay_ms: null };
  const { mos, r_factor = null, loss_ratio = null, jitter_ms = null } = windowFields(report);
  return { mos: mos ?? null, r_factor, loss_ratio, jitter_ms, delay_ms: rounded(report.delayMs, 1) };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
