import { l16, PCMU_8K } from '../../media/format.ts';
import { optionOf, type Capabilities, type DialectOption } from '../capabilities.ts';
import type { Dialect } from '../dialect.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { isLittle, l16ByteOrder, LISTEN_ONLY, maySpeak } from '../json-media/stream/options.ts';
import { PROOF_HOLDS } from '../proof.ts';
import { PlivoCaller } from './caller.ts';
import { PlivoReader } from './read.ts';
import { provePlivoUpgrade, verifyPlivoUpgrade } from './signature.ts';
import { openPlivoWriter } from './write.ts';

const PLAY_STREAM_ID: DialectOption = {
  name: 'play_audio_stream_id',
  values: ['no', 'yes'],
  fallback: 'no',
  meaning: 'Whether `playAudio` names its stream: its SDK does not, others do.',
};

const CAPABILITIES: Capabilities = {
  marks: true,
  // Neither its pages nor its SDK say that a cleared checkpoint is played: one that is not returned would be
  // owed for ever, and one that is returned late is known no more.
  marksOnClear: 'dropped',
  marksMax: 1_000,
  clear: true,
  dtmfIn: true,
  dtmfOut: false,
  hangUp: false,
  transfer: false,
  sequenced: false,
  messageFrames: 1,
  // Field reports tell of trouble beyond 40 s; a second keeps a lost `clearAudio` short.
  inFlightMsMax: 1_000,
  twoCodecs: false,
  // Its SDK knows no `stop`: a clean close is how a stream ends.
  closeEnds: true,
  resume: false,
  goaway: false,
  keepAliveMs: 0,
  unverified: false,
};

/** Plivo Audio Streaming (docs.plivo.com, XML `Stream`; plivo/plivo-stream-sdk-node). */
export const plivoDialect: Dialect = plivoLike('plivo', {
  capabilities: CAPABILITIES,
  byteOrder: l16ByteOrder('little'),
  saysStop: false,
});

/** Vobiz, which speaks as Plivo does, with its own byte order and an ending (docs.vobiz.ai). */
export const vobizDialect: Dialect = plivoLike('vobiz', {
  capabilities: { ...CAPABILITIES, unverified: true },
  byteOrder: l16ByteOrder('big'),
  saysStop: true,
});

function plivoLike(
  name: string,
  own: { readonly capabilities: Capabilities; readonly byteOrder: DialectOption; readonly saysStop: boolean },
): Dialect {
  const { byteOrder, saysStop } = own;
  const littleEndian = byteOrder.fallback === 'little';
  return {
    name,
    subprotocols: [],
    capabilities: own.capabilities,
    options: [byteOrder, PLAY_STREAM_ID, LISTEN_ONLY],
    formats: [l16(8000, littleEndian), l16(16_000, littleEndian), PCMU_8K],
    openSession: ({ options }) => {
      const wishes = { littleEndian: isLittle(byteOrder, options), bidirectional: maySpeak(options) };
      const namesStream = optionOf(PLAY_STREAM_ID, options) === 'yes';
      return new MediaSession(new PlivoReader(wishes), (started) =>
        openPlivoWriter(started, { namesStream, saysStop }),
      );
    },
    openCaller: (options) => new PlivoCaller(options),
    proofs: ['auth_token'],
    verify: (upgrade, { auth_token }, nowUnixMs) =>
      auth_token === undefined ? PROOF_HOLDS : verifyPlivoUpgrade(upgrade, auth_token, nowUnixMs),
    prove: (upgrade, { auth_token }): { readonly [name: string]: string } =>
      auth_token === undefined ? {} : provePlivoUpgrade(upgrade, auth_token),
  };
}
