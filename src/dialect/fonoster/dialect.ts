import type { Dialect } from '../dialect.ts';
import { PROOF_HOLDS } from '../proof.ts';
import { twilioDialect } from '../twilio/dialect.ts';
import { proveFonosterUpgrade, verifyFonosterUpgrade } from './signature.ts';

/**
 * Fonoster's Twilio-compatible streams: Twilio's words behind a signed upgrade of its own
 * (docs.fonoster.com/reference/twilio-compatibility).
 */
export const fonosterDialect: Dialect = {
  name: 'fonoster',
  subprotocols: [],
  capabilities: twilioDialect.capabilities,
  options: [],
  formats: twilioDialect.formats,
  openSession: (options) => twilioDialect.openSession(options),
  openCaller: (options) => twilioDialect.openCaller(options),
  proofs: ['signature_secret'],
  verify: (upgrade, { signature_secret }, nowUnixMs) =>
    signature_secret === undefined
      ? PROOF_HOLDS
      : verifyFonosterUpgrade(upgrade, signature_secret, nowUnixMs),
  prove: (upgrade, { signature_secret }): { readonly [name: string]: string } =>
    signature_secret === undefined ? {} : proveFonosterUpgrade(upgrade, signature_secret),
};
