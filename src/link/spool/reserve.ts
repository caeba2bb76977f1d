import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs';

/** What the spool asks of the disk when it writes: bytes taken, which may be fewer when the disk is full. */
export type WriteAt = (fd: number, bytes: Buffer, length: number, position: number) => number;

const STEP_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(STEP_BYTES);

/**
 * Disk space held back while there is plenty, so that the calls that are running when the disk fills up can
 * still tell how they ended. Real zeros, not a hole: only written blocks are ours.
 */
export class SpoolReserve {
  readonly #path: string;
  readonly #fd: number;
  readonly #targetBytes: number;
  readonly #write: WriteAt;
  #bytes = 0;

  constructor(path: string, targetBytes: number, write: WriteAt) {
    this.#path = path;
    this.#fd = openSync(path, 'w', 0o600);
    this.#targetBytes = targetBytes;
    this.#write = write;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#targetBytes;
  }

  /** Takes one step of it; false once nothing is left to take or to be had. Small steps: a tick may wait. */
  grow(): boolean {
    const wantedBytes = Math.min(STEP_BYTES, this.#targetBytes - this.#bytes);
    if (wantedBytes === 0) return false;
    try {
      const writtenBytes = this.#write(this.#fd, ZEROS, wantedBytes, this.#bytes);
      this.#bytes += writtenBytes;
      return writtenBytes > 0;
    } catch {
      // A full disk is the answer to the question asked; `isFull` stays false and the node takes no new call.
      return false;
    }
  }

  /** Gives everything back to the disk; false when there was nothing to give. */
  release(): boolean {
    if (this.#bytes === 0) return false;
    this.#bytes = 0;
    try {
      ftruncateSync(this.#fd, 0);
      return true;
    } catch {
      // A disk that cannot even shrink a file gives nothing back; the caller goes on to its next resort.
      return false;
    }
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}
