import { xmlDocument, type AnswerLanguage, type AnswerPlan } from '../answer-plan.ts';
import { dialElement, element, escaped, responseOf } from '../markup.ts';

const EXTRA_HEADERS_BYTES_MAX = 512;

/**
 * Plivo XML: `keepCallAlive` holds the call until the stream is over, then the next element runs
 * (docs.plivo.com, XML `Stream`). Vobiz takes the same.
 */
export const PLIVO_XML: AnswerLanguage = {
  connect: (plan) => {
    const attributes = {
      bidirectional: 'true',
      keepCallAlive: 'true',
      audioTrack: 'inbound',
      contentType: 'audio/x-mulaw;rate=8000',
      extraHeaders: extraHeadersOf(plan),
      statusCallbackUrl: plan.statusUrl,
      statusCallbackMethod: 'POST',
    };
    const streams = plan.streamUrls.map((url) => element('Stream', attributes, escaped(url)));
    const again = element('Redirect', { method: 'POST' }, escaped(plan.againUrl));
    return xmlDocument(responseOf(...streams, again));
  },
  dial: (plan) => xmlDocument(responseOf(dialElement(plan, 'User'))),
  hangUp: () => xmlDocument(responseOf(element('Hangup'))),
};

/** `a=1,b=2`, at most 512 bytes of letters and digits: what would not fit is left out, not cut. */
function extraHeadersOf({ parameters }: AnswerPlan): string | undefined {
  let headers = '';
  for (const [name, value] of Object.entries(parameters)) {
    if (!/^[\w-]+$/.test(name) || !/^[\w.+-]+$/.test(value)) continue;
    const longer = headers === '' ? `${name}=${value}` : `${headers},${name}=${value}`;
    if (longer.length <= EXTRA_HEADERS_BYTES_MAX) headers = longer;
  }
  return headers === '' ? undefined : headers;
}
