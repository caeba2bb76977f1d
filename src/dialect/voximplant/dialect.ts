import { l16, PCMA_8K, PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { isLittle, l16ByteOrder, LISTEN_ONLY, maySpeak } from '../json-media/stream/options.ts';
import { VoximplantCaller } from './caller.ts';
import { VoximplantReader } from './read.ts';
import { VoximplantSession } from './write.ts';

const BYTE_ORDER = l16ByteOrder('little');

/** Voximplant's `WebSocketFormat` (voximplant.com/docs/guides/media-streams/format). */
export const voximplantDialect: Dialect = {
  name: 'voximplant',
  // The scenario chooses; this is what it offers where it does not.
  subprotocols: ['chat'],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    // `clearMediaBuffer` is a word of the scenario, not of the wire.
    clear: false,
    dtmfIn: false,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: true,
    messageFrames: 1,
    // It holds 10 s and throws away the rest; nothing takes back what was sent.
    inFlightMsMax: 100,
    twoCodecs: false,
    // The scenario closes the socket, with a stop or without.
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: true,
  },
  options: [BYTE_ORDER, LISTEN_ONLY],
  formats: [l16(16_000), l16(8000), PCMU_8K, PCMA_8K],
  openSession: ({ options }) => {
    const wishes = { littleEndian: isLittle(BYTE_ORDER, options), bidirectional: maySpeak(options) };
    return new VoximplantSession(new VoximplantReader(wishes));
  },
  openCaller: (options) => new VoximplantCaller(options),
  // It signs nothing; the scenario may send a header, which the door checks as `bearer` or `basic`.
  proofs: [],
};
