import { createHmac } from 'node:crypto';
import { isSameSecret } from '../../base/secret.ts';
import { PROOF_FAILED, type ProofVerdict, type UpgradeDraft, type UpgradeFacts } from '../proof.ts';
import { urlSpellings } from '../url-spellings.ts';

const SIGNATURE_HEADER = 'x-plivo-signature-v3';
const NONCE_HEADER = 'x-plivo-signature-v3-nonce';
const NONCE_CHARACTERS_MAX = 256;
/** One for each auth token that is valid while an account changes it, and some to spare. */
const SIGNATURES_MAX = 8;
/** Nothing signed tells the time, so that a nonce is remembered longer than any handshake is tried again. */
const NONCE_MS = 3_600_000;

/** The `X-Plivo-Signature-V3` of a URL in the form Plivo signs: base64 of an HMAC-SHA256 with the nonce. */
export function signPlivoUrl(signed: string, nonce: string, authToken: string): string {
  return createHmac('sha256', authToken).update(`${signed}.${nonce}`).digest('base64');
}

/** The two headers of Plivo's own upgrade. Its SDK validates with `https`, whatever was dialled. */
export function provePlivoUpgrade(
  { url, nonce }: UpgradeDraft,
  authToken: string,
): { readonly [name: string]: string } {
  const [base = '', query] = url.replace(/^ws/i, 'http').split('?', 2);
  const signed = query === undefined ? base : `${base}${sortedQuery(query).join('')}`;
  return {
    'X-Plivo-Signature-V3': signPlivoUrl(signed, nonce, authToken),
    'X-Plivo-Signature-V3-Nonce': nonce,
  };
}

/**
 * Whether the upgrade was signed with this auth token. Plivo's SDK validates with `https`, though `wss` was
 * dialled, and with `http` behind a proxy that ends TLS: every spelling is tried, and all are compared.
 */
export function verifyPlivoUpgrade(
  { headers, urls }: UpgradeFacts,
  authToken: string,
  nowUnixMs: number,
): ProofVerdict {
  const signatures = (headers[SIGNATURE_HEADER] ?? '').split(',').slice(0, SIGNATURES_MAX);
  const nonce = headers[NONCE_HEADER];
  if (nonce === undefined || nonce === '' || nonce.length > NONCE_CHARACTERS_MAX || authToken === '') {
    return PROOF_FAILED;
  }
  let isAuthentic = false;
  for (const url of urlSpellings(withEitherScheme(urls), sortedQuery)) {
    const expected = signPlivoUrl(url, nonce, authToken);
    for (const signature of signatures) if (isSameSecret(signature.trim(), expected)) isAuthentic = true;
  }
  return isAuthentic
    ? { holds: true, nonce: `plivo ${nonce}`, expiresAtUnixMs: nowUnixMs + NONCE_MS }
    : PROOF_FAILED;
}

/** What came to us over TLS may have been signed as plain, by the host that ended TLS before. */
function withEitherScheme(urls: readonly string[]): readonly string[] {
  return urls.map((url) => url.replace(/^wss:/i, 'ws:').replace(/^https:/i, 'http:'));
}

/** Names and values decoded, sorted, and joined as they are, which is what Plivo's libraries sign. */
function sortedQuery(query: string): readonly string[] {
  const pairs = [...new URLSearchParams(query)].toSorted(
    ([a, first], [b, second]) => compare(a, b) || compare(first, second),
  );
  return pairs.length === 0 ? [''] : [`?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
