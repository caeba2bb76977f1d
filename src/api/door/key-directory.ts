import type { AtMs, Clock } from '../../base/clock.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { ApiKey, KeyStore } from '../ports.ts';
import { BoundedMap } from './token-bucket.ts';

const FRESH_MS = 5_000;
const KEYS_MAX = 1_000;
const USE_NOTED_EVERY_MS = 60_000;

interface Seen {
  readonly key: ApiKey;
  readonly atMs: AtMs;
}

/** Finds keys by their secret, asking the store at most every few seconds for each. */
export class KeyDirectory {
  readonly stats = { lookups: 0, useNotesFailed: 0 };
  readonly #store: Pick<KeyStore, 'byHash' | 'update'>;
  readonly #clock: Pick<Clock, 'nowMs' | 'unixMs'>;
  readonly #seen = new BoundedMap<Seen>(KEYS_MAX);
  readonly #usedAtMs = new BoundedMap<AtMs>(KEYS_MAX);
  #changes = 0;

  constructor(store: Pick<KeyStore, 'byHash' | 'update'>, clock: Pick<Clock, 'nowMs' | 'unixMs'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The key with this secret, unless it is unknown, removed or expired. */
  find(secret: string): Promise<ApiKey | undefined> {
    return this.findByHash(sha256Hex(secret));
  }

  async findByHash(secretHash: string): Promise<ApiKey | undefined> {
    const seen = this.#seen.get(secretHash);
    const isFresh = seen !== undefined && this.#clock.nowMs() - seen.atMs < FRESH_MS;
    const key = isFresh ? seen.key : await this.#lookUp(secretHash);
    if (key === undefined || isExpired(key, this.#clock.unixMs())) return undefined;
    return key;
  }

  /** Whether this secret has opened the door before: its owner does not suffer for a neighbour's guessing. */
  isKnown(secret: string): boolean {
    return this.#seen.has(sha256Hex(secret));
  }

  /** Forgets everything: a key was changed, removed or rotated. */
  forget(): void {
    this.#changes++;
    this.#seen.clear();
  }

  /** Notes that the key was used, in the store at most once a minute. */
  noteUse(key: ApiKey): void {
    const nowMs = this.#clock.nowMs();
    const notedAtMs = this.#usedAtMs.get(key.id);
    if (notedAtMs !== undefined && nowMs - notedAtMs < USE_NOTED_EVERY_MS) return;
    this.#usedAtMs.set(key.id, nowMs);
    const lastUsedAt = new Date(this.#clock.unixMs()).toISOString();
    this.#store.update(key.workspaceId, key.id, { lastUsedAt }).catch(() => {
      // A request is not refused because a timestamp could not be written.
      this.stats.useNotesFailed++;
    });
  }

  async #lookUp(secretHash: string): Promise<ApiKey | undefined> {
    this.stats.lookups++;
    const changes = this.#changes;
    const key = await this.#store.byHash(secretHash);
    if (key === undefined) this.#seen.delete(secretHash);
    // An answer under way while keys changed may be the old one: good for this request, not for the next.
    else if (changes === this.#changes) this.#seen.set(secretHash, { key, atMs: this.#clock.nowMs() });
    return key;
  }
}

function isExpired(key: ApiKey, nowUnixMs: number): boolean {
  return key.expiresAt !== null && Date.parse(key.expiresAt) <= nowUnixMs;
}
