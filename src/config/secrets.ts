import type { Clock } from '../base/clock.ts';
import { splitList, type Kind, type Parsed } from './kinds.ts';

/** One key of the ring that encrypts secrets at rest. New secrets use the first; all can be read. */
export interface EncryptionKey {
  readonly id: string;
  /** 32 bytes, for AES-256. */
  readonly key: Uint8Array;
}

// RFC 7518 §3.2: a key of HS256 has at least the size of its hash.
const SIGNING_SECRET_BYTES_MIN = 32;
const ENCRYPTION_KEY_BYTES = 32;

/** HMAC keys of session and resume tokens, newest first. */
export const signingSecrets: Kind<readonly Uint8Array[]> = {
  hint: 'secrets',
  limits: `at least ${SIGNING_SECRET_BYTES_MIN} bytes each, between commas, newest first`,
  parse: (given) => {
    const secrets = splitList(given).map((part) => Buffer.from(part, 'utf8'));
    const isLong = secrets.every((secret) => secret.length >= SIGNING_SECRET_BYTES_MIN);
    if (isLong && secrets.length > 0) return { value: secrets };
    return { mistake: `has a secret shorter than ${SIGNING_SECRET_BYTES_MIN} bytes` };
  },
  format: (value) => value.map((secret) => Buffer.from(secret).toString('utf8')).join(','),
};

/** The key ring of secrets at rest: `id:base64`, newest first. */
export const encryptionKeys: Kind<readonly EncryptionKey[]> = {
  hint: 'keys',
  limits: `id:base64 of ${ENCRYPTION_KEY_BYTES} bytes each, between commas, newest first`,
  parse: parseEncryptionKeys,
  format: (value) => value.map(({ id, key }) => `${id}:${Buffer.from(key).toString('base64')}`).join(','),
};

function parseEncryptionKeys(given: string): Parsed<readonly EncryptionKey[]> {
  const keys: EncryptionKey[] = [];
  for (const part of splitList(given)) {
    const [, id, encoded] = /^([a-z0-9_-]{1,32}):([A-Za-z0-9+/_-]+={0,2})$/i.exec(part) ?? [];
    const key = Buffer.from(encoded ?? '', 'base64');
    if (id === undefined || key.length !== ENCRYPTION_KEY_BYTES) {
      return { mistake: `has a part that is not id:base64 of ${ENCRYPTION_KEY_BYTES} bytes` };
    }
    if (keys.some((other) => other.id === id)) return { mistake: `has two keys with the id "${id}"` };
    keys.push({ id, key });
  }
  return keys.length === 0 ? { mistake: 'has no key' } : { value: keys };
}

/** A signing secret made now, as the setting is written. */
export function newSigningSecret(clock: Pick<Clock, 'randomBytes'>): string {
  return clock.randomBytes(SIGNING_SECRET_BYTES_MIN).toString('base64url');
}

/** An encryption key made now, as the setting is written. */
export function newEncryptionKey(clock: Pick<Clock, 'randomBytes'>): string {
  const id = clock.randomBytes(4).toString('hex');
  return `${id}:${clock.randomBytes(ENCRYPTION_KEY_BYTES).toString('base64')}`;
}
