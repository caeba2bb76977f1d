import type { AtMs, Cancel, Clock } from '../../base/clock.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { Membership, type Standing } from '../membership.ts';
import type { NodeRecord } from '../node-record.ts';
import type { Registry } from '../registry.ts';
import { BEAT_MS, LEASE_MS } from '../timing.ts';

/** Who is gone is shown for so long. */
const GONE_SHOWN_MS = 600_000;
/** A registry that answers nodes says nothing of its own life. */
const NO_EPOCH = '';

/** A node as somebody sees it who has no beats of its own. */
export interface SeenNode {
  readonly record: NodeRecord;
  readonly standing: Standing;
  /** Since its last beat was seen. */
  readonly silentMs: number;
}

/** `unseen`: no answer yet. `away`: none for longer than a lease, so what was seen means nothing any more. */
export type WatchState = 'unseen' | 'seen' | 'away';

export interface RegionWatchOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
  readonly registry: Pick<Registry, 'nodes'>;
}

/** Looks at the nodes of a region twice a second: for who places calls on them, and shows them. */
export class RegionWatch implements Closeable {
  readonly counts = { looks: 0, unanswered: 0 };
  /** Of the last look that was answered. */
  roundTripMs = 0;
  readonly #options: RegionWatchOptions;
  readonly #membership = new Membership();
  #seenAtMs: AtMs | undefined;
  #isLooking = false;
  #isClosed = false;
  #cancel: Cancel = () => {};

  constructor(options: RegionWatchOptions) {
    this.#options = options;
    this.#look();
  }

  /** Since the last look that was answered; undefined where none was. */
  get ageMs(): number | undefined {
    return this.#seenAtMs === undefined ? undefined : this.#options.clock.nowMs() - this.#seenAtMs;
  }

  get state(): WatchState {
    const { ageMs } = this;
    if (ageMs === undefined) return 'unseen';
    return ageMs < LEASE_MS ? 'seen' : 'away';
  }

  /** Who can be placed on, as last seen; nobody where that is too long ago. */
  fit(): readonly NodeRecord[] {
    return this.state === 'seen' ? this.#membership.fit(this.#options.clock.nowMs()) : [];
  }

  /** Everybody last seen, and who is gone of late. */
  nodes(): readonly SeenNode[] {
    const nowMs = this.#options.clock.nowMs();
    const seen = this.#membership.all(nowMs);
    return seen.filter(({ standing, silentMs }) => standing !== 'dead' || silentMs < GONE_SHOWN_MS);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.after(BEAT_MS, () => this.#look());
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { clock, registry } = this.#options;
    if (this.#isLooking) return;
    this.#isLooking = true;
    const sentAtMs = clock.nowMs();
    const nodes = await registry.nodes();
    this.#isLooking = false;
    this.counts.looks++;
    if (nodes === undefined) {
      this.counts.unanswered++;
      return;
    }
    const nowMs = clock.nowMs();
    this.roundTripMs = nowMs - sentAtMs;
    this.#seenAtMs = nowMs;
    const seen = { epoch: NO_EPOCH, epochAgeMs: 0, registryUnixMs: 0, roundTripMs: this.roundTripMs, nodes };
    this.#membership.heard(seen, sentAtMs, nowMs);
  }
}
