import { PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { maySpeak } from '../json-media/stream/options.ts';
import { BandwidthCaller } from './caller.ts';
import { BANDWIDTH_OPTIONS, outboundOf } from './options.ts';
import { bandwidthGrammar } from './read.ts';
import { openBandwidthWriter } from './write.ts';

/** Bandwidth's BXML `<StartStream>` (dev.bandwidth.com/docs/voice/programmable-voice/bxml/startStream). */
export const bandwidthDialect: Dialect = {
  name: 'bandwidth',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: true,
    dtmfIn: false,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Nothing tells what was played, so that what is in flight is a guess: it is kept small.
    inFlightMsMax: 400,
    twoCodecs: true,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: BANDWIDTH_OPTIONS,
  formats: [PCMU_8K],
  openSession: ({ options }) => {
    const wishes = { outbound: outboundOf(options), bidirectional: maySpeak(options) };
    return new MediaSession(new MediaReader(bandwidthGrammar(wishes)), openBandwidthWriter);
  },
  openCaller: (options) => new BandwidthCaller(options),
  // It signs nothing: `destinationUsername` and `destinationPassword` arrive as Basic, which the door checks.
  proofs: [],
};
