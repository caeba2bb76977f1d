import type { QueueSeat } from '../../api/queues/queue-desk.ts';
import type { Cancel, Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { LAPSE_MS } from './call-queue.ts';
import type { HostQueues } from './host-queues.ts';
import type { FarMember } from './queue-letters.ts';

interface Guest {
  readonly seat: QueueSeat;
  cancelLapse: Cancel;
}

export interface GuestsOptions {
  readonly clock: Clock;
  readonly queues: Pick<HostQueues, 'join'>;
  /** Tells a member something, by the process it is connected to. */
  readonly tell: (to: string, memberId: string, news: JsonObject) => void;
}

/** Members of the queues kept here that are connected elsewhere: they are there while that is said. */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #guests = new Map<string, Guest>();

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** The process `from` said `agoMs` ago that these are connected to it. */
  arePresent(members: readonly FarMember[], from: string, agoMs: number): void {
    for (const member of members) {
      const known = this.#guests.get(member.id);
      if (known === undefined) this.#seat(member, from, agoMs);
      else this.#renew(known, member.id);
    }
  }

  say(memberId: string, message: JsonObject): void {
    this.#guests.get(memberId)?.seat.say(message);
  }

  leave(memberId: string): void {
    const guest = this.#guests.get(memberId);
    if (guest === undefined) return;
    this.#guests.delete(memberId);
    guest.cancelLapse();
    guest.seat.leave();
  }

  /** The queues are kept elsewhere now. */
  forget(): void {
    for (const { cancelLapse } of this.#guests.values()) cancelLapse();
    this.#guests.clear();
  }

  #seat(
    { id, owner, queue, label, idleMs: idleThenMs, offerId }: FarMember,
    from: string,
    agoMs: number,
  ): void {
    const idleMs = idleThenMs === null ? null : idleThenMs + agoMs;
    const tell = (news: JsonObject): void => this.#options.tell(from, id, news);
    // An offer of whoever kept the queue before.
    if (offerId !== null) tell({ type: 'withdrawn', offer_id: offerId, reason: 'unavailable' });
    try {
      const seat = this.#options.queues.join(owner, queue, { label, wire: { tell }, former: { id, idleMs } });
      const guest = { seat, cancelLapse: (): void => undefined };
      this.#guests.set(id, guest);
      this.#renew(guest, id);
    } catch (error) {
      if (!(error instanceof VoiceError)) throw error;
      tell({ type: 'error', code: error.code, message: error.message });
    }
  }

  #renew(guest: Guest, memberId: string): void {
    guest.cancelLapse();
    guest.cancelLapse = this.#options.clock.after(LAPSE_MS, () => this.leave(memberId));
  }
}
