import { xmlDocument, type AnswerLanguage, type AnswerPlan } from '../answer-plan.ts';
import { dialElement, element, escaped, responseOf, type Attributes } from '../markup.ts';

/** What a look-alike adds to `<Stream>`. */
type StreamAttributes = (plan: AnswerPlan) => Attributes;

/**
 * TwiML: `<Connect><Stream>` holds the call until the socket is closed, then the next verb runs
 * (twilio.com/docs/voice/twiml/stream). A stream's URL may have no query: what it says is a `<Parameter>`.
 */
export const TWIML: AnswerLanguage = twimlLike(({ statusUrl }) => ({ statusCallback: statusUrl }));

/** cXML of SignalWire, whose stream may carry a Bearer token (its compatibility API, `<Stream>`). */
export const CXML: AnswerLanguage = twimlLike(({ statusUrl, verify }) => ({
  authBearerToken: verify.bearer,
  statusCallback: statusUrl,
}));

/** TeXML of Telnyx, which must be told that its stream goes both ways, as bare packets. */
export const TEXML: AnswerLanguage = twimlLike(({ statusUrl, options }) => ({
  bidirectionalMode: 'rtp',
  bidirectionalCodec: options['outbound_codec'] ?? 'PCMU',
  statusCallback: statusUrl,
}));

function twimlLike(attributesOf: StreamAttributes): AnswerLanguage {
  return {
    connect: (plan) => {
      const parameters = Object.entries(plan.parameters).map(([name, value]) =>
        element('Parameter', { name, value }),
      );
      const streams = plan.streamUrls.map((url) =>
        element('Connect', {}, element('Stream', { url, ...attributesOf(plan) }, ...parameters)),
      );
      const again = element('Redirect', { method: 'POST' }, escaped(plan.againUrl));
      return xmlDocument(responseOf(...streams, again));
    },
    dial: (plan) => xmlDocument(responseOf(dialElement(plan, 'Sip'))),
    hangUp: () => xmlDocument(responseOf(element('Hangup'))),
  };
}
