import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { bearerOf, jsonRequest, needsAnswerUrl, segmentOf } from './request-parts.ts';

/**
 * jambonz' REST API: `PUT /v1/Accounts/{account_sid}/Calls/{call_sid}` with a bearer API key, at the address
 * of the installation; `https://jambonz.cloud/api` for the hosted one (docs.jambonz.org/reference). A new
 * application is answered by a `call_hook`.
 */
export const jambonz: ProviderApi = {
  baseUrl: 'https://jambonz.cloud/api',
  hangUp: (call, base) => update(call, base, { call_status: 'completed' }),
  transfer: (call, base, { documentUrl }) =>
    update(call, base, { call_hook: { url: documentUrl(), method: 'POST' } }),
  redirect: (call, base, { answerUrl }) =>
    answerUrl === undefined
      ? needsAnswerUrl('jambonz')
      : update(call, base, { call_hook: { url: answerUrl, method: 'POST' } }),
};

function update({ account, callId }: ProviderCall, base: string, body: object): ProviderRequest {
  const url = `${base}/v1/Accounts/${segmentOf(account.account)}/Calls/${segmentOf(callId)}`;
  return jsonRequest('PUT', url, bearerOf(account.secret), body);
}
