import { refuse, type Refusal } from '../../base/errors.ts';
import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { isSip, jsonRequest, segmentOf, xmlOf } from './request-parts.ts';

/**
 * Bandwidth's Voice API v2 below `/api/v2/accounts/{account}/calls/{call}`: `POST` ends or redirects the
 * call, `PUT …/bxml` replaces its document (dev.bandwidth.com/apis/voice-apis/voice). The account is the
 * account's number, the secret `user:password` of an API user, for Basic.
 */
export const bandwidth: ProviderApi = {
  baseUrl: 'https://voice.bandwidth.com',
  hangUp: (call, base) => update(call, base, { state: 'completed' }),
  transfer: (call, base, { to, from }) => {
    const shown = from === null ? '' : ` transferCallerId="${xmlOf(from)}"`;
    const target = isSip(to) ? `<SipUri>${xmlOf(to)}</SipUri>` : `<PhoneNumber>${xmlOf(to)}</PhoneNumber>`;
    return replaced(call, base, `<Transfer${shown}>${target}</Transfer>`);
  },
  redirect: (call, base, { streamUrl, answerUrl }) => {
    if (answerUrl !== undefined) {
      return update(call, base, { state: 'active', redirectUrl: answerUrl, redirectMethod: 'POST' });
    }
    // A bidirectional stream ends with its document, unless the document waits for it.
    const stream = `<StartStream name="main" mode="bidirectional" destination="${xmlOf(streamUrl)}"/>`;
    return replaced(call, base, `${stream}<StopStream name="main" wait="true"/>`);
  },
};

function update(call: ProviderCall, base: string, body: object): ProviderRequest | Refusal {
  return withProof(call, (proof) => jsonRequest('POST', urlOf(call, base), proof, body));
}

function replaced(call: ProviderCall, base: string, verbs: string): ProviderRequest | Refusal {
  return withProof(call, (proof) => ({
    method: 'PUT',
    url: `${urlOf(call, base)}/bxml`,
    headers: { ...proof, 'content-type': 'application/xml' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Bxml>${verbs}</Bxml>`,
  }));
}

function urlOf({ account, callId }: ProviderCall, base: string): string {
  return `${base}/api/v2/accounts/${segmentOf(account.account)}/calls/${segmentOf(callId)}`;
}

function withProof(
  { account }: ProviderCall,
  use: (proof: { readonly [name: string]: string }) => ProviderRequest,
): ProviderRequest | Refusal {
  if (account.secret.includes(':')) {
    return use({ authorization: `Basic ${Buffer.from(account.secret, 'utf8').toString('base64')}` });
  }
  return refuse('failed_precondition', 'the secret of a Bandwidth account is user:password');
}
