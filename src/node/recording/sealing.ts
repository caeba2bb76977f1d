import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';

/** One key of the ring for what is secret at rest: 32 bytes. */
export interface RingKey {
  readonly id: string;
  readonly key: Uint8Array;
}

const LENGTH_BYTES = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Before the sound of a block: its length, its IV. */
export const BLOCK_HEAD_BYTES = LENGTH_BYTES + IV_BYTES;
/** What a block is longer than its sound. */
export const BLOCK_EXTRA_BYTES = BLOCK_HEAD_BYTES + TAG_BYTES;
/** A second of the widest sound there is, and room to spare; a longer length is no block of ours. */
export const BLOCK_BYTES_MAX = 1 << 20;

/**
 * The sound of one recording at rest: blocks, each AES-256-GCM under a key of the recording's own, bound to
 * the recording and to its place in it. Each is `length u32 | iv 12 | sealed | tag 16`.
 */
export class Sealing {
  readonly #recordingId: string;
  readonly #key: Uint8Array;

  constructor(key: RingKey, recordingId: string) {
    this.#recordingId = recordingId;
    this.#key = new Uint8Array(hkdfSync('sha256', key.key, recordingId, 'omnivoice recording', 32));
  }

  seal(plain: Uint8Array, index: number, clock: Pick<Clock, 'randomBytes'>): Buffer {
    const iv = clock.randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(this.#placeOf(index));
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(plain.length);
    return Buffer.concat([length, iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** The sound of a whole block; undefined where it was altered, or belongs elsewhere. */
  open(block: Uint8Array, index: number): Buffer | undefined {
    const iv = block.subarray(LENGTH_BYTES, BLOCK_HEAD_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#placeOf(index)).setAuthTag(block.subarray(-TAG_BYTES));
    try {
      const sealed = block.subarray(BLOCK_HEAD_BYTES, -TAG_BYTES);
      return Buffer.concat([decipher.update(sealed), decipher.final()]);
    } catch {
      // OpenSSL says nothing that helps; whoever asked knows which block it was.
      return undefined;
    }
  }

  #placeOf(index: number): Buffer {
    return Buffer.from(`${this.#recordingId}|${index}`);
  }
}

/** The sealing of a recording, by the key that its note names. */
export function sealingOf(keys: readonly RingKey[], keyId: string, recordingId: string): Sealing {
  const key = keys.find(({ id }) => id === keyId);
  if (key !== undefined) return new Sealing(key, recordingId);
  const sentence = `${recordingId} is sealed with key "${keyId}", which is not in OMNIVOICE_ENCRYPTION_KEYS`;
  throw new VoiceError('failed_precondition', sentence);
}
