import { createHash, createHmac, createPublicKey, verify as verifySignature } from 'node:crypto';
import { numberOf, parseObject, textOf } from '../../base/json.ts';
import { isSameSecret } from '../../base/secret.ts';
import type { StreamProof } from '../../dialect/proof.ts';
import { urlSpellings } from '../../dialect/url-spellings.ts';
import { formOf, type Webhook } from './webhook.ts';

/** How long after it was signed a request is believed, and how far ahead a provider's clock may be. */
const AGE_MS_MAX = 300_000;
const PLIVO_NONCE = 'x-plivo-signature-v3-nonce';
const SIGNATURES_MAX = 8;
const HEADER_CHARACTERS_MAX = 4_096;
/** An Ed25519 key as SubjectPublicKeyInfo begins so (RFC 8410 §4); 32 bytes of key follow. */
const ED25519_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

type Check = (webhook: Webhook, verify: StreamProof, nowUnixMs: number) => boolean;

/** What each provider shows on a request over HTTP; what its stream alone shows is not asked for here. */
const CHECKS: { readonly [dialect: string]: Check } = {
  twilio: isTwilioProven,
  plivo: isPlivoProven,
  vobiz: isPlivoProven,
  vonage: isVonageProven,
  telnyx: isTelnyxProven,
  bandwidth: isBasicProven,
  jambonz: isBasicProven,
  exotel: isBasicProven,
};

/** Whether a request shows what the credential demands and this provider can show on one. */
export function isWebhookProven(
  dialect: string,
  webhook: Webhook,
  verify: StreamProof,
  nowUnixMs: number,
): boolean {
  return !Object.hasOwn(CHECKS, dialect) || CHECKS[dialect]!(webhook, verify, nowUnixMs);
}

/**
 * What a proven request was signed with and no other is: Plivo's nonce, the id of Vonage's token. Undefined
 * where the provider signs nothing of the kind, so that a repeated request looks like the first.
 */
export function nonceOf(dialect: string, webhook: Webhook, verify: StreamProof): string | undefined {
  if (dialect === 'vonage') {
    return verify.signature_secret === undefined ? undefined : vonageNonceOf(webhook);
  }
  const isPlivo = dialect === 'plivo' || dialect === 'vobiz';
  return isPlivo && verify.auth_token !== undefined ? webhook.headers[PLIVO_NONCE] : undefined;
}

/**
 * `X-Twilio-Signature`: HMAC-SHA1 of the URL, and behind it each name and value of the form, sorted by name
 * (twilio.com/docs/usage/security). A body that is no form is signed by its digest in the query.
 */
function isTwilioProven(webhook: Webhook, { auth_token: key }: StreamProof): boolean {
  if (key === undefined) return true;
  const shown = webhook.headers['x-twilio-signature'] ?? '';
  if (key === '' || !isBodySigned(webhook)) return false;
  const form = formOf(webhook).toSorted(byNameAndValue);
  // A field that comes twice with one value is signed once, as its own library does.
  const signed = form
    .filter(isFirst)
    .map(([name, value]) => name + value)
    .join('');
  const spellings = [...urlSpellings(webhook.urls, (query) => [`?${query}`])];
  const isSigned = spellings.map((url) => isSameSecret(shown, hmac('sha1', key, url + signed)));
  return isSigned.includes(true);
}

/** Plivo V3: HMAC-SHA256 of URL, sorted query, sorted form and nonce (plivo-node `v3Security`). */
function isPlivoProven(webhook: Webhook, { auth_token: key }: StreamProof): boolean {
  if (key === undefined) return true;
  const nonce = webhook.headers[PLIVO_NONCE] ?? '';
  const shown = (webhook.headers['x-plivo-signature-v3'] ?? '').split(',').slice(0, SIGNATURES_MAX);
  if (key === '' || nonce === '' || nonce.length > HEADER_CHARACTERS_MAX) return false;
  const form = formOf(webhook).toSorted(byNameAndValue);
  const params = form.map(([name, value]) => name + value).join('');
  const query = [...new URLSearchParams(webhook.query)].toSorted(byNameAndValue);
  const sorted = query.map(([name, value]) => `${name}=${value}`).join('&');
  const tail = form.length > 0 ? `?${sorted}${sorted === '' ? '' : '.'}${params}` : sorted && `?${sorted}`;
  let isSigned = false;
  for (const url of urlSpellings(webhook.urls.map(withoutQuery), () => [''])) {
    const expected = hmac('sha256', key, `${url}${tail}.${nonce}`);
    for (const signature of shown) if (isSameSecret(signature.trim(), expected)) isSigned = true;
  }
  return isSigned;
}

/**
 * A JWT under the account's signature secret (HS256), with the digest of the body in it
 * (developer.vonage.com, "Signed webhooks").
 */
function isVonageProven(webhook: Webhook, verify: StreamProof, nowUnixMs: number): boolean {
  const { signature_secret: key } = verify;
  if (key === undefined) return true;
  const token = bearerOf(webhook);
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null || key === '' || token.length > HEADER_CHARACTERS_MAX) return false;
  const [, header = '', payload = '', signature = ''] = parts;
  const expected = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
  // Only HS256 is believed, `none` least of all (RFC 8725 §3.1).
  const isHs256 = parseObject(Buffer.from(header, 'base64url'))?.['alg'] === 'HS256';
  const claims = parseObject(Buffer.from(payload, 'base64url')) ?? {};
  const { payload_hash: hash } = claims;
  const isSigned = isSameSecret(signature, expected) && isHs256;
  const isWhole = webhook.body.length === 0 || isDigestOf(hash, webhook.body);
  return isSigned && isWhole && isRecent(numberOf(claims['iat']), nowUnixMs);
}

/** The token itself where it has no id. */
function vonageNonceOf(webhook: Webhook): string {
  const token = bearerOf(webhook);
  const claims = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url'));
  return textOf(claims?.['jti']) ?? token;
}

function bearerOf({ headers }: Webhook): string {
  return /^bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? '';
}

/** Ed25519 over `timestamp|body` under the account's public key (developers.telnyx.com, webhook signing). */
function isTelnyxProven(webhook: Webhook, { public_key: key }: StreamProof, nowUnixMs: number): boolean {
  if (key === undefined) return true;
  const timestamp = webhook.headers['telnyx-timestamp'] ?? '';
  const signature = Buffer.from(webhook.headers['telnyx-signature-ed25519'] ?? '', 'base64');
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== 32 || signature.length !== 64) return false;
  if (!isRecent(numberOf(timestamp), nowUnixMs)) return false;
  const signed = Buffer.concat([Buffer.from(`${timestamp}|`), webhook.body]);
  const spki = { key: Buffer.concat([ED25519_PREFIX, bytes]), format: 'der', type: 'spki' } as const;
  return verifySignature(null, signed, createPublicKey(spki), signature);
}

function isBasicProven({ headers }: Webhook, { basic }: StreamProof): boolean {
  if (basic === undefined) return true;
  const shown = /^basic +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? '';
  const spelled = Buffer.from(shown, 'base64').toString('utf8');
  return isSameSecret(spelled, `${basic.username}:${basic.password}`);
}

/** Whether Twilio signed the body, too: a form by its fields, anything else by `bodySHA256` in the query. */
function isBodySigned(webhook: Webhook): boolean {
  if (webhook.body.length === 0 || formOf(webhook).length > 0) return true;
  return isDigestOf(new URLSearchParams(webhook.query).get('bodySHA256'), webhook.body);
}

function isDigestOf(shown: unknown, body: Uint8Array): boolean {
  const digest = createHash('sha256').update(body).digest('hex');
  return typeof shown === 'string' && isSameSecret(shown.toLowerCase(), digest);
}

/** Seconds since 1970, not long ago and not ahead. */
function isRecent(signedUnixS: number | undefined, nowUnixMs: number): boolean {
  return signedUnixS !== undefined && Math.abs(nowUnixMs - signedUnixS * 1000) <= AGE_MS_MAX;
}

function hmac(algorithm: 'sha1' | 'sha256', key: string, signed: string): string {
  return createHmac(algorithm, key).update(signed).digest('base64');
}

function withoutQuery(url: string): string {
  return url.split('?', 1)[0]!;
}

type Pair = readonly [string, string];

function byNameAndValue([a, first]: Pair, [b, second]: Pair): number {
  return compare(a, b) || compare(first, second);
}

/** Whether the pair before it, in their order, is another one. */
function isFirst([name, value]: Pair, index: number, sorted: readonly Pair[]): boolean {
  const before = sorted[index - 1];
  return before === undefined || before[0] !== name || before[1] !== value;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
