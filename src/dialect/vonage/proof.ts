import { createHmac } from 'node:crypto';
import { numberOf, parseObject, type JsonObject } from '../../base/json.ts';
import { isSameSecret, sha256Hex } from '../../base/secret.ts';
import { nameOf } from '../fields.ts';
import {
  PROOF_FAILED,
  PROOF_HOLDS,
  type ProofVerdict,
  type UpgradeDraft,
  type UpgradeFacts,
} from '../proof.ts';

/** Clocks of strangers: a token may be from a little ahead, and last a little longer. */
const LEEWAY_MS = 60_000;
/** A token that says when it was made and not how long it holds. */
const UNDATED_MS_MAX = 300_000;
const TOKEN_CHARACTERS_MAX = 4_096;
const NONCE_MS = 3_600_000;

/**
 * Whether the upgrade carries a JWT signed with the account's signature secret (HS256, RFC 7519), as
 * `"authorization":{"type":"vonage"}` sends it. Which claims it has is not documented: their times are held
 * to where they are there, and a `jti` is good once.
 */
export function verifyVonageUpgrade(
  { headers }: UpgradeFacts,
  secret: string,
  nowUnixMs: number,
): ProofVerdict {
  const claims = claimsOf(headers['authorization'], secret);
  if (claims === undefined || !isTimely(claims, nowUnixMs)) return PROOF_FAILED;
  const id = nameOf(claims['jti']);
  if (id === undefined) return PROOF_HOLDS;
  const expiresAtUnixMs = Math.max(msOf(claims['exp']) ?? 0, nowUnixMs + NONCE_MS) + LEEWAY_MS;
  return { holds: true, nonce: `vonage ${sha256Hex(id)}`, expiresAtUnixMs };
}

/** A JWT as `"authorization":{"type":"vonage"}` has it sent: good for a minute, and once. */
export function proveVonageUpgrade(
  { nowUnixMs, nonce }: UpgradeDraft,
  secret: string,
): { readonly [name: string]: string } {
  const madeAt = Math.floor(nowUnixMs / 1000);
  const parts = [
    { alg: 'HS256', typ: 'JWT' },
    { iat: madeAt, exp: madeAt + 60, jti: nonce },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return { Authorization: `Bearer ${signed}.${signatureOf(signed, secret)}` };
}

function signatureOf(signed: string, secret: string): string {
  return createHmac('sha256', secret).update(signed).digest('base64url');
}

/**
 * The claims of a token whose signature holds. Only HS256 is believed, `none` least of all (RFC 8725 §3.1).
 */
function claimsOf(authorization: string | undefined, secret: string): JsonObject | undefined {
  const token = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined || token.length > TOKEN_CHARACTERS_MAX || secret === '') return undefined;
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null) return undefined;
  const [, header = '', payload = '', signature = ''] = parts;
  if (!isSameSecret(signature, signatureOf(`${header}.${payload}`, secret))) return undefined;
  if (parseObject(Buffer.from(header, 'base64url'))?.['alg'] !== 'HS256') return undefined;
  return parseObject(Buffer.from(payload, 'base64url'));
}

function isTimely(claims: JsonObject, nowUnixMs: number): boolean {
  const [expiresAtMs, madeAtMs, beginsAtMs] = [claims['exp'], claims['iat'], claims['nbf']].map(msOf);
  const isAhead = [madeAtMs, beginsAtMs].some((atMs) => atMs !== undefined && atMs > nowUnixMs + LEEWAY_MS);
  const endsAtMs = expiresAtMs ?? (madeAtMs === undefined ? undefined : madeAtMs + UNDATED_MS_MAX);
  return !isAhead && (endsAtMs === undefined || endsAtMs + LEEWAY_MS > nowUnixMs);
}

/** RFC 7519 §2: seconds since 1970. */
function msOf(claim: unknown): number | undefined {
  const seconds = numberOf(claim);
  return seconds === undefined ? undefined : seconds * 1000;
}
