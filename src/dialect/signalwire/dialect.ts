import { l16, PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { SignalwireCaller } from './caller.ts';
import { BYTE_ORDER, signalwireGrammar } from './read.ts';
import { openSignalwireWriter } from './write.ts';

/** SignalWire's cXML `<Stream>` (signalwire.com/docs, cXML reference, voice, Stream). */
export const signalwireDialect: Dialect = {
  name: 'signalwire',
  subprotocols: [],
  capabilities: {
    marks: true,
    marksOnClear: 'returned',
    marksMax: 1_000,
    clear: true,
    dtmfIn: true,
    dtmfOut: true,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Its queue has no documented end; a second keeps a lost `clear` short.
    inFlightMsMax: 1_000,
    twoCodecs: false,
    closeEnds: false,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [BYTE_ORDER],
  formats: [PCMU_8K, l16(16_000), l16(24_000)],
  openSession: ({ options }) =>
    new MediaSession(new MediaReader(signalwireGrammar(options)), openSignalwireWriter),
  openCaller: (options) => new SignalwireCaller(options),
  // It signs nothing: `authBearerToken` arrives as a bearer, which the door checks.
  proofs: [],
};
