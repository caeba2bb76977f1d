import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { invariant } from '../base/errors.ts';
import { parseObject, type JsonObject } from '../base/json.ts';

/** What a leg that lost its connection comes back with: enough to answer before any lookup. */
export interface ResumeClaims {
  readonly callId: string;
  readonly legId: string;
  readonly dialect: string;
  /** Both directions, as the dialect names them. */
  readonly format: string;
  /** How often the leg has connected; an older one than the current is a connection already replaced. */
  readonly generation: number;
  readonly region: string;
  /** The owner's fencing token, where there is one. */
  readonly fence: number | null;
  readonly expiresAtUnixMs: number;
}

const VERSION = 1;
const MAC_BYTES = 16;
const TOKEN_CHARACTERS_MAX = 1_024;

interface ResumeKey {
  readonly id: number;
  readonly key: Buffer;
}

/** Signs with the newest secret, believes any of the ring. `secrets` are newest first. */
export class ResumeTokens {
  readonly #keys: readonly ResumeKey[];

  constructor(secrets: readonly Uint8Array[]) {
    invariant(secrets.length > 0, 'resume tokens need a signing secret');
    this.#keys = secrets.map(keyFrom);
  }

  mint(claims: ResumeClaims): string {
    const { id, key } = this.#keys[0]!;
    const fields = {
      v: VERSION * 256 + id,
      c: claims.callId,
      l: claims.legId,
      d: claims.dialect,
      f: claims.format,
      g: claims.generation,
      r: claims.region,
      ...(claims.fence === null ? {} : { t: claims.fence }),
      e: Math.ceil(claims.expiresAtUnixMs / 1000),
    };
    const body = Buffer.from(JSON.stringify(fields)).toString('base64url');
    return `${body}.${macOf(body, key).toString('base64url')}`;
  }

  /** The claims, or undefined for a token that is foreign, forged or expired. */
  verify(token: string, nowUnixMs: number): ResumeClaims | undefined {
    if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
    const dot = token.indexOf('.');
    if (dot < 1) return undefined;
    const body = token.slice(0, dot);
    const fields = parseObject(Buffer.from(body, 'base64url'));
    if (fields === undefined || !this.#isSigned(body, token.slice(dot + 1), fields['v'])) return undefined;
    const claims = claimsFrom(fields);
    return claims.expiresAtUnixMs > nowUnixMs ? claims : undefined;
  }

  #isSigned(body: string, mac: string, version: unknown): boolean {
    if (typeof version !== 'number' || Math.floor(version / 256) !== VERSION) return false;
    const shown = Buffer.from(mac, 'base64url');
    // Two keys of a ring may share an id: one byte tells most apart, and the signature decides.
    return this.#keys.some(
      ({ id, key }) => id === version % 256 && shown.length === MAC_BYTES && isSameMac(shown, body, key),
    );
  }
}

/** A key of its own from each secret, so that no other kind of token is ever a resume token. */
function keyFrom(secret: Uint8Array): ResumeKey {
  const key = createHmac('sha256', secret).update('omnivoice resume token').digest();
  return { id: createHash('sha256').update(key).digest()[0]!, key };
}

function macOf(body: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(body).digest().subarray(0, MAC_BYTES);
}

function isSameMac(shown: Buffer, body: string, key: Buffer): boolean {
  return timingSafeEqual(shown, macOf(body, key));
}

// Our own signature vouches for the shape: only we mint.
function claimsFrom(fields: JsonObject): ResumeClaims {
  return {
    callId: fields['c'] as string,
    legId: fields['l'] as string,
    dialect: fields['d'] as string,
    format: fields['f'] as string,
    generation: fields['g'] as number,
    region: fields['r'] as string,
    fence: (fields['t'] as number | undefined) ?? null,
    expiresAtUnixMs: (fields['e'] as number) * 1000,
  };
}
