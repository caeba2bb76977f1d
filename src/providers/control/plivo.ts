import type { ProviderAccount, ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { basicOf, jsonRequest, needsAnswerUrl, segmentOf } from './request-parts.ts';

type Proof = { readonly [name: string]: string };

/**
 * Plivo's Voice API: `DELETE` and `POST /v1/Account/{auth_id}/Call/{call_uuid}/`, Basic by auth id and auth
 * token (www.plivo.com/docs/voice/api/call/transfer-a-call).
 */
export const plivo = likePlivo('https://api.plivo.com', ({ account, secret }) => basicOf(account, secret));

/** Vobiz has the same paths, and takes the pair in headers of its own (docs.vobiz.ai). */
export const vobiz = likePlivo('https://api.vobiz.ai/api', ({ account, secret }) => ({
  'x-auth-id': account,
  'x-auth-token': secret,
}));

function likePlivo(baseUrl: string, proofOf: (account: ProviderAccount) => Proof): ProviderApi {
  /** The caller's leg goes on with what that URL answers. */
  const answeredBy = (call: ProviderCall, base: string, url: string): ProviderRequest => {
    const legs = { legs: 'aleg', aleg_url: url, aleg_method: 'POST' };
    return jsonRequest('POST', urlOf(call, base), proofOf(call.account), legs);
  };
  return {
    baseUrl,
    hangUp: (call, base) => ({
      method: 'DELETE',
      url: urlOf(call, base),
      headers: proofOf(call.account),
      body: '',
    }),
    transfer: (call, base, { documentUrl }) => answeredBy(call, base, documentUrl()),
    redirect: (call, base, { answerUrl }) =>
      answerUrl === undefined ? needsAnswerUrl('the provider') : answeredBy(call, base, answerUrl),
  };
}

function urlOf({ account, callId }: ProviderCall, base: string): string {
  return `${base}/v1/Account/${segmentOf(account.account)}/Call/${segmentOf(callId)}/`;
}
