import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { basicOf, jsonRequest, needsAnswerUrl, segmentOf } from './request-parts.ts';

/**
 * Plivo's Voice API: `DELETE` and `POST /v1/Account/{auth_id}/Call/{call_uuid}/`, Basic by auth id and auth
 * token (www.plivo.com/docs/voice/api/call/transfer-a-call). Vobiz has the same paths below
 * `https://api.vobiz.ai/api`, and takes the pair in headers of its own.
 */
export const plivo: ProviderApi = {
  baseUrl: 'https://api.plivo.com',
  hangUp: (call, base) => ({
    method: 'DELETE',
    url: urlOf(call, base),
    headers: proofOf(call, base),
    body: '',
  }),
  redirect: (call, base, { answerUrl }) =>
    answerUrl === undefined ? needsAnswerUrl('Plivo') : transferred(call, base, answerUrl),
};

function transferred(call: ProviderCall, base: string, answerUrl: string): ProviderRequest {
  const legs = { legs: 'aleg', aleg_url: answerUrl, aleg_method: 'POST' };
  return jsonRequest('POST', urlOf(call, base), proofOf(call, base), legs);
}

function urlOf({ account, callId }: ProviderCall, base: string): string {
  return `${base}/v1/Account/${segmentOf(account.account)}/Call/${segmentOf(callId)}/`;
}

function proofOf({ account }: ProviderCall, base: string): { readonly [name: string]: string } {
  const isVobiz = URL.parse(base)?.hostname.endsWith('vobiz.ai') === true;
  if (!isVobiz) return basicOf(account.account, account.secret);
  return { 'x-auth-id': account.account, 'x-auth-token': account.secret };
}
