import type { ProviderAccount, ProviderApi, ProviderCall } from './provider-api.ts';
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
  return {
    baseUrl,
    hangUp: (call, base) => ({
      method: 'DELETE',
      url: urlOf(call, base),
      headers: proofOf(call.account),
      body: '',
    }),
    redirect: (call, base, { answerUrl }) => {
      if (answerUrl === undefined) return needsAnswerUrl('the provider');
      const legs = { legs: 'aleg', aleg_url: answerUrl, aleg_method: 'POST' };
      return jsonRequest('POST', urlOf(call, base), proofOf(call.account), legs);
    },
  };
}

function urlOf({ account, callId }: ProviderCall, base: string): string {
  return `${base}/v1/Account/${segmentOf(account.account)}/Call/${segmentOf(callId)}/`;
}
