import { jsonDocument, type AnswerLanguage, type AnswerPlan } from '../answer-plan.ts';

const HEADERS_BYTES_MAX = 512;

/**
 * NCCO: one `connect`, whose events are asked of us in turn: when the WebSocket is gone, the answer to that
 * event is the next NCCO (developer.vonage.com, NCCO `connect`, `eventType`). A second `connect` behind it
 * would run after every end, ours included. An NCCO without an action that holds the call ends it.
 */
export const NCCO: AnswerLanguage = {
  connect: (plan) => {
    const [uri] = plan.streamUrls;
    const endpoint = {
      type: 'websocket',
      uri,
      'content-type': 'audio/l16;rate=16000',
      headers: headersOf(plan),
      ...authorizationOf(plan),
    };
    const eventUrl = [plan.statusUrl];
    return jsonDocument([{ action: 'connect', eventType: 'synchronous', eventUrl, endpoint: [endpoint] }]);
  },
  hangUp: () => jsonDocument([]),
};

function authorizationOf({ verify }: AnswerPlan) {
  if (verify.signature_secret !== undefined) return { authorization: { type: 'vonage' } };
  if (verify.bearer === undefined) return {};
  return { authorization: { type: 'custom', value: `Bearer ${verify.bearer}` } };
}

/** At most 512 bytes as JSON: what would not fit is left out, not cut. */
function headersOf({ parameters }: AnswerPlan): { readonly [name: string]: string } {
  let headers: { readonly [name: string]: string } = {};
  for (const [name, value] of Object.entries(parameters)) {
    const longer = { ...headers, [name]: value };
    if (Buffer.byteLength(JSON.stringify(longer)) <= HEADERS_BYTES_MAX) headers = longer;
  }
  return headers;
}
