import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { VoiceError } from '../../base/errors.ts';
import { soundPathOf, type RecordingNote } from './recording-note.ts';
import { BLOCK_BYTES_MAX, BLOCK_EXTRA_BYTES, BLOCK_HEAD_BYTES, sealingOf, type RingKey } from './sealing.ts';
import type { Sealing } from './sealing.ts';
import { headerOf } from './sound-container.ts';

const READ_BYTES = 64 * 1024;

interface Block {
  /** Where it lies in the file, and where its sound lies in the recording. */
  readonly fileAt: number;
  readonly at: number;
  readonly bytes: number;
}

interface Sealed {
  readonly sealing: Sealing;
  readonly blocks: readonly Block[];
}

/** The sound of a recording as a file that is whole: unsealed, and with the sizes it has by now. */
export class SoundFile {
  /** Of the recording as it is read. */
  readonly bytes: number;
  /** Of the file on the disk, as far as it is whole. */
  readonly wholeBytes: number;
  readonly #file: FileHandle;
  readonly #header: Uint8Array | undefined;
  readonly #sealed: Sealed | undefined;

  private constructor(parts: {
    file: FileHandle;
    bytes: number;
    wholeBytes: number;
    header: Uint8Array | undefined;
    sealed?: Sealed;
  }) {
    this.bytes = parts.bytes;
    this.wholeBytes = parts.wholeBytes;
    this.#file = parts.file;
    this.#header = parts.header;
    this.#sealed = parts.sealed;
  }

  /** Opens it for reading. Throws `not_found` where there is no such file. */
  static async open(directory: string, note: RecordingNote, keys: readonly RingKey[]): Promise<SoundFile> {
    const file = await openRead(soundPathOf(directory, note), note.id);
    try {
      const { size } = await file.stat();
      if (note.key_id === null) {
        return new SoundFile({ file, bytes: size, wholeBytes: size, header: headerFor(note, size) });
      }
      const sealing = sealingOf(keys, note.key_id, note.id);
      const blocks = await blocksOf(file, size, sealing);
      const last = blocks.at(-1);
      const bytes = last === undefined ? 0 : last.at + last.bytes;
      const wholeBytes = last === undefined ? 0 : last.fileAt + last.bytes + BLOCK_EXTRA_BYTES;
      const sealed = { sealing, blocks };
      return new SoundFile({ file, bytes, wholeBytes, header: headerFor(note, bytes), sealed });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes `from` up to, not including, `to`; closes the file when it is through, or given up. */
  async *read(from = 0, to = this.bytes): AsyncGenerator<Buffer> {
    try {
      for await (const piece of this.pieces(from, to)) yield piece;
    } finally {
      await this.close();
    }
  }

  async *pieces(from: number, to: number): AsyncGenerator<Buffer> {
    for (let at = from; at < to;) {
      const piece = await this.#pieceAt(at, to);
      if (piece.length === 0) return;
      this.#overlay(piece, at);
      yield piece;
      at += piece.length;
    }
  }

  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    for await (const piece of this.pieces(0, this.bytes)) hash.update(piece);
    return hash.digest('hex');
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #pieceAt(at: number, to: number): Promise<Buffer> {
    if (this.#sealed !== undefined) return this.#unsealedAt(this.#sealed, at, to);
    const piece = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
    const { bytesRead } = await this.#file.read(piece, 0, piece.length, at);
    return piece.subarray(0, bytesRead);
  }

  async #unsealedAt({ sealing, blocks }: Sealed, at: number, to: number): Promise<Buffer> {
    const index = blocks.findIndex((block) => at < block.at + block.bytes);
    const block = blocks[index];
    if (block === undefined) return Buffer.alloc(0);
    const sealed = Buffer.allocUnsafe(block.bytes + BLOCK_EXTRA_BYTES);
    await this.#file.read(sealed, 0, sealed.length, block.fileAt);
    const plain = sealing.open(sealed, index);
    if (plain === undefined) throw new VoiceError('internal', 'a block of the recording was altered');
    return plain.subarray(at - block.at, Math.min(block.bytes, to - block.at));
  }

  /** The header on the disk may be older than what follows it. */
  #overlay(piece: Buffer, at: number): void {
    if (this.#header !== undefined && at < this.#header.length) {
      piece.set(this.#header.subarray(at, at + piece.length));
    }
  }
}

function headerFor({ format, sample_rate_hz }: RecordingNote, bytes: number): Uint8Array | undefined {
  const headerBytes = headerOf(format, sample_rate_hz, 0)?.length ?? 0;
  return headerOf(format, sample_rate_hz, Math.max(0, bytes - headerBytes));
}

/** Whole blocks from the beginning on; the last of them is known to open. */
async function blocksOf(file: FileHandle, size: number, sealing: Sealing): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  const head = Buffer.alloc(BLOCK_HEAD_BYTES);
  for (let fileAt = 0, at = 0; fileAt + BLOCK_EXTRA_BYTES <= size;) {
    await file.read(head, 0, head.length, fileAt);
    const bytes = head.readUInt32LE(0);
    if (bytes > BLOCK_BYTES_MAX || fileAt + bytes + BLOCK_EXTRA_BYTES > size) break;
    blocks.push({ fileAt, at, bytes });
    fileAt += bytes + BLOCK_EXTRA_BYTES;
    at += bytes;
  }
  const last = blocks.at(-1);
  if (last === undefined) return blocks;
  const sealed = Buffer.alloc(last.bytes + BLOCK_EXTRA_BYTES);
  await file.read(sealed, 0, sealed.length, last.fileAt);
  return sealing.open(sealed, blocks.length - 1) === undefined ? blocks.slice(0, -1) : blocks;
}

async function openRead(path: string, id: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw new VoiceError('not_found', `the sound of ${id} is not there`, { cause: error });
  }
}
