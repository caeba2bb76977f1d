import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { invariant, VoiceError } from '../base/errors.ts';

/** One key of the ring for secrets at rest: AES-256, so 32 bytes. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Where a secret lives; bound to it, so that a value copied to another row or column does not open. */
export interface SecretPlace {
  readonly rowId: string;
  readonly field: string;
}

const PREFIX = 'enc:v1:';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Secrets at rest: AES-256-GCM as `enc:v1:<kid>:<iv>:<ct+tag>`. The newest key writes, every key of the ring
 * reads.
 */
export class Cipher {
  readonly #keys: readonly EncryptionKey[];
  readonly #clock: Pick<Clock, 'randomBytes'>;

  /** `keys` are newest first. */
  constructor(keys: readonly EncryptionKey[], clock: Pick<Clock, 'randomBytes'>) {
    invariant(keys.length > 0, 'the store needs an encryption key');
    for (const { id, key } of keys) {
      invariant(/^[\w.-]{1,64}$/.test(id), 'the id of an encryption key is 1 to 64 letters, digits, . _ -');
      invariant(key.length === KEY_BYTES, `encryption key ${id} is not ${KEY_BYTES} bytes`);
    }
    this.#keys = keys;
    this.#clock = clock;
  }

  seal(plain: string, place: SecretPlace): string {
    const { id, key } = this.#keys[0]!;
    const iv = this.#clock.randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aadOf(place));
    const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}${id}:${iv.toString('base64url')}:${sealed.toString('base64url')}`;
  }

  /** Whether the key that seals now sealed this. */
  isNewest(sealed: string): boolean {
    return sealed.startsWith(`${PREFIX}${this.#keys[0]!.id}:`);
  }

  open(sealed: string, place: SecretPlace): string {
    const [id, iv, text] = sealed.startsWith(PREFIX) ? sealed.slice(PREFIX.length).split(':') : [];
    if (id === undefined || iv === undefined || text === undefined)
      throw unreadable(place, 'is not encrypted');
    const key = this.#keys.find((key) => key.id === id);
    if (key === undefined) {
      throw unreadable(place, `is encrypted with key "${id}", which is not in OMNIVOICE_ENCRYPTION_KEYS`);
    }
    const bytes = Buffer.from(text, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.key, Buffer.from(iv, 'base64url'), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(aadOf(place)).setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(0, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      // What OpenSSL says of a wrong tag helps nobody; which secret it was does.
      throw unreadable(place, `does not open with key "${id}": wrong key, or altered`);
    }
  }
}

function aadOf({ rowId, field }: SecretPlace): Buffer {
  return Buffer.from(`${rowId}|${field}`);
}

function unreadable({ rowId, field }: SecretPlace, why: string): VoiceError {
  return new VoiceError('failed_precondition', `the secret ${field} of ${rowId} ${why}`);
}
