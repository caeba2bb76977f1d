import { l16 } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { MediaSession } from '../json-media/stream/media-session.ts';
import { LISTEN_ONLY } from '../json-media/stream/options.ts';
import { AcsCaller } from './caller.ts';
import { CASING, PARTICIPANT, spellingOf } from './options.ts';
import { AcsReader } from './read.ts';
import { openAcsWriter } from './write.ts';

/** Azure Communication Services, audio streaming of Call Automation (MicrosoftDocs/azure-docs 03e5750). */
export const acsDialect: Dialect = {
  name: 'acs',
  subprotocols: [],
  capabilities: {
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 0,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Marks are told by what was sent, and are early by so much at most.
    inFlightMsMax: 200,
    twoCodecs: false,
    // There is no word for the end: the socket is closed.
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: true,
  },
  options: [CASING, PARTICIPANT, LISTEN_ONLY],
  formats: [l16(16_000), l16(24_000)],
  openSession: ({ upgrade, options }) =>
    new MediaSession(new AcsReader(upgrade, options), (started) =>
      openAcsWriter(started, spellingOf(options)),
    ),
  openCaller: (options) => new AcsCaller(options),
  proofs: [],
  // learn.microsoft.com, Call Automation, "How to secure webhook endpoints and websocket connections".
  issuer: {
    issuer: 'https://acscallautomation.communication.azure.com',
    keysUrl: 'https://acscallautomation.communication.azure.com/calling/.well-known/acsopenidconfiguration',
  },
};
