import type { Capabilities } from '../capabilities.ts';

/** What a backend usually can: take audio and give audio. It plays nothing and holds nothing of ours. */
export const BACKEND_CAPABILITIES: Capabilities = {
  marks: false,
  marksOnClear: 'dropped',
  marksMax: 0,
  clear: false,
  dtmfIn: false,
  dtmfOut: false,
  hangUp: false,
  transfer: false,
  sequenced: false,
  messageFrames: 1,
  // It listens faster than anybody speaks: what is queued for it may go at once.
  inFlightMsMax: 1_000,
  twoCodecs: true,
  closeEnds: false,
  resume: false,
  goaway: false,
  keepAliveMs: 0,
  unverified: false,
};
