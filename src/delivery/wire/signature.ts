import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';

// Standard Webhooks, "Signature scheme": 24 to 64 random bytes. 24 of them fill base64 without padding.
const SECRET_BYTES = 24;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_PATTERN = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;

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

/**
 * The value of `webhook-signature`: one `v1,…` per secret, newest first, so that a receiver may hold either
 * while a rotation overlaps. `timestampS` is the second of this attempt: receivers refuse one five minutes
 * old, so every attempt is signed anew.
 */
export function sign(secrets: readonly string[], id: string, timestampS: number, body: Uint8Array): string {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const mac = createHmac('sha256', key).update(`${id}.${timestampS}.`).update(body).digest('base64');
    return `v1,${mac}`;
  });
  return signatures.join(' ');
}
