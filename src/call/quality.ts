import type { JsonObject } from '../base/json.ts';
import type { Leg } from '../leg/leg.ts';

/** What was measured of one leg's audio, by counting: a leg of `call_completed`'s quality. */
export function qualityOf(leg: Leg): JsonObject {
  const { receivedFrames, lateFrames, lostFrames, duplicateFrames, concealedFrames } =
    leg.ingress.jitter.stats;
  return {
    received_frames: receivedFrames,
    late_frames: lateFrames,
    lost_frames: lostFrames,
    duplicate_frames: duplicateFrames,
    concealed_frames: concealedFrames,
    sent_frames: leg.egress.stats.sentFrames,
    dropped_frames: leg.egress.stats.droppedFrames + leg.playout.stats.refusedFrames,
  };
}
