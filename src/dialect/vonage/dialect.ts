import { l16 } from '../../media/format.ts';
import { BinarySession } from '../binary-media/session.ts';
import { ShortMarks } from '../binary-media/short-marks.ts';
import type { Dialect } from '../dialect.ts';
import { PROOF_HOLDS } from '../proof.ts';
import { VonageCaller } from './caller.ts';
import { proveVonageUpgrade, verifyVonageUpgrade } from './proof.ts';
import { VonageReader } from './read.ts';
import { openVonageWriter } from './write.ts';

const RATES_HZ = [8000, 16_000, 24_000];

/** Vonage Voice API, WebSocket endpoints (developer.vonage.com, voice-api/concepts/websockets). */
export const vonageDialect: Dialect = {
  name: 'vonage',
  subprotocols: [],
  capabilities: {
    marks: true,
    marksOnClear: 'dropped',
    marksMax: 1_000,
    clear: true,
    dtmfIn: true,
    dtmfOut: false,
    hangUp: false,
    transfer: false,
    sequenced: false,
    messageFrames: 1,
    // Its queue holds 3072 messages, a minute; a second keeps a lost `clear` short.
    inFlightMsMax: 1_000,
    twoCodecs: false,
    // There is no word for the end: the socket is closed.
    closeEnds: true,
    resume: false,
    goaway: false,
    keepAliveMs: 0,
    unverified: false,
  },
  options: [],
  formats: RATES_HZ.map((sampleRateHz) => l16(sampleRateHz)),
  openSession: ({ nowMs }) => {
    const marks = new ShortMarks(nowMs);
    const reader = new VonageReader({ fallback: l16(16_000), littleEndian: true, marks });
    return new BinarySession({ reader, openWriter: () => openVonageWriter(marks), isReplaceable: true });
  },
  openCaller: (options) =>
    new VonageCaller(options, { name: 'Vonage', ratesHz: RATES_HZ, littleEndian: true, knowsActions: true }),
  proofs: ['signature_secret'],
  verify: (upgrade, { signature_secret }, nowUnixMs) =>
    signature_secret === undefined ? PROOF_HOLDS : verifyVonageUpgrade(upgrade, signature_secret, nowUnixMs),
  prove: (upgrade, { signature_secret }): { readonly [name: string]: string } =>
    signature_secret === undefined ? {} : proveVonageUpgrade(upgrade, signature_secret),
};
