import type { Capabilities } from '../capabilities.ts';

/** What chan_websocket can do (Asterisk 20.16, 21.11, 22.6, 23.0 and later), whoever dialled. */
export const ASTERISK_CAPABILITIES: Capabilities = {
  marks: true,
  // FLUSH_MEDIA throws away marks that wait, and says nothing of them.
  marksOnClear: 'dropped',
  marksMax: 1_000,
  clear: true,
  dtmfIn: true,
  dtmfOut: false,
  hangUp: true,
  transfer: false,
  sequenced: false,
  messageFrames: 1,
  // Its queue holds 20 s and says MEDIA_XOFF at 18; a second keeps a lost flush short.
  inFlightMsMax: 1_000,
  twoCodecs: false,
  closeEnds: true,
  endsOnLoss: true,
  resume: false,
  goaway: false,
  keepAliveMs: 0,
  unverified: false,
};
