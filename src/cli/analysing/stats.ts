import type { JsonObject } from '../../base/json.ts';
import type { Ingress } from '../../leg/ingress.ts';
import type { QualityReport } from '../../media/quality/quality-window.ts';

/** What was counted on the way in, and how good it must have sounded (an estimate: ITU-T G.107). */
export function statsOf(
  ingress: Ingress,
  report: QualityReport | undefined,
  sampleRateHz: number,
): { readonly jitter: JsonObject; readonly quality: JsonObject | null } {
  const { jitter, losses, stats, arrivals } = ingress;
  const ms = (samples: number): number => Math.round((1000 * samples) / sampleRateHz);
  return {
    jitter: {
      received_frames: stats.receivedFrames,
      played_frames: stats.playedFrames,
      refused_messages: stats.refusedMessages,
      lost_frames: losses.lostFrames,
      late_frames: losses.lateFrames,
      duplicate_frames: losses.duplicateFrames,
      concealed_frames: losses.concealedFrames,
      comfort_frames: jitter.stats.comfortFrames,
      overflow_frames: jitter.stats.overflowFrames,
      stretched_ms: ms(jitter.stats.addedSamples),
      shortened_ms: ms(jitter.stats.removedSamples),
      resets: jitter.stats.resets,
      target_ms: Math.round(jitter.targetMs),
      drift_ppm: Math.round(jitter.driftPpm),
      interarrival_jitter_ms: to(arrivals.jitterMs, 1),
    },
    quality: report === undefined ? null : qualityOf(report),
  };
}

function qualityOf({ mos, rFactor, lossRatio, lateRatio, delayMs }: QualityReport): JsonObject {
  return {
    mos: to(mos, 2),
    r_factor: to(rFactor, 1),
    loss_ratio: to(lossRatio, 4),
    late_ratio: to(lateRatio, 4),
    delay_ms: to(delayMs, 1),
  };
}

function to(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
