import { createHmac, timingSafeEqual } from 'node:crypto';

export const HMAC_ALGORITHMS = ['sha256', 'sha512', 'sha1'] as const;
export const HMAC_ENCODINGS = ['hex', 'base64'] as const;

/** How a sender signs: HMAC of the raw body in a header of its own. */
export interface SignatureTerms {
  readonly header: string;
  readonly algorithm: (typeof HMAC_ALGORITHMS)[number];
  readonly encoding: (typeof HMAC_ENCODINGS)[number];
  /** Stands before the digest, as in `sha256=`; empty for none. */
  readonly prefix: string;
}

const FORMS = { hex: /^(?:[0-9a-f]{2})+$/i, base64: /^[A-Za-z0-9+/_-]+={0,2}$/ };

/**
 * Whether the header carries the digest of these bytes under any of the secrets. Blanks are no part of it:
 * senders write `sha256= 5d7c…` and lines that proxies fold.
 */
export function isSignedBy(
  secrets: readonly string[],
  terms: SignatureTerms,
  signed: { readonly header: string | undefined; readonly body: Uint8Array },
): boolean {
  const given = digestIn(signed.header, terms);
  if (given === undefined) return false;
  let isSigned = false;
  for (const secret of secrets) {
    const due = createHmac(terms.algorithm, secret).update(signed.body).digest();
    // Every secret is tried: how long it takes tells nobody which one it was.
    if (due.length === given.length && timingSafeEqual(due, given)) isSigned = true;
  }
  return isSigned;
}

function digestIn(header: string | undefined, { prefix, encoding }: SignatureTerms): Buffer | undefined {
  const text = (header ?? '').replaceAll(/\s/g, '');
  const bare = prefix.replaceAll(/\s/g, '');
  if (!text.toLowerCase().startsWith(bare.toLowerCase())) return undefined;
  const digest = text.slice(bare.length);
  return FORMS[encoding].test(digest) ? Buffer.from(digest, encoding) : undefined;
}
