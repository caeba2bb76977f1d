import { l16 } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { SinchCaller } from './caller.ts';
import { SinchSession } from './session.ts';

/** Sinch Voice 2.0, stream (developers.sinch.com, AsyncAPI of voice-2.0/api-reference/stream). */
export const sinchDialect: Dialect = {
  name: 'sinch',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: true,
    dtmfIn: false,
    dtmfOut: false,
    // Losing the connection ends the call.
    hangUp: true,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // It buffers 5 MB; marks are told by what was sent, and are early by so much at most.
    inFlightMsMax: 200,
    twoCodecs: false,
    closeEnds: true,
    resume: false,
    goaway: false,
    // A minute without audio is its limit.
    keepAliveMs: 20_000,
    unverified: true,
  },
  options: [],
  // Up to 96 kHz by its description; calls have no use for more than 48.
  formats: [16_000, 8000, 24_000, 32_000, 48_000].map((sampleRateHz) => l16(sampleRateHz)),
  openSession: () => new SinchSession(),
  openCaller: (options) => new SinchCaller(options),
  // It signs nothing that is documented.
  proofs: [],
};
