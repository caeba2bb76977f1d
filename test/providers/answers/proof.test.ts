import { createHash, createHmac, generateKeyPairSync, sign } from 'node:crypto';
import plivo from 'plivo';
import twilio from 'twilio';
import { describe, expect, it } from 'vitest';
import { isWebhookProven } from '../../../src/providers/answers/proof.ts';
import type { Webhook } from '../../../src/providers/answers/webhook.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const FORM = 'application/x-www-form-urlencoded; charset=UTF-8';
const URL_CALLED = 'https://voice.example.com/api/v1/voice/answer/twilio/abc?round=1&call=CA%201';

function webhook(change: Partial<Omit<Webhook, 'body'>> & { body?: string } = {}): Webhook {
  const { body = '', ...rest } = change;
  const [url = ''] = rest.urls ?? [URL_CALLED];
  return {
    method: 'POST',
    headers: {},
    urls: [url],
    query: url.split('?')[1] ?? '',
    ...rest,
    body: Buffer.from(body),
  };
}

describe('Twilio’s signature', () => {
  const params = { CallSid: 'CA1', From: '+15550100', To: '+1 555 0199', Empty: '', Ünicode: 'ß&=' };
  const body = new URLSearchParams(params).toString();
  const signature = twilio.getExpectedTwilioSignature('token', URL_CALLED, params);
  const signed = { body, headers: { 'content-type': FORM, 'x-twilio-signature': signature } };
  const holds = (change: Parameters<typeof webhook>[0], auth_token = 'token'): boolean =>
    isWebhookProven('twilio', webhook(change), { auth_token }, NOW_MS);

  it('holds as its own library makes it', () => {
    expect(holds(signed)).toBe(true);
  });

  it('holds of a GET, and of fields that come twice', () => {
    const bare = twilio.getExpectedTwilioSignature('token', URL_CALLED, {});
    expect(holds({ method: 'GET', headers: { 'x-twilio-signature': bare } })).toBe(true);
    const twice = twilio.getExpectedTwilioSignature('token', URL_CALLED, {
      A: ['2', '1', '2'],
      Ab: 'c',
      B: '',
    });
    const headers = { 'content-type': FORM, 'x-twilio-signature': twice };
    expect(holds({ body: 'A=2&A=1&A=2&Ab=c&B=', headers })).toBe(true);
  });

  it('does not hold when forged, stripped, or of another body, URL or account', () => {
    expect(holds({ ...signed, headers: { 'content-type': FORM } })).toBe(false);
    expect(holds({ ...signed, headers: { ...signed.headers, 'x-twilio-signature': 'AAAA' } })).toBe(false);
    expect(holds({ ...signed, body: body.replace('CA1', 'CA2') })).toBe(false);
    expect(holds({ ...signed, urls: [URL_CALLED.replace('round=1', 'round=2')] })).toBe(false);
    expect(holds(signed, 'other')).toBe(false);
    expect(holds(signed, '')).toBe(false);
  });

  it('does not hold for a body that is no form, unless its digest is signed in the query', () => {
    const json = '{"CallSid":"CA1"}';
    const url = `${URL_CALLED}&bodySHA256=${createHash('sha256').update(json).digest('hex')}`;
    const bare = twilio.getExpectedTwilioSignature('token', URL_CALLED, {});
    const whole = twilio.getExpectedTwilioSignature('token', url, {});
    const headers = { 'content-type': 'application/json' };
    expect(holds({ body: json, headers: { ...headers, 'x-twilio-signature': bare } })).toBe(false);
    const signedJson = { urls: [url], headers: { ...headers, 'x-twilio-signature': whole } };
    expect(holds({ ...signedJson, body: json })).toBe(true);
    expect(holds({ ...signedJson, body: json.replace('CA1', 'CA2') })).toBe(false);
  });
});

describe('Plivo’s signature', () => {
  const sign3 = (signed: string): string =>
    createHmac('sha256', 'token').update(`${signed}.n0nce`).digest('base64');
  const holds = (change: Parameters<typeof webhook>[0]): boolean =>
    isWebhookProven('plivo', webhook(change), { auth_token: 'token' }, NOW_MS);

  const cases = [
    ['a POST without a query', 'POST', 'https://voice.example.com/a', { To: '2', From: '1' }, '?From1To2'],
    ['a POST with one', 'POST', 'https://voice.example.com/a?b=2&a=1', { From: '1' }, '?a=1&b=2.From1'],
    ['a GET', 'GET', 'https://voice.example.com/a?b=2&a=1', {}, '?a=1&b=2'],
  ] as const;
  for (const [what, method, url, params, tail] of cases) {
    it(`of ${what} holds as its own library has it`, () => {
      const signature = sign3(url.split('?')[0] + tail);
      expect(plivo.validateV3Signature(method, url, 'n0nce', 'token', signature, params)).toBe(true);
      const shown = { 'x-plivo-signature-v3': `AAAA,${signature}`, 'x-plivo-signature-v3-nonce': 'n0nce' };
      const asked = { method, urls: [url], body: new URLSearchParams(params).toString() };
      const headers = { 'content-type': FORM, ...shown };
      expect(holds({ ...asked, headers })).toBe(true);
      expect(holds({ ...asked, headers: { ...headers, 'x-plivo-signature-v3-nonce': 'other' } })).toBe(false);
      expect(holds({ ...asked, headers: { 'content-type': FORM } })).toBe(false);
      expect(holds({ ...asked, headers, urls: [url.replace('voice', 'other')] })).toBe(false);
    });
  }
});

describe('Vonage’s token', () => {
  const body = '{"uuid":"u1","status":"answered"}';
  const token = (claims: object, { key = 'secret', alg = 'HS256' } = {}): string => {
    const parts = [{ alg, typ: 'JWT' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const signature = createHmac('sha256', key).update(parts.join('.')).digest('base64url');
    return `Bearer ${parts.join('.')}.${signature}`;
  };
  const claims = { iat: NOW_MS / 1000 - 2, payload_hash: createHash('sha256').update(body).digest('hex') };
  const holds = (authorization: string | undefined, said = body): boolean =>
    isWebhookProven(
      'vonage',
      webhook({ body: said, headers: { authorization } }),
      { signature_secret: 'secret' },
      NOW_MS,
    );

  it('holds for the body it was made for', () => {
    expect(holds(token(claims))).toBe(true);
    expect(holds(token(claims), body.replace('u1', 'u2'))).toBe(false);
    expect(holds(token({ iat: claims.iat }))).toBe(false);
  });

  it('does not hold when forged, stale, stripped, or of another algorithm', () => {
    expect(holds(undefined)).toBe(false);
    expect(holds(token(claims, { key: 'other' }))).toBe(false);
    expect(holds(token(claims, { alg: 'none' }))).toBe(false);
    expect(holds(token({ ...claims, iat: claims.iat - 600 }))).toBe(false);
    expect(holds(token({ payload_hash: claims.payload_hash }))).toBe(false);
  });
});

describe('Telnyx’ signature', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const public_key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
  const body = '{"data":{"event_type":"streaming.failed"}}';
  const headersAt = (unixS: number): Webhook['headers'] => ({
    'telnyx-timestamp': String(unixS),
    'telnyx-signature-ed25519': sign(null, Buffer.from(`${unixS}|${body}`), privateKey).toString('base64'),
  });
  const holds = (headers: Webhook['headers'], said = body, key = public_key): boolean =>
    isWebhookProven('telnyx', webhook({ body: said, headers }), { public_key: key }, NOW_MS);

  it('holds for the body and the second it was made for', () => {
    const headers = headersAt(NOW_MS / 1000);
    expect(holds(headers)).toBe(true);
    expect(holds(headers, body.replace('failed', 'ended'))).toBe(false);
    expect(holds({ ...headers, 'telnyx-timestamp': String(NOW_MS / 1000 - 1) })).toBe(false);
  });

  it('does not hold when stale or stripped, nor where the key is none', () => {
    expect(holds(headersAt(NOW_MS / 1000 - 301))).toBe(false);
    expect(holds({})).toBe(false);
    expect(holds(headersAt(NOW_MS / 1000), body, 'no key')).toBe(false);
  });
});

it('takes a name and a password from those who send them', () => {
  const basic = { username: 'u', password: 'p:q' };
  const authorization = `Basic ${Buffer.from('u:p:q').toString('base64')}`;
  for (const dialect of ['bandwidth', 'jambonz', 'exotel']) {
    expect(isWebhookProven(dialect, webhook({ headers: { authorization } }), { basic }, NOW_MS)).toBe(true);
    expect(isWebhookProven(dialect, webhook(), { basic }, NOW_MS)).toBe(false);
  }
});
