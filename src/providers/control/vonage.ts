import { createPrivateKey, sign } from 'node:crypto';
import { refuse, type Refusal } from '../../base/errors.ts';
import type { ProviderApi, ProviderCall, ProviderRequest } from './provider-api.ts';
import { bearerOf, digitsOf, isSip, jsonRequest, segmentOf } from './request-parts.ts';

const TOKEN_TTL_S = 60;
/** As our own answers ask for it. */
const RATE_HZ = 16_000;

/**
 * Vonage Voice API: `PUT /v1/calls/{uuid}` (developer.vonage.com/en/api/voice#updateCall). The account is
 * the application's id and the secret its private key (PEM), which signs a short-lived JWT (RS256) for each
 * request.
 */
export const vonage: ProviderApi = {
  baseUrl: 'https://api.nexmo.com',
  hangUp: (call, base) => update(call, base, { action: 'hangup' }),
  transfer: (call, base, { to, from }) => {
    const endpoint = isSip(to) ? { type: 'sip', uri: to } : { type: 'phone', number: digitsOf(to) };
    const shown = from === null ? {} : { from: digitsOf(from) };
    return moved(call, base, { ncco: [{ action: 'connect', endpoint: [endpoint], ...shown }] });
  },
  redirect: (call, base, { streamUrl, answerUrl, audio }) => {
    if (answerUrl !== undefined) return moved(call, base, { url: [answerUrl] });
    const endpoint = {
      type: 'websocket',
      uri: streamUrl,
      'content-type': `audio/l16;rate=${audio?.heard.sampleRateHz ?? RATE_HZ}`,
      // The new stream names the call only where its document does.
      headers: { 'call-id': call.callId },
      authorization: { type: 'vonage' },
    };
    return moved(call, base, { ncco: [{ action: 'connect', endpoint: [endpoint] }] });
  },
};

function moved(call: ProviderCall, base: string, destination: object): ProviderRequest | Refusal {
  return update(call, base, { action: 'transfer', destination: { type: 'ncco', ...destination } });
}

function update(call: ProviderCall, base: string, body: object): ProviderRequest | Refusal {
  const token = tokenOf(call);
  if (token === undefined) {
    return refuse('failed_precondition', 'the secret of the account is no private key in PEM');
  }
  return jsonRequest('PUT', `${base}/v1/calls/${segmentOf(call.callId)}`, bearerOf(token), body);
}

/** A JWT of the application (RFC 7519), or undefined where the secret cannot sign. */
function tokenOf({ account, nowUnixMs, orderId }: ProviderCall): string | undefined {
  const issuedAtS = Math.floor(nowUnixMs / 1000);
  const claims = {
    application_id: account.account,
    iat: issuedAtS,
    exp: issuedAtS + TOKEN_TTL_S,
    jti: `${orderId}-${nowUnixMs}`,
  };
  const signed = [{ alg: 'RS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  try {
    const key = createPrivateKey(account.secret);
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  } catch {
    // What OpenSSL says of a key may quote it.
    return undefined;
  }
}
