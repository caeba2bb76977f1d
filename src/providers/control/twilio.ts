import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { basicOf, formRequest, isSip, needsAnswerUrl, segmentOf, xmlOf } from './request-parts.ts';

/**
 * Twilio's REST API: `POST /2010-04-01/Accounts/{account}/Calls/{call}.json`, Basic by account SID and auth
 * token, form fields `Status`, `Twiml`, or `Url` with `Method`
 * (www.twilio.com/docs/voice/tutorials/how-to-modify-calls-in-progress).
 */
export const twilio: ProviderApi = {
  baseUrl: 'https://api.twilio.com',
  hangUp: (call, base) => update(call, base, { Status: 'completed' }),
  transfer: (call, base, { to, from }) => update(call, base, { Twiml: dialled(to, from) }),
  redirect: (call, base, { streamUrl, answerUrl }) =>
    update(
      call,
      base,
      answerUrl === undefined ? { Twiml: streamed(streamUrl) } : { Url: answerUrl, Method: 'POST' },
    ),
};

/**
 * SignalWire's Compatibility API, the same requests below `https://{space}/api/laml`. A new document comes
 * from a `Url` only (developer.signalwire.com/compatibility-api/client-sdks/methods/calls/update).
 */
export const signalwire: ProviderApi = {
  baseUrl: undefined,
  hangUp: (call, base) => update(call, base, { Status: 'completed' }),
  transfer: (call, base, { documentUrl }) => update(call, base, { Url: documentUrl(), Method: 'POST' }),
  redirect: (call, base, { answerUrl }) =>
    answerUrl === undefined
      ? needsAnswerUrl('SignalWire')
      : update(call, base, { Url: answerUrl, Method: 'POST' }),
};

function update(
  { account, callId }: ProviderCall,
  base: string,
  fields: { readonly [name: string]: string },
): ProviderRequest {
  const path = `/2010-04-01/Accounts/${segmentOf(account.account)}/Calls/${segmentOf(callId)}.json`;
  return formRequest(`${base}${path}`, basicOf(account.account, account.secret), fields);
}

function dialled(to: string, from: string | null): string {
  const shown = from === null ? '' : ` callerId="${xmlOf(from)}"`;
  const target = isSip(to) ? `<Sip>${xmlOf(to)}</Sip>` : `<Number>${xmlOf(to)}</Number>`;
  return `<Response><Dial${shown}>${target}</Dial></Response>`;
}

function streamed(url: string): string {
  return `<Response><Connect><Stream url="${xmlOf(url)}"/></Connect></Response>`;
}
