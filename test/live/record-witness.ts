import { Redis } from 'ioredis';

const LOOK_EVERY_MS = 20;

/** Watches the records of calls in Redis with a client of its own: what it may never see is written down. */
export class RecordWitness {
  readonly broken: string[] = [];
  looks = 0;
  readonly #redis: Redis;
  readonly #ownerOf = new Map<string, string>();
  #tokenOf = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, calls: () => readonly { readonly callId: string }[]) {
    const impatient = { commandTimeout: 200, maxRetriesPerRequest: 0, enableOfflineQueue: false };
    this.#redis = new Redis({ host: '127.0.0.1', port, ...impatient, retryStrategy: () => 50 });
    this.#redis.on('error', () => {});
    this.#timer = setInterval(() => {
      for (const { callId } of calls()) void this.#look(callId);
    }, LOOK_EVERY_MS);
  }

  /** Redis forgot what it gave: a former owner may be back before the present one. A token keeps its one owner. */
  emptied(): void {
    this.#tokenOf = new Map();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }

  async #look(callId: string): Promise<void> {
    try {
      const [owner, token] = await this.#redis.hmget(`omnivoice:{local}:call:${callId}`, 'owner', 'tok');
      if (typeof owner === 'string' && typeof token === 'string') this.#saw(callId, owner, Number(token));
    } catch {
      // Redis is away: nobody writes.
    }
  }

  #saw(callId: string, owner: string, token: number): void {
    this.looks++;
    const key = `${callId} ${token}`;
    const known = this.#ownerOf.get(key) ?? owner;
    this.#ownerOf.set(key, known);
    if (known !== owner) this.broken.push(`${key} is ${known}'s and ${owner}'s`);
    if (token < (this.#tokenOf.get(callId) ?? 0)) this.broken.push(`${key} is below one before`);
    this.#tokenOf.set(callId, Math.max(token, this.#tokenOf.get(callId) ?? 0));
  }
}
