import type { MemberWire, QueueOwner, QueueSeat } from '../../api/queues/queue-desk.ts';
import type { AtMs, Clock } from '../../base/clock.ts';
import { textOf, type JsonObject } from '../../base/json.ts';
import type { FarMember } from './queue-letters.ts';

/** Who sits there, and in which queue. */
export interface SeatFacts {
  readonly id: string;
  readonly owner: QueueOwner;
  readonly queue: string;
  readonly label: string | null;
}

/**
 * A member that is connected to this process, whoever keeps its queue. What it asked for and was told last is
 * kept here, so that it need not say it again where the queue is kept elsewhere.
 */
export class OwnSeat {
  readonly facts: SeatFacts;
  /** In the queue itself, while that is kept here. */
  kept: QueueSeat | undefined;
  readonly #wire: MemberWire;
  readonly #clock: Clock;
  #wantsCalls = false;
  #idleSinceMs: AtMs;
  #offerId: string | null = null;
  #isTurnedAway = false;

  constructor(facts: SeatFacts, wire: MemberWire, clock: Clock) {
    this.facts = facts;
    this.#wire = wire;
    this.#clock = clock;
    this.#idleSinceMs = clock.nowMs();
  }

  /** As whoever keeps the queue is to know it. */
  get far(): FarMember {
    const idleMs = this.#wantsCalls ? this.#clock.nowMs() - this.#idleSinceMs : null;
    return { ...this.facts, idleMs, offerId: this.#offerId };
  }

  /** The member says something to its queue. */
  said({ type }: JsonObject): void {
    if (type === 'away') this.#wantsCalls = false;
    if (type !== 'ready' || this.#wantsCalls) return;
    this.#wantsCalls = true;
    this.#idleSinceMs = this.#clock.nowMs();
  }

  /** The queue says something to the member. */
  tell(news: JsonObject): void {
    if (this.#takeIn(news)) this.#wire.tell(news);
  }

  /** Whoever keeps the queue does so no longer: nothing comes of an offer that is open. */
  lose(): void {
    this.kept = undefined;
    if (this.#offerId !== null) {
      this.tell({ type: 'withdrawn', offer_id: this.#offerId, reason: 'unavailable' });
    }
  }

  /** False where the member knows already. */
  #takeIn(news: JsonObject): boolean {
    const offerId = textOf(news['offer_id']) ?? null;
    switch (news['type']) {
      case 'offer':
        if (offerId === this.#offerId) return false;
        this.#offerId = offerId;
        return true;
      case 'accepted':
        this.#wantsCalls = false;
        this.#offerId = null;
        return true;
      case 'withdrawn':
        if (offerId !== this.#offerId) return false;
        this.#offerId = null;
        if (news['reason'] === 'timeout') this.#idleSinceMs = this.#clock.nowMs();
        return true;
      case 'state':
        // The answer to a `decline`: it has had its turn.
        if (this.#offerId !== null) this.#idleSinceMs = this.#clock.nowMs();
        this.#offerId = null;
        return true;
      case 'error':
        // Said each time it is said to be here: once is enough.
        if (news['code'] !== 'overloaded') return true;
        if (this.#isTurnedAway) return false;
        this.#isTurnedAway = true;
        return true;
      default:
        return true;
    }
  }
}
