import { sleep, type AtMs, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { WokenRounds } from '../../base/woken-rounds.ts';
import type { Fence, LeaseTable, Territory } from './lease-table.ts';
import { partitionOf } from './partition.ts';

/** A holder that says nothing for so long has lost what it held. */
const LEASE_TTL_MS = 3_000;
const BEAT_MS = 500;
/** How long what is under way may hold up a hand-over: its head is then sent once more by who follows. */
const HAND_OVER_MS = 500;

/** Who works in the partitions. */
export interface LeaseWork {
  /** They are ours from this turn on: all that is owed in them is to be read. */
  entered(partitions: ReadonlySet<number>): void;
  /** Nothing more may start in them; resolves when nothing is under way. */
  left(partitions: ReadonlySet<number>): Promise<void>;
}

export interface LeaseKeeperOptions {
  readonly table: LeaseTable;
  /** The name of this life of the process: no two are alike. */
  readonly holder: string;
  readonly work: LeaseWork;
  readonly clock: Clock;
  readonly log: { warn(fields: object, sentence: string): void };
}

/** `leaving`: under way yet. `left`: to be released. */
interface Held {
  readonly token: number;
  state: 'held' | 'leaving' | 'left';
}

/**
 * Holds this process's share of the partitions. What is held is believed for no longer than the last beat
 * said, by the monotonic clock and counted from before it was sent: a process that stood still knows, before
 * it does anything, that others may have followed it.
 */
export class LeaseKeeper implements Territory {
  readonly stats = { gained: 0, handedOver: 0, lost: 0, lapses: 0, failedBeats: 0 };
  readonly #options: LeaseKeeperOptions;
  readonly #rounds: WokenRounds;
  readonly #held = new Map<number, Held>();
  #validUntilAtMs: AtMs = -Infinity;
  #hasStarted = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#rounds = new WokenRounds({
      clock: options.clock,
      round: () => this.#beat(),
      failed: (error) => this.#failed(error),
      retryMs: BEAT_MS,
    });
  }

  /** How many are ours to deliver now. */
  get holding(): number {
    return this.#lapsed() ? 0 : this.#count('held');
  }

  holds(resourceId: string): boolean {
    return !this.#lapsed() && this.#held.get(partitionOf(resourceId))?.state === 'held';
  }

  /** Without a lease it is one that nothing was ever written with. */
  fenceOf(resourceId: string): Fence {
    const partition = partitionOf(resourceId);
    return { partition, token: this.#held.get(partition)?.token ?? 0 };
  }

  /** Resolves after the first beat, with its share as far as it was free. */
  async start(): Promise<void> {
    this.#hasStarted = true;
    this.wake();
    await this.#rounds.idle();
  }

  /** Somebody came, left, or let go. */
  wake(): void {
    if (this.#hasStarted) this.#rounds.wake();
  }

  /** Leaves in order; what is under way is somebody else's to wait for. */
  async close(): Promise<void> {
    await this.#rounds.close();
    this.#held.clear();
    try {
      await this.#options.table.leave(this.#options.holder);
    } catch (error) {
      // Its leases end by themselves.
      this.#failed(error);
    }
  }

  // One after the other, so that no answer is older than what was done since it was asked for.
  async #beat(): Promise<number> {
    this.#lapsed();
    const { table, holder, clock } = this.#options;
    await this.#releaseLeft();
    const sentAtMs = clock.nowMs();
    const { held, share } = await table.beat(holder, LEASE_TTL_MS);
    // Before the answer is believed: what had run out meanwhile is lost, and entered anew.
    this.#lapsed();
    if (clock.nowMs() >= sentAtMs + LEASE_TTL_MS) return BEAT_MS;
    this.#validUntilAtMs = sentAtMs + LEASE_TTL_MS;
    this.#lose(new Map(held.map(({ partition, token }) => [partition, token])));
    this.#enter(held);
    const surplus = this.#count('held') - share;
    if (surplus > 0) this.#handOver(surplus);
    if (surplus >= 0 || this.#rounds.isClosed) return BEAT_MS;
    const claimed = await table.claim(holder, -surplus, LEASE_TTL_MS);
    if (clock.nowMs() < this.#validUntilAtMs) this.#enter(claimed);
    return BEAT_MS;
  }

  #enter(fences: readonly Fence[]): void {
    const fresh = fences.filter(({ partition }) => !this.#held.has(partition));
    if (fresh.length === 0) return;
    for (const { partition, token } of fresh) this.#held.set(partition, { token, state: 'held' });
    this.stats.gained += fresh.length;
    this.#options.work.entered(new Set(fresh.map(({ partition }) => partition)));
  }

  #lose(kept: ReadonlyMap<number, number>): void {
    const lost = [...this.#held].filter(([partition, { token }]) => kept.get(partition) !== token);
    this.#drop(lost.map(([partition]) => partition));
  }

  #drop(partitions: readonly number[]): void {
    if (partitions.length === 0) return;
    for (const partition of partitions) this.#held.delete(partition);
    this.stats.lost += partitions.length;
    void this.#options.work.left(new Set(partitions));
  }

  /** Whether what we know is too old to act on; whatever was held then is lost. */
  #lapsed(): boolean {
    if (this.#options.clock.nowMs() < this.#validUntilAtMs) return false;
    if (this.#held.size > 0) {
      this.stats.lapses++;
      this.#drop([...this.#held.keys()]);
    }
    return true;
  }

  #handOver(count: number): void {
    const leaving = [...this.#held].filter(([, { state }]) => state === 'held').slice(-count);
    for (const [, held] of leaving) held.state = 'leaving';
    const { work, clock } = this.#options;
    const idle = work.left(new Set(leaving.map(([partition]) => partition)));
    void Promise.race([idle, sleep(clock, HAND_OVER_MS)]).then(() => {
      for (const [, held] of leaving) held.state = 'left';
      this.wake();
    });
  }

  async #releaseLeft(): Promise<void> {
    const left = [...this.#held].flatMap(([partition, { state }]) => (state === 'left' ? [partition] : []));
    if (left.length === 0) return;
    const { table, holder } = this.#options;
    await table.release(holder, left);
    for (const partition of left) this.#held.delete(partition);
    this.stats.handedOver += left.length;
  }

  #count(state: Held['state']): number {
    return [...this.#held.values()].filter((held) => held.state === state).length;
  }

  #failed(error: unknown): void {
    this.stats.failedBeats++;
    this.#options.log.warn({ detail: messageOf(error) }, 'leases of partitions not renewed');
  }
}
