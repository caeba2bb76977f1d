import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  sign as signBytes,
  type KeyObject,
} from 'node:crypto';
import type { Clock } from '../../base/clock.ts';

// Standard Webhooks, "Signature scheme": 24 to 64 random bytes. 24 of them fill base64 without padding.
const SECRET_BYTES = 24;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_PATTERN = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;

const SEED_BYTES = 32;
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
// RFC 8410 §7: what stands before the 32 bytes of an ed25519 private key in PKCS #8.
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
// An import costs more than the signature; an endpoint signs with one key for weeks.
const IMPORTED_KEYS_MAX = 1_000;
const imported = new Map<string, KeyObject>();

/** A fresh `whsec_…` signing secret. */
export function newSecret(clock: Pick<Clock, 'randomBytes'>): string {
  return `whsec_${clock.randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** Whether `secret` can sign: a permissive decoder would make a short or empty key of anything else. */
export function isValidSecret(secret: string): boolean {
  const encoded = SECRET_PATTERN.exec(secret)?.[1];
  if (encoded === undefined) return false;
  const key = Buffer.from(encoded, 'base64');
  // Written back the same, save for the padding that some generators leave out.
  const isCanonical = key.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  return isCanonical && key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX;
}

/** A fresh `whsk_…`: seed and public key of ed25519, 64 bytes, as Standard Webhooks keeps them. */
export function newPrivateKey(clock: Pick<Clock, 'randomBytes'>): string {
  const seed = clock.randomBytes(SEED_BYTES);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  return `${PRIVATE_PREFIX}${Buffer.concat([seed, publicBytesOf(key)]).toString('base64')}`;
}

/** The `whpk_…` that belongs to a `whsk_…`: what a receiver verifies `v1a` with. */
export function publicKeyOf(privateKey: string): string {
  return `${PUBLIC_PREFIX}${publicBytesOf(privateKeyOf(privateKey)).toString('base64')}`;
}

/**
 * The value of `webhook-signature`: one `v1,…` per secret and one `v1a,…` per private key, newest first, so
 * that a receiver may hold either while a rotation overlaps. `timestampS` is the second of this attempt:
 * receivers refuse one five minutes old, so every attempt is signed anew.
 */
export function sign(secrets: readonly string[], id: string, timestampS: number, body: Uint8Array): string {
  const head = `${id}.${timestampS}.`;
  const signatures = secrets.map((secret) => signatureOf(secret, head, body));
  return signatures.join(' ');
}

function signatureOf(secret: string, head: string, body: Uint8Array): string {
  if (!secret.startsWith(PRIVATE_PREFIX)) {
    const key = importKey(secret, () =>
      createSecretKey(Buffer.from(secret.slice('whsec_'.length), 'base64')),
    );
    return `v1,${createHmac('sha256', key).update(head).update(body).digest('base64')}`;
  }
  const signed = Buffer.concat([Buffer.from(head), body]);
  return `v1a,${signBytes(null, signed, privateKeyOf(secret)).toString('base64')}`;
}

/** HMAC-SHA256 of the body alone, keyed with a text as it stands. */
export function macOf(secret: string, body: Uint8Array, encoding: 'hex' | 'base64'): string {
  const key = importKey(`text:${secret}`, () => createSecretKey(secret, 'utf8'));
  return createHmac('sha256', key).update(body).digest(encoding);
}

function privateKeyOf(text: string): KeyObject {
  return importKey(text, () => {
    const seed = Buffer.from(text.slice(PRIVATE_PREFIX.length), 'base64').subarray(0, SEED_BYTES);
    return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  });
}

function importKey(name: string, make: () => KeyObject): KeyObject {
  const known = imported.get(name);
  if (known !== undefined) return known;
  const key = make();
  if (imported.size >= IMPORTED_KEYS_MAX) imported.clear();
  imported.set(name, key);
  return key;
}

function publicBytesOf(privateKey: KeyObject): Buffer {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}
