import { l16, PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { AudioCodesCaller } from './caller.ts';
import { BYTE_ORDER, MEDIA_FORMAT } from './media-formats.ts';
import { AudioCodesSession, BARGE_IN } from './session.ts';

/** AudioCodes' Bot API, streaming mode: VoiceAI Connect and Live Hub (ac-bot-api c81e45f). */
export const audioCodesDialect: Dialect = {
  name: 'audiocodes',
  subprotocols: [],
  capabilities: {
    // Some descriptions have `playStream.mark.set`, its SDK has not.
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: true,
    dtmfIn: true,
    dtmfOut: true,
    hangUp: true,
    transfer: true,
    sequenced: false,
    messageFrames: 1,
    // Marks are told by what was sent, and are early by so much at most.
    inFlightMsMax: 400,
    twoCodecs: false,
    closeEnds: false,
    resume: false,
    // `session.resume` names its conversation, and has no token of ours.
    returns: true,
    goaway: false,
    keepAliveMs: 0,
    unverified: true,
  },
  options: [MEDIA_FORMAT, BYTE_ORDER, BARGE_IN],
  formats: [l16(16_000), l16(24_000), l16(8000), PCMU_8K],
  openSession: (options) => new AudioCodesSession(options),
  openCaller: (options) => new AudioCodesCaller(options),
  // Its token is a bearer, which the door checks.
  proofs: [],
};
