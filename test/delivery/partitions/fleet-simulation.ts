import type { Cancel, Clock } from '../../../src/base/clock.ts';
import { LeaseKeeper } from '../../../src/delivery/partitions/lease-keeper.ts';
import type { Fence, LeaseBeat, LeaseTable } from '../../../src/delivery/partitions/lease-table.ts';
import { PARTITIONS } from '../../../src/delivery/partitions/partition.ts';
import type { FakeClock } from '../../fakes/clock.ts';

interface Row {
  holder: string | null;
  token: number;
  untilMs: number;
}

/** The table of leases as a database would keep it, slow and sometimes away. */
export class SimulatedTable implements LeaseTable {
  readonly rows: Row[] = Array.from({ length: PARTITIONS }, () => ({ holder: null, token: 0, untilMs: 0 }));
  readonly members = new Map<string, number>();
  readonly #clock: FakeClock;
  readonly #random: () => number;
  isAway = false;
  onChange: () => void = () => undefined;

  constructor(clock: FakeClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  beat(holder: string, ttlMs: number): Promise<LeaseBeat> {
    return this.#answer(() => {
      const nowMs = this.#clock.nowMs();
      if (!this.members.has(holder)) this.onChange();
      this.members.set(holder, nowMs + ttlMs);
      for (const row of this.rows) if (row.holder === holder) row.untilMs = nowMs + ttlMs;
      const there = [...this.members].filter(([, untilMs]) => untilMs > nowMs).map(([id]) => id);
      const rank = there.toSorted().indexOf(holder);
      const share = Math.floor(PARTITIONS / there.length) + (rank < PARTITIONS % there.length ? 1 : 0);
      return { held: this.#of(holder), share };
    });
  }

  claim(holder: string, count: number, ttlMs: number): Promise<readonly Fence[]> {
    return this.#answer(() => {
      const nowMs = this.#clock.nowMs();
      const free = this.rows.filter((row) => row.holder === null || row.untilMs <= nowMs).slice(0, count);
      for (const row of free) Object.assign(row, { holder, token: row.token + 1, untilMs: nowMs + ttlMs });
      return this.#of(holder).filter(({ partition }) => free.includes(this.rows[partition]!));
    });
  }

  release(holder: string, partitions: readonly number[]): Promise<void> {
    return this.#answer(() => {
      for (const partition of partitions) {
        const row = this.rows[partition]!;
        if (row.holder === holder) row.holder = null;
      }
      this.onChange();
    });
  }

  leave(holder: string): Promise<void> {
    return this.#answer(() => {
      this.members.delete(holder);
      for (const row of this.rows) if (row.holder === holder) row.holder = null;
      this.onChange();
    });
  }

  #of(holder: string): readonly Fence[] {
    return this.rows.flatMap((row, partition) =>
      row.holder === holder ? [{ partition, token: row.token }] : [],
    );
  }

  /** What is asked arrives a while later, and so does the answer; either may be lost. */
  #answer<T>(act: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const [thereMs, backMs] = [this.#random() * 40, this.#random() * 40];
    this.#clock.after(thereMs, () => {
      if (this.isAway) return reject(new Error('the database does not answer'));
      const answer = act();
      const isLost = this.#random() < 0.02;
      this.#clock.after(backMs, () => (isLost ? reject(new Error('connection lost')) : resolve(answer)));
    });
    return promise;
  }
}

/** A process that may stand still: its timers fire when it goes on. */
class StoppableClock implements Clock {
  readonly #clock: FakeClock;
  #isStopped = false;
  #owed: (() => void)[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  unixMs(): number {
    return this.#clock.unixMs();
  }

  randomBytes(count: number): Buffer {
    return this.#clock.randomBytes(count);
  }

  after(delayMs: number, task: () => void): Cancel {
    return this.#clock.after(delayMs, () => this.run(task));
  }

  run(task: () => void): void {
    if (this.#isStopped) this.#owed.push(task);
    else task();
  }

  stop(): void {
    this.#isStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    for (const task of this.#owed.splice(0)) task();
  }
}

/** One control process of the simulation: a keeper, and what it was told of its partitions. */
export class SimulatedControl {
  readonly name: string;
  readonly keeper: LeaseKeeper;
  readonly entered = new Set<number>();
  readonly #clock: StoppableClock;
  state: 'up' | 'stopped' | 'gone' = 'up';

  constructor(name: string, table: LeaseTable, clock: FakeClock, random: () => number) {
    this.name = name;
    this.#clock = new StoppableClock(clock);
    const mine = this.#clock;
    // Answers reach a process that stands still when it goes on.
    const late = <T>(asked: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        asked.then(
          (answer) => mine.run(() => resolve(answer)),
          (error: unknown) => mine.run(() => reject(error)),
        );
      });
    this.keeper = new LeaseKeeper({
      holder: name,
      table: {
        beat: (holder, ttlMs) => late(table.beat(holder, ttlMs)),
        claim: (holder, count, ttlMs) => late(table.claim(holder, count, ttlMs)),
        release: (holder, partitions) => late(table.release(holder, partitions)),
        leave: (holder) => late(table.leave(holder)),
      },
      work: {
        entered: (partitions) => partitions.forEach((one) => this.entered.add(one)),
        left: (partitions) => {
          partitions.forEach((one) => this.entered.delete(one));
          const busyMs = random() < 0.2 ? 2_000 : random() * 100;
          return new Promise((resolve) => {
            mine.after(busyMs, resolve);
          });
        },
      },
      clock: mine,
      log: { warn: () => undefined },
    });
    void this.keeper.start();
  }

  stop(): void {
    this.state = 'stopped';
    this.#clock.stop();
  }

  goOn(): void {
    this.state = 'up';
    this.#clock.goOn();
  }

  kill(): void {
    this.state = 'gone';
    this.#clock.stop();
  }

  leave(): void {
    this.state = 'gone';
    void this.keeper.close();
  }

  woken(): void {
    this.#clock.run(() => this.keeper.wake());
  }
}
