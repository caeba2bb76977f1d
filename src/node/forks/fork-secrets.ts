import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { ForkSecrets } from '../../call/forks/kept-fork.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals addresses and keys of forks by the secrets that the nodes of a cluster share: AES-256-GCM, bound to
 * the fork. `secrets` are newest first; any of them opens. As text: base64url of `iv 12 | sealed | tag 16`.
 */
export class NodeForkSecrets implements ForkSecrets {
  readonly #keys: readonly Uint8Array[];
  readonly #clock: Pick<Clock, 'randomBytes'>;

  constructor(secrets: readonly Uint8Array[], clock: Pick<Clock, 'randomBytes'>) {
    this.#keys = secrets.map(
      (secret) => new Uint8Array(hkdfSync('sha256', secret, '', 'omnivoice fork', 32)),
    );
    this.#clock = clock;
  }

  seal(text: string, forkId: string): string {
    const iv = this.#clock.randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keys[0]!, iv).setAAD(Buffer.from(forkId));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  open(sealed: string, forkId: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
    for (const key of this.#keys) {
      const text = openWith(key, bytes, forkId);
      if (text !== undefined) return text;
    }
    return undefined;
  }
}

function openWith(key: Uint8Array, bytes: Buffer, forkId: string): string | undefined {
  const iv = bytes.subarray(0, IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(forkId))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const sealed = bytes.subarray(IV_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch {
    // Another key's, another fork's, or altered: it tells nothing either way.
    return undefined;
  }
}
