import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach } from 'vitest';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import type { EncryptionKey } from '../../src/store/cipher.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { TEST_KEYS } from './samples.ts';

const closers: (() => void | Promise<void>)[] = [];

afterEach(async () => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
});

/** Runs `close` when the test is over, last in first. */
export function atTheEnd(close: () => void | Promise<void>): void {
  closers.push(close);
}

/** A fresh folder's database path; the folder goes with the test. */
export function tempPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'omnivoice-store-'));
  atTheEnd(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'store.db');
}

export async function openTempStore(
  options: { path?: string; clock?: Clock; encryptionKeys?: readonly EncryptionKey[] } = {},
): Promise<Store> {
  const store = await openStore({
    path: options.path ?? tempPath(),
    clock: options.clock ?? systemClock,
    encryptionKeys: options.encryptionKeys ?? TEST_KEYS,
  });
  let isOpen = true;
  const close = async () => {
    if (isOpen) await store.close();
    isOpen = false;
  };
  atTheEnd(close);
  return { ...store, close };
}

/** What a stranger with a SQLite shell sees. */
export function rowsOf(path: string, sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}
