import { l16 } from '../../media/format.ts';
import { AudioBytes } from '../binary-media/audio-bytes.ts';
import { BinarySession } from '../binary-media/session.ts';
import { optionOf, type DialectOption } from '../capabilities.ts';
import type { Dialect } from '../dialect.ts';
import { isLittle, l16ByteOrder } from '../json-media/stream/options.ts';
import { VonageCaller } from '../vonage/caller.ts';
import { VonageReader } from '../vonage/read.ts';

const RATES_HZ = [8000, 16_000];
const BYTE_ORDER = l16ByteOrder('little');
const SAMPLE_RATE: DialectOption = {
  name: 'sample_rate',
  values: ['8000', '16000'],
  fallback: '16000',
  meaning:
    'The rate of audio both ways where `websocket:connected` names none: `sampleRate` of the media stream.',
};

/**
 * Infobip's media streams (infobip.com/docs/voice-and-video, Calls API): Vonage's words as far as anybody
 * has told, without a documented way to clear or to mark. Its wire is not documented at all.
 */
export const infobipDialect: Dialect = {
  name: 'infobip',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: false,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Nothing takes back what was sent: little is.
    inFlightMsMax: 100,
    twoCodecs: false,
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: true,
  },
  options: [SAMPLE_RATE, BYTE_ORDER],
  formats: RATES_HZ.map((sampleRateHz) => l16(sampleRateHz)),
  openSession: ({ options }) => {
    const littleEndian = isLittle(BYTE_ORDER, options);
    const fallback = l16(Number(optionOf(SAMPLE_RATE, options)), littleEndian);
    const audio = new AudioBytes();
    return new BinarySession({
      reader: new VonageReader({ fallback, littleEndian }),
      openWriter: () => ({ audio: (frame) => audio.write(frame) }),
      isReplaceable: true,
    });
  },
  openCaller: (options) =>
    new VonageCaller(options, {
      name: 'Infobip',
      ratesHz: RATES_HZ,
      littleEndian: options.format.littleEndian,
      knowsActions: false,
    }),
  // `securityConfig` names basic, which the door checks, and an hmac of which nothing is told.
  proofs: [],
};
