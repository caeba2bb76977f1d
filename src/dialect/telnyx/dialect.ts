import { isSameSecret } from '../../base/secret.ts';
import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { PROOF_FAILED, PROOF_HOLDS } from '../proof.ts';
import { TelnyxCaller } from './caller.ts';
import { TELNYX_OPTIONS } from './options.ts';
import { TelnyxReader } from './read.ts';
import { TOKEN_WORD } from './words.ts';
import { openTelnyxWriter } from './write.ts';

const G722: AudioFormat = { codec: 'g722', sampleRateHz: 16_000, littleEndian: true };
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: true };

/**
 * Telnyx media streaming
 * (developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket).
 */
export const telnyxDialect: Dialect = {
  name: 'telnyx',
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
    sequenced: true,
    // Less than 20 ms a message, or many small ones, is error 100005.
    messageFrames: 1,
    // One message may hold 30 s; a second in flight keeps a lost `clear` short.
    inFlightMsMax: 1_000,
    twoCodecs: true,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: TELNYX_OPTIONS,
  formats: [PCMU_8K, PCMA_8K, G722, OPUS, l16(8000), l16(16_000), l16(24_000)],
  openSession: ({ options, upgrade }) =>
    new MediaSession(new TelnyxReader(options, upgrade), openTelnyxWriter),
  openCaller: (options) => new TelnyxCaller(options),
  proofs: ['api_key'],
  webhookProofs: ['public_key'],
  verify: ({ headers }, { api_key }) => {
    if (api_key === undefined) return PROOF_HOLDS;
    const token = headers[TOKEN_WORD];
    return api_key !== '' && token !== undefined && isSameSecret(token, api_key) ? PROOF_HOLDS : PROOF_FAILED;
  },
  prove: (_, { api_key }): { readonly [name: string]: string } =>
    api_key === undefined ? {} : { [TOKEN_WORD]: api_key },
};
