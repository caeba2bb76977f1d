import type { Cancel, Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Registry } from './registry.ts';
import { BEAT_MS } from './timing.ts';

/** Ends that wait for a registry; beyond it the oldest is given up, and its record found by the sweep. */
const WAITING_MAX = 10_000;

export interface PendingEndsOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly registry: Pick<Registry, 'claim' | 'end'>;
  readonly incarnation: string;
}

/** A call that ended; without a token where no registry has answered for it. */
export interface EndedCall {
  readonly callId: string;
  readonly token: number | undefined;
}

/** Tells the registry of ended calls, one after the other, until it has heard: ended stays ended. */
export class PendingEnds implements Closeable {
  dropped = 0;
  readonly #options: PendingEndsOptions;
  readonly #waiting = new Map<string, EndedCall>();
  #isTelling = false;
  #isClosed = false;
  #cancel: Cancel = () => {};

  constructor(options: PendingEndsOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  add(ended: EndedCall): void {
    this.#waiting.set(ended.callId, ended);
    if (this.#waiting.size > WAITING_MAX) this.#dropOldest();
    void this.#tell();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #tell(): Promise<void> {
    if (this.#isTelling) return;
    this.#cancel();
    this.#isTelling = true;
    let isHeard = true;
    for (const ended of this.#waiting.values()) {
      isHeard = await this.#isHeard(ended);
      if (!isHeard || this.#isClosed) break;
      this.#waiting.delete(ended.callId);
    }
    this.#isTelling = false;
    if (!isHeard && !this.#isClosed)
      this.#cancel = this.#options.clock.after(BEAT_MS, () => void this.#tell());
  }

  // Its claim may have been run without an answer: a record that would live on is found by claiming again.
  async #isHeard({ callId, token }: EndedCall): Promise<boolean> {
    const { registry, incarnation } = this.#options;
    if (token !== undefined) return (await registry.end(incarnation, callId, token)) !== 'unavailable';
    const wish = { callId, reason: 'new', expectedOwner: null, tokenFloor: 0 } as const;
    const claim = await registry.claim(incarnation, wish);
    if (claim.result !== 'claimed') return claim.result !== 'unavailable';
    return (await registry.end(incarnation, callId, claim.token)) !== 'unavailable';
  }

  #dropOldest(): void {
    const [oldest] = this.#waiting.keys();
    if (oldest === undefined) return;
    this.#waiting.delete(oldest);
    this.dropped++;
  }
}
