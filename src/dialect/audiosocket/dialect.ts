import { l16 } from '../../media/format.ts';
import { BinarySession } from '../binary-media/session.ts';
import { optionOf, type DialectOption } from '../capabilities.ts';
import type { Dialect } from '../dialect.ts';
import { AudioSocketCaller } from './caller.ts';
import { framed, FramedAudio, KIND_HANGUP, kindOfRate } from './framing.ts';
import { AudioSocketReader } from './read.ts';

const RATES = ['8000', '16000', '24000', '32000', '48000'];

/** Its door knows the rate by the first audio, and sets it. */
const AUDIOSOCKET_RATE: DialectOption = {
  name: 'sample_rate',
  values: RATES,
  fallback: '8000',
  meaning: 'The rate of audio, both ways; over TCP the first audio message tells it.',
};

/**
 * Asterisk's AudioSocket (docs.asterisk.org, AudioSocket; res_audiosocket.c): whole messages of its framing.
 */
export const audioSocketDialect: Dialect = {
  name: 'audiosocket',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: false,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: true,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Asterisk plays what comes as it comes, and nothing takes it back.
    inFlightMsMax: 60,
    twoCodecs: false,
    closeEnds: true,
    endsOnLoss: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [AUDIOSOCKET_RATE],
  formats: RATES.map((rate) => l16(Number(rate))),
  openSession: ({ options }) => {
    const sampleRateHz = Number(optionOf(AUDIOSOCKET_RATE, options));
    return new BinarySession({
      reader: new AudioSocketReader(sampleRateHz),
      openWriter: () => {
        const audio = new FramedAudio(kindOfRate(sampleRateHz) ?? 0);
        const hangUp = { bytes: framed(KIND_HANGUP, new Uint8Array(0)), isBinary: true };
        return { audio: (frame) => audio.write(frame), end: () => hangUp };
      },
    });
  },
  openCaller: (options) => new AudioSocketCaller(options),
  // The UUID is a secret that is good once; the door asks whose session it is.
  proofs: [],
};
