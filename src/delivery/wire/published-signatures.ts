import type { Endpoint, SigningKeys } from '../outbox.ts';
import { macOf } from './signature.ts';

type Headers = { readonly [name: string]: string };

/** What a published recipe takes for its key: the shared secret, as it stands. */
function sharedSecretOf({ shared, symmetric }: SigningKeys): string {
  return shared ?? symmetric;
}

/**
 * The signatures of the published pages: HMAC-SHA256 of the body alone, keyed with the shared secret as it
 * stands. Each of their headers holds one value only, so while a rotation overlaps the new key signs, and the
 * one before it stands beside it under `…-previous`.
 */
export function publishedSignatures(
  endpoint: Pick<Endpoint, 'signatures' | 'keys'>,
  previous: SigningKeys | undefined,
  body: Uint8Array,
): Headers {
  const { omniflow, voiceoi, secretHeader } = endpoint.signatures;
  const names = [
    ...(omniflow === null ? [] : ['x-omniflow-signature']),
    ...(voiceoi ? ['x-voiceoi-signature'] : []),
  ];
  const headers: { [name: string]: string } = {};
  for (const [keys, suffix] of [[endpoint.keys, ''] as const, [previous, '-previous'] as const]) {
    if (keys === undefined) continue;
    const secret = sharedSecretOf(keys);
    for (const name of names) {
      const encoding = name === 'x-omniflow-signature' && omniflow === 'base64' ? 'base64' : 'hex';
      headers[`${name}${suffix}`] = macOf(secret, body, encoding);
    }
  }
  if (secretHeader !== null) headers[secretHeader.toLowerCase()] = sharedSecretOf(endpoint.keys);
  return headers;
}
