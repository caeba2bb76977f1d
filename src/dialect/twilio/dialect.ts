import { PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { PROOF_FAILED, PROOF_HOLDS } from '../proof.ts';
import { TwilioCaller } from './caller.ts';
import { TWILIO_GRAMMAR } from './read.ts';
import { isTwilioUpgradeAuthentic, signTwilioUrl } from './signature.ts';
import { openTwilioWriter } from './write.ts';

/**
 * Twilio Media Streams: `<Connect><Stream>` both ways, `<Start><Stream>` listening only
 * (twilio.com/docs/voice/media-streams/websocket-messages).
 */
export const twilioDialect: Dialect = {
  name: 'twilio',
  subprotocols: [],
  capabilities: {
    marks: true,
    marksOnClear: 'returned',
    marksMax: 1_000,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Twilio buffers minutes (error 31931 beyond them); a second keeps a lost `clear` short.
    inFlightMsMax: 1_000,
    twoCodecs: false,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [],
  formats: [PCMU_8K],
  openSession: () => new MediaSession(new MediaReader(TWILIO_GRAMMAR), openTwilioWriter),
  openCaller: (options) => new TwilioCaller(options),
  proofs: ['auth_token'],
  verify: (upgrade, { auth_token }) =>
    auth_token === undefined || isTwilioUpgradeAuthentic(upgrade, auth_token) ? PROOF_HOLDS : PROOF_FAILED,
  prove: ({ url }, { auth_token }): { readonly [name: string]: string } =>
    auth_token === undefined ? {} : { 'X-Twilio-Signature': signTwilioUrl(url, auth_token) },
};
