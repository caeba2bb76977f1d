import { l16, PCMU_8K } from '../../media/format.ts';
import type { Dialect } from '../dialect.ts';
import { GenesysCaller } from './caller.ts';
import { CHANNELS, L16_ORDER, PRODUCT } from './options.ts';
import { proveGenesysUpgrade, verifyGenesysUpgrade } from './proof.ts';
import { GenesysSession, MESSAGE_FRAMES } from './session.ts';

/**
 * Genesys Cloud AudioHook, version 2: Monitor, which is listened to, and Audio Connector, a bot's line both
 * ways (developer.genesys.cloud/devapps/audiohook; its reference implementation 2871b01).
 */
export const genesysDialect: Dialect = {
  name: 'genesys',
  subprotocols: [],
  capabilities: {
    // `playback_completed` says that all was played, and names nothing.
    marks: false,
    marksOnClear: 'dropped',
    marksMax: 100,
    playedOut: true,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    // `disconnect` ends the session; the flow goes on.
    hangUp: false,
    transfer: true,
    sequenced: false,
    messageFrames: MESSAGE_FRAMES,
    // Three messages.
    inFlightMsMax: 600,
    twoCodecs: false,
    closeEnds: false,
    endsOnLoss: true,
    resume: false,
    goaway: true,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [PRODUCT, CHANNELS, L16_ORDER],
  formats: [PCMU_8K, l16(8000)],
  openSession: (options) => new GenesysSession(options),
  openCaller: (options) => new GenesysCaller(options),
  proofs: ['api_key', 'signature_secret'],
  verify: verifyGenesysUpgrade,
  prove: proveGenesysUpgrade,
};
