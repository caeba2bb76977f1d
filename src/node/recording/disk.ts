import { mkdir, open, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that is being written. */
export interface DiskFile {
  write(bytes: Uint8Array, at: number): Promise<void>;
  close(): Promise<void>;
}

/** The disk as recordings use it. */
export interface Disk {
  create(path: string): Promise<DiskFile>;
  /** How much of it is free, 0 to 1. */
  freeRatio(directory: string): Promise<number>;
}

const PRIVATE_DIR = 0o700;
const PRIVATE_FILE = 0o600;

/** The real one. */
export const realDisk: Disk = {
  create: async (path) => {
    await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIR });
    const file = await open(path, 'wx', PRIVATE_FILE);
    return {
      write: async (bytes, at) => {
        for (let written = 0; written < bytes.length;) {
          const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written);
          written += bytesWritten;
        }
      },
      close: () => file.close(),
    };
  },
  freeRatio: async (directory) => {
    const { bavail, blocks } = await statfs(directory);
    return blocks === 0 ? 1 : bavail / blocks;
  },
};
