import type { Cancel, Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Heard, Membership } from './membership.ts';
import type { NodeRecord, NodeState } from './node-record.ts';
import { advanceStanding, STARTING, type NodeStanding } from './node-standing.ts';
import type { Registry } from './registry.ts';
import { BEAT_MS } from './timing.ts';

/**
 * A node that nobody has heard of yet asks again so soon, so often: its calls have no record until then. Whom
 * it asks may have just started as well, and be late.
 */
const FIRST_BEAT_MS = 50;
const FIRST_BEATS_MAX = 10;

export interface HeartbeatOptions {
  readonly clock: Pick<Clock, 'nowMs' | 'unixMs' | 'after'>;
  readonly registry: Pick<Registry, 'beat' | 'leave'>;
  readonly membership: Membership;
  /** What the node says of itself; its state and the number of the beat are added. */
  readonly describe: () => Omit<NodeRecord, 'state' | 'beat'>;
  /** False where the operator wants no late loop believed: it degrades nobody. */
  readonly isDelayBelieved?: boolean;
  /** Calls are to be saved again where it is neither `steady` nor `first`. */
  readonly onHeard?: (heard: Heard) => void;
}

/** A node's beats: twice a second it renews its lease and hears of the others. */
export class Heartbeat implements Closeable {
  readonly counts = { accepted: 0, missed: 0 };
  /** The last beat was answered. */
  isAnswered = false;
  /** How far the registry's wall clock is ahead of this host's, as of the last beat that was answered. */
  clockSkewMs = 0;
  readonly #options: HeartbeatOptions;
  #standing: NodeStanding = STARTING;
  #isAsking = false;
  #isClosed = false;
  #cancel: Cancel | undefined;
  #beats = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#beat();
  }

  get state(): NodeState {
    return this.#standing.state;
  }

  /** Told at once, not with the next beat. */
  drain(): void {
    this.#standing = advanceStanding(this.#standing, { type: 'drain' });
    void this.#ask();
  }

  /** Gives up the lease: to be called when no call is left. */
  async leave(): Promise<void> {
    this.#standing = advanceStanding(this.#standing, { type: 'leave' });
    this.close();
    await this.#options.registry.leave(this.#options.describe().incarnation);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #beat(): void {
    if (this.#isClosed) return;
    this.#beatIn(BEAT_MS);
    void this.#ask();
  }

  #beatIn(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(delayMs, () => this.#beat());
  }

  async #ask(): Promise<void> {
    const { clock, registry, membership, describe, onHeard } = this.#options;
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    const sentAtMs = clock.nowMs();
    const record = { ...describe(), state: this.#standing.state, beat: ++this.#beats };
    const answer = await registry.beat(record);
    this.#isAsking = false;
    if (this.#isClosed) return;
    this.isAnswered = answer !== undefined;
    if (answer === undefined) {
      this.counts.missed++;
      if (this.#standing.state === 'starting' && this.counts.missed <= FIRST_BEATS_MAX)
        this.#beatIn(FIRST_BEAT_MS);
      return;
    }
    this.counts.accepted++;
    this.clockSkewMs = answer.registryUnixMs + answer.roundTripMs / 2 - clock.unixMs();
    const loopDelayP99Ms = this.#options.isDelayBelieved === false ? 0 : record.loopDelayP99Ms;
    const wasStarting = this.#standing.state === 'starting';
    this.#standing = advanceStanding(this.#standing, { type: 'beat_accepted', loopDelayP99Ms });
    const heard = membership.heard(answer, sentAtMs, clock.nowMs());
    onHeard?.(heard);
    // Calls are placed on it from the next beat on.
    if (wasStarting) void this.#ask();
  }
}
