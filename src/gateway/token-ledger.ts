import { closeSync, existsSync, mkdirSync, openSync, unlinkSync } from 'node:fs';
import { opendir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AtMs, Cancel, Clock } from '../base/clock.ts';
import { hasCode } from '../base/errors.ts';
import { sha256Hex } from '../base/secret.ts';
import { SESSION_TOKEN_TTL_MS } from '../base/session-token.ts';

/** Session tokens open the door once. */
export interface TokenUses {
  isUsed(tokenId: string): boolean;
  /** Exclusive among everyone who may be shown the token. `unavailable`: nobody can say (disk full). */
  take(tokenId: string): 'taken' | 'used' | 'unavailable';
  /** The start failed on our side: the token may be tried again. */
  giveBack(tokenId: string): void;
}

/** A used token is remembered for longer than it could be valid. */
const KEEP_MS = 2 * SESSION_TOKEN_TTL_MS;
const PURGE_EVERY_MS = 30_000;

export interface TokenLedgerOptions {
  /** One directory for all nodes of a host. */
  readonly directory: string;
  readonly clock: Clock;
  /** Tokens one node remembers at a time; beyond it nobody is let in by a token. */
  readonly tokensMax?: number;
}

/**
 * Which session tokens have been used: one exclusively created file each, so that it holds for every node of
 * the host and over a restart.
 */
export class TokenLedger implements TokenUses {
  readonly stats = { taken: 0, replayed: 0, refusedFull: 0, failed: 0, purged: 0 };
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #tokensMax: number;
  /** Files of our own making, oldest first: they are purged without asking the disk for their age. */
  readonly #takenAtMs = new Map<string, AtMs>();
  #cancelPurge: Cancel;
  #isClosed = false;

  constructor(options: TokenLedgerOptions) {
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#tokensMax = options.tokensMax ?? 100_000;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#cancelPurge = this.#clock.after(PURGE_EVERY_MS, () => void this.#purgePeriodically());
  }

  get rememberedTokens(): number {
    return this.#takenAtMs.size;
  }

  isUsed(tokenId: string): boolean {
    const isUsed = existsSync(this.#pathOf(tokenId));
    if (isUsed) this.stats.replayed++;
    return isUsed;
  }

  take(tokenId: string): 'taken' | 'used' | 'unavailable' {
    if (this.#takenAtMs.size >= this.#tokensMax) {
      this.stats.refusedFull++;
      return 'unavailable';
    }
    const path = this.#pathOf(tokenId);
    try {
      closeSync(openSync(path, 'wx', 0o600));
    } catch (error) {
      if (hasCode(error, 'EEXIST')) {
        this.stats.replayed++;
        return 'used';
      }
      this.stats.failed++;
      return 'unavailable';
    }
    this.#takenAtMs.set(path, this.#clock.nowMs());
    this.stats.taken++;
    return 'taken';
  }

  giveBack(tokenId: string): void {
    const path = this.#pathOf(tokenId);
    // Only what this node took: another's file says that the token is in use there.
    if (!this.#takenAtMs.delete(path)) return;
    try {
      unlinkSync(path);
    } catch {
      // The token stays used: it can only be refused wrongly, never accepted twice.
      this.stats.failed++;
    }
  }

  /** Removes what older processes left behind. */
  async purgeLeftovers(): Promise<void> {
    for await (const entry of await opendir(this.#directory)) {
      if (this.#isClosed) return;
      const path = join(this.#directory, entry.name);
      if (this.#takenAtMs.has(path)) continue;
      const file = await stat(path).catch(() => undefined);
      if (file !== undefined && this.#clock.unixMs() - file.mtimeMs > KEEP_MS) await this.#remove(path);
    }
  }

  /** Removes files of this node whose tokens have long expired. */
  async purge(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const [path, takenAtMs] of this.#takenAtMs) {
      if (nowMs - takenAtMs <= KEEP_MS) return;
      this.#takenAtMs.delete(path);
      await this.#remove(path);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPurge();
  }

  async #purgePeriodically(): Promise<void> {
    await this.purge();
    if (!this.#isClosed) {
      this.#cancelPurge = this.#clock.after(PURGE_EVERY_MS, () => void this.#purgePeriodically());
    }
  }

  async #remove(path: string): Promise<void> {
    try {
      await unlink(path);
      this.stats.purged++;
    } catch {
      // Another node of the host was quicker, or the disk is ill: either way it is only an old name.
    }
  }

  /** Hashed, because a token's id is text of whoever holds the signing secret and this is a file name. */
  #pathOf(tokenId: string): string {
    return join(this.#directory, sha256Hex(tokenId));
  }
}

/** Opens the ledger and begins to clear away what older processes left. */
export function openTokenLedger(options: TokenLedgerOptions): TokenLedger {
  const ledger = new TokenLedger(options);
  // What stays behind when the directory cannot be read is old names, looked at again by the next process.
  ledger.purgeLeftovers().catch(() => ledger.stats.failed++);
  return ledger;
}
