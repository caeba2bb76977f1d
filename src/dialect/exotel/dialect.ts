import { l16, PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { LISTEN_ONLY, maySpeak } from '../json-media/stream/options.ts';
import { ExotelCaller } from './caller.ts';
import { EXOTEL_MESSAGE_BYTES } from './message-size.ts';
import { exotelGrammar, sampleRateOf } from './read.ts';
import { openExotelWriter } from './write.ts';

/** Exotel AgentStream: the Voicebot applet both ways, the Stream applet listening (developer.exotel.com). */
export const exotelDialect: Dialect = {
  name: 'exotel',
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
    // 3200 bytes at least: 200 ms at 8000 Hz, 100 ms at 16000.
    messageFrames: 10,
    inFlightMsMax: 1_000,
    twoCodecs: false,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [EXOTEL_MESSAGE_BYTES, LISTEN_ONLY],
  formats: [l16(8000), l16(16_000), l16(24_000), PCMU_8K],
  openSession: ({ options, upgrade }) => {
    const wishes = { bidirectional: maySpeak(options), sampleRate: sampleRateOf(upgrade.target) };
    return new MediaSession(new MediaReader(exotelGrammar(wishes)), (started) =>
      openExotelWriter(started, options),
    );
  },
  openCaller: (options) => new ExotelCaller(options),
  // It signs nothing: Basic, or the addresses it calls from, which the door checks.
  proofs: [],
};
