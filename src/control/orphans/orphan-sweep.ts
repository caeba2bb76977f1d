import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Closeable } from '../../base/lifetime.ts';
import type { Orphan, Registry } from '../../cluster/registry.ts';
import { responsibleFor } from '../../cluster/rendezvous.ts';
import { GRACE_MS, LEASE_MS } from '../../cluster/timing.ts';

/** Orphans are looked for this often. */
const SWEEP_EVERY_MS = 5_000;
/** An orphan is known as one no sooner: its owner's lease is over, and the grace after it. */
const ORPHAN_KNOWN_AFTER_MS = LEASE_MS + GRACE_MS;
/** So long the host of the responsible node has; then whoever sees the orphan ends it. */
const OVERDUE_MS = 30_000;

/** An orphan, and since when it is known as one, where that is told: else since it was first found here. */
export interface SeenOrphan extends Orphan {
  readonly knownAtMs?: AtMs;
}

/** Who tells of orphans, and who is there to be responsible for them. */
export interface OrphanSource extends Pick<Registry, 'nodes'> {
  orphans(): Promise<readonly SeenOrphan[]>;
}

export interface OrphanSweepOptions {
  readonly registry: OrphanSource;
  /** Lives of nodes of this host that are connected. */
  readonly nodesHere: () => readonly string[];
  /** Nobody is ended before a leg of the call could have come back elsewhere. */
  readonly resumeWindowMs: number;
  /** Ends what nobody has, and says whether that is settled. May be asked again. */
  readonly end: (orphan: Orphan) => Promise<boolean>;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly log: { error(fields: object, sentence: string): void };
}

/**
 * Looks, again and again, for calls whose owner is long gone, whichever host it was on. Of the hosts that see
 * one, that of its responsible node ends it; where that one does not, any other does, later.
 */
export class OrphanSweep implements Closeable {
  readonly stats = { settled: 0, undecided: 0, leftToOthers: 0, overdue: 0, failures: 0 };
  readonly #options: OrphanSweepOptions;
  /** Since when each sweep has found them. */
  #knownAtMs = new Map<string, AtMs>();
  #isClosed = false;
  #cancel: Cancel = () => {};

  constructor(options: OrphanSweepOptions) {
    this.#options = options;
    this.#wait();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #wait(): void {
    if (this.#isClosed) return;
    const { clock, log } = this.#options;
    this.#cancel = clock.after(SWEEP_EVERY_MS, () => {
      this.#sweep()
        .catch((error: unknown) => log.error({ error: messageOf(error) }, 'orphans could not be looked for'))
        .finally(() => this.#wait());
    });
  }

  async #sweep(): Promise<void> {
    const { registry, clock, resumeWindowMs } = this.#options;
    const nowMs = clock.nowMs();
    const before = this.#knownAtMs;
    this.#knownAtMs = new Map();
    const orphans = await registry.orphans();
    const present = orphans.length === 0 ? [] : await registry.nodes();
    for (const orphan of orphans) {
      const knownAtMs = orphan.knownAtMs ?? before.get(orphan.callId) ?? nowMs;
      this.#knownAtMs.set(orphan.callId, knownAtMs);
      const overdueMs = nowMs - knownAtMs + ORPHAN_KNOWN_AFTER_MS - resumeWindowMs;
      if (overdueMs < 0 || present === undefined) continue;
      const incarnations = present.map(({ incarnation }) => incarnation);
      if (!this.#isOurs(orphan, incarnations, overdueMs)) continue;
      await this.#end(orphan);
    }
  }

  /** What cannot be ended keeps nobody else from it. */
  async #end(orphan: Orphan): Promise<void> {
    const { end, log } = this.#options;
    try {
      this.stats[(await end(orphan)) ? 'settled' : 'undecided']++;
    } catch (error) {
      this.stats.failures++;
      log.error({ call_id: orphan.callId, error: messageOf(error) }, 'an orphan could not be ended');
    }
  }

  #isOurs({ callId }: Orphan, incarnations: readonly string[], overdueMs: number): boolean {
    const responsible = responsibleFor(callId, incarnations);
    if (responsible === undefined || this.#options.nodesHere().includes(responsible)) return true;
    if (overdueMs < OVERDUE_MS) this.stats.leftToOthers++;
    else this.stats.overdue++;
    return overdueMs >= OVERDUE_MS;
  }
}
