import { createHmac, timingSafeEqual } from 'node:crypto';

/** Receivers refuse what is older, or newer, than this: a recorded request cannot be played back later. */
export const TOLERANCE_MS = 5 * 60_000;

const PREFIX = 'whsec_';
const VERSION = 'v1';
/** A rotation brings two; nobody signs with more keys than this. */
const SIGNATURES_MAX = 16;

/** Why a delivery is not believed. */
export type Doubt = 'no_signature' | 'malformed_timestamp' | 'too_old' | 'too_new' | 'wrong_signature';

export interface SignedHeaders {
  readonly id: string;
  readonly timestamp: string;
  /** One or more `v1,<base64>`, separated by spaces. */
  readonly signature: string;
}

/**
 * Whether the sender of a hook knows the secret (Standard Webhooks, "Verifying signatures"): HMAC-SHA256 over
 * `id.timestamp.body`, compared in constant time, within five minutes. Undefined: believed.
 */
export function doubtOf(
  secret: string,
  { id, timestamp, signature }: SignedHeaders,
  body: Uint8Array,
  nowUnixMs: number,
): Doubt | undefined {
  if (id === '' || timestamp === '' || signature === '') return 'no_signature';
  if (!/^\d{1,12}$/.test(timestamp)) return 'malformed_timestamp';
  const ageMs = nowUnixMs - Number(timestamp) * 1000;
  if (ageMs > TOLERANCE_MS) return 'too_old';
  if (ageMs < -TOLERANCE_MS) return 'too_new';
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const given = signature.split(' ', SIGNATURES_MAX).map((entry) => entry.split(',', 2));
  // Every one is compared, so that the time taken does not say which one fits.
  const fitting = given.filter(
    ([version, text]) => version === VERSION && isSame(Buffer.from(text ?? '', 'base64'), expected),
  );
  return fitting.length > 0 ? undefined : 'wrong_signature';
}

function isSame(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
