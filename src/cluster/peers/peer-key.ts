import { createHash, hkdfSync } from 'node:crypto';

const KEY_BYTES = 32;
const NAME_CHARS = 16;

/** A key both ends of a link prove to have, and the name it goes by in the handshake. */
export interface PeerKey {
  /** Told in clear; says nothing of the key. */
  readonly identity: string;
  readonly psk: Buffer;
}

/** The key of one shared secret (HKDF, RFC 5869): the secret itself never meets TLS, nor any other use. */
export function derivePeerKey(secret: string): PeerKey {
  const psk = Buffer.from(hkdfSync('sha256', secret, '', 'omnivoice peer link', KEY_BYTES));
  const name = createHash('sha256').update('omnivoice peer name').update(psk).digest('hex');
  return { identity: name.slice(0, NAME_CHARS), psk };
}

/** The keys of a ring of secrets, newest first: the first is dialled with, all are taken, so it can turn. */
export class PeerKeys {
  readonly newest: PeerKey;
  readonly #byIdentity: ReadonlyMap<string, PeerKey>;

  constructor(secrets: readonly [string, ...string[]]) {
    this.newest = derivePeerKey(secrets[0]);
    this.#byIdentity = new Map(secrets.map(derivePeerKey).map((key) => [key.identity, key]));
  }

  find(identity: string): Buffer | null {
    return this.#byIdentity.get(identity)?.psk ?? null;
  }
}
