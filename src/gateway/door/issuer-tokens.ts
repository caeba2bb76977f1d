import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { isObject, parseObject } from '../../base/json.ts';
import type { TokenIssuer } from '../../dialect/proof.ts';

/** Fetches a text over HTTP; undefined where it could not be had. Never rejects. */
export type FetchText = (url: string, timeLimitMs: number) => Promise<string | undefined>;

const FETCH_MS_MAX = 3_000;
/** Keys are fetched anew this often, and where a token names one that is not among them. */
const FRESH_MS = 3_600_000;
/** A stranger's token may name any key: it is looked for no more often. */
const RETRY_MS = 30_000;
/** While nobody answers, the keys that were had last are believed so long. */
const BELIEVED_MS = 86_400_000;
const ISSUERS_MAX = 64;
const KEYS_MAX = 64;
const TOKEN_CHARACTERS_MAX = 8_192;
/** Clocks of strangers. */
const LEEWAY_S = 60;
/** What signs with a key that everybody may read; `none` and shared secrets least of all (RFC 8725 §3.1). */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'];

/** The keys of one issuer, as they were had last. */
interface IssuerKeys {
  find: JWTVerifyGetKey | undefined;
  ids: ReadonlySet<string>;
  fetchedAtUnixMs: number;
  triedAtUnixMs: number;
  fetching: Promise<void> | undefined;
}

/** What a token must say besides being signed. */
export interface IssuerDemand extends TokenIssuer {
  readonly audience: string;
}

/**
 * JWTs of providers that sign with keys of their own (RFC 7519, RFC 7517): the keys are fetched, kept, and
 * fetched anew when they rotate. Many tokens at once wait for one fetch.
 */
export class IssuerTokens {
  readonly stats = { fetched: 0, failed: 0, forgotten: 0 };
  readonly #fetchText: FetchText;
  /** Used longest ago first. */
  readonly #issuers = new Map<string, IssuerKeys>();

  constructor(fetchText: FetchText) {
    this.#fetchText = fetchText;
  }

  /** Whether a token is the issuer's, for this audience, and holds now. */
  async isValid(token: string, demand: IssuerDemand, nowUnixMs: number): Promise<boolean> {
    const keyId = token.length > TOKEN_CHARACTERS_MAX ? undefined : keyIdOf(token);
    if (keyId === undefined || demand.audience === '') return false;
    const find = await this.#keysFor(keyId, demand.keysUrl, nowUnixMs);
    if (find === undefined) return false;
    try {
      await jwtVerify(token, find, {
        algorithms: ALGORITHMS,
        issuer: demand.issuer,
        audience: demand.audience,
        currentDate: new Date(nowUnixMs),
        clockTolerance: LEEWAY_S,
        requiredClaims: ['exp'],
      });
      return true;
    } catch {
      // Forged, expired, for somebody else: which of them is nobody's business at the door.
      return false;
    }
  }

  async #keysFor(keyId: string, url: string, nowUnixMs: number): Promise<JWTVerifyGetKey | undefined> {
    const issuer = this.#issuerOf(url);
    const isStale = nowUnixMs - issuer.fetchedAtUnixMs >= FRESH_MS || !issuer.ids.has(keyId);
    if (isStale && nowUnixMs - issuer.triedAtUnixMs >= RETRY_MS) {
      issuer.triedAtUnixMs = nowUnixMs;
      issuer.fetching = this.#fetch(issuer, url, nowUnixMs);
    }
    await issuer.fetching;
    return nowUnixMs - issuer.fetchedAtUnixMs < BELIEVED_MS ? issuer.find : undefined;
  }

  async #fetch(issuer: IssuerKeys, url: string, nowUnixMs: number): Promise<void> {
    const set = await this.#setAt(url);
    issuer.fetching = undefined;
    if (set === undefined) {
      this.stats.failed++;
      return;
    }
    this.stats.fetched++;
    issuer.find = createLocalJWKSet(set);
    issuer.ids = new Set(set.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])));
    issuer.fetchedAtUnixMs = nowUnixMs;
  }

  /** The keys themselves, or where an OpenID configuration says that they are. */
  async #setAt(url: string): Promise<JSONWebKeySet | undefined> {
    const first = await this.#objectAt(url);
    const elsewhere = first?.['jwks_uri'];
    return keySetOf(typeof elsewhere === 'string' ? await this.#objectAt(elsewhere) : first);
  }

  async #objectAt(url: string): Promise<{ readonly [name: string]: unknown } | undefined> {
    const text = await this.#fetchText(url, FETCH_MS_MAX);
    return text === undefined ? undefined : parseObject(Buffer.from(text));
  }

  #issuerOf(url: string): IssuerKeys {
    const never = -Infinity;
    const none = { find: undefined, fetching: undefined, fetchedAtUnixMs: never, triedAtUnixMs: never };
    const known = this.#issuers.get(url) ?? { ...none, ids: new Set<string>() };
    this.#issuers.delete(url);
    this.#issuers.set(url, known);
    if (this.#issuers.size > ISSUERS_MAX) {
      const [oldest = ''] = this.#issuers.keys();
      this.#issuers.delete(oldest);
      this.stats.forgotten++;
    }
    return known;
  }
}

function keySetOf(found: { readonly [name: string]: unknown } | undefined): JSONWebKeySet | undefined {
  const keys = found?.['keys'];
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MAX) return undefined;
  return keys.every((key) => isObject(key) && typeof key['kty'] === 'string')
    ? { keys: keys as JSONWebKeySet['keys'] }
    : undefined;
}

/** Which key a token says that it was signed with; undefined where it is no JWT. */
function keyIdOf(token: string): string | undefined {
  const header = parseObject(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url'));
  const keyId = header?.['kid'];
  return typeof keyId === 'string' ? keyId : undefined;
}
