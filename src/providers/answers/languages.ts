import type { AnswerLanguage } from './answer-plan.ts';
import { BXML } from './documents/bxml.ts';
import { NCCO } from './documents/ncco.ts';
import { PLIVO_XML } from './documents/plivo-xml.ts';
import { CXML, TEXML, TWIML } from './documents/twiml.ts';
import { STREAM_URL, VERBS } from './documents/verbs.ts';

/** The providers that ask for a document when a call comes in, and the language it is in. */
const LANGUAGES: { readonly [dialect: string]: AnswerLanguage } = {
  twilio: TWIML,
  fonoster: TWIML,
  signalwire: CXML,
  telnyx: TEXML,
  plivo: PLIVO_XML,
  vobiz: PLIVO_XML,
  bandwidth: BXML,
  vonage: NCCO,
  jambonz: VERBS,
  exotel: STREAM_URL,
};

/** Undefined where the provider asks for no document: its configuration names the stream itself. */
export function languageOf(dialect: string): AnswerLanguage | undefined {
  return Object.hasOwn(LANGUAGES, dialect) ? LANGUAGES[dialect] : undefined;
}

export const ANSWERED_DIALECTS: readonly string[] = Object.keys(LANGUAGES);
