import type { AtMs } from '../../base/clock.ts';

/** Tokens that come back at a steady pace, up to a capacity. It starts full. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #tokensPerMs: number;
  #tokens: number;
  #countedAtMs: AtMs;

  constructor(capacity: number, tokensPerMs: number, nowMs: AtMs) {
    this.#capacity = capacity;
    this.#tokensPerMs = tokensPerMs;
    this.#tokens = capacity;
    this.#countedAtMs = nowMs;
  }

  /** Whole tokens there now. */
  available(nowMs: AtMs): number {
    return Math.floor(this.#count(nowMs));
  }

  take(nowMs: AtMs): boolean {
    if (this.#count(nowMs) < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** How long until a token is there; 0 when one is. */
  waitMs(nowMs: AtMs): number {
    return Math.max(0, (1 - this.#count(nowMs)) / this.#tokensPerMs);
  }

  /** How long until it is full again. */
  fullInMs(nowMs: AtMs): number {
    return (this.#capacity - this.#count(nowMs)) / this.#tokensPerMs;
  }

  #count(nowMs: AtMs): number {
    const passedMs = Math.max(0, nowMs - this.#countedAtMs);
    this.#countedAtMs = Math.max(nowMs, this.#countedAtMs);
    this.#tokens = Math.min(this.#capacity, this.#tokens + passedMs * this.#tokensPerMs);
    // Fractions add up to 0.9999… where a whole token is due: a client that waits as told must be served.
    if (Math.abs(this.#tokens - Math.round(this.#tokens)) < 1e-6) this.#tokens = Math.round(this.#tokens);
    return this.#tokens;
  }
}

/** Things by name, at most so many: the longest unused is forgotten first, and counted. */
export class BoundedMap<T> {
  readonly stats = { forgotten: 0 };
  readonly #entriesMax: number;
  readonly #entries = new Map<string, T>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    // A Map keeps the order of insertion: re-inserting makes it the order of use.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  set(name: string, entry: T): T {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (this.#entries.size > this.#entriesMax) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest ?? name);
      this.stats.forgotten++;
    }
    return entry;
  }

  delete(name: string): boolean {
    return this.#entries.delete(name);
  }

  clear(): void {
    this.#entries.clear();
  }
}
