import { sleep, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { LaneStats, OutboxCursor } from './lane-entry.ts';
import type { Item, Lane } from './lane.ts';
import type { DeliveryLog } from '../observer.ts';
import type { Outbox, PendingDelivery } from '../outbox.ts';

export interface ParkingPorts {
  readonly clock: Clock;
  readonly outbox: Pick<Outbox, 'following'>;
  readonly log: DeliveryLog;
  readonly stats: LaneStats;
}

const ROWS = 16;
const READ_RETRY_MS = 1_000;

/**
 * Where lanes go whose head waits for hours: what stands behind the head is left to the outbox and read when
 * its turn comes, so that a few calls with trouble do not fill the memory that all others share.
 */
export class LaneParking {
  readonly #endpointId: string;
  readonly #ports: ParkingPorts;
  readonly #isOpen: () => boolean;

  constructor(endpointId: string, ports: ParkingPorts, isOpen: () => boolean) {
    this.#endpointId = endpointId;
    this.#ports = ports;
    this.#isOpen = isOpen;
  }

  /** Whether the item need not be held: the lane's later part is with the outbox, or may as well be. */
  takes(lane: Lane, item: Item, isCrowded: boolean): boolean {
    const last = lane.items.at(-1);
    if (lane.parked === null) {
      if (!isCrowded || lane.state.name !== 'waiting' || last === undefined) return false;
      if (item.position <= last.position) return false;
      lane.parked = { afterPosition: last.position, isMissed: true };
      this.#ports.stats.parkedLanes++;
      return true;
    }
    if (item.position <= lane.parked.afterPosition) return false;
    lane.parked.isMissed = true;
    return true;
  }

  /** Takes everything but the head out of a lane whose head waits. */
  park(lane: Lane): readonly Item[] {
    const [head] = lane.items;
    if (head === undefined || lane.items.length < 2 || lane.state.name !== 'waiting') return [];
    lane.parked = { afterPosition: head.position, isMissed: true };
    this.#ports.stats.parkedLanes++;
    return lane.items.splice(1);
  }

  /**
   * Hands over the next of a parked lane, up to what the endpoint has taken; the backlog reads what lies
   * beyond. `hold` runs in the very turn in which the lane is unparked, so that nothing slips in before.
   */
  async read(
    lane: Lane,
    upTo: () => OutboxCursor | undefined,
    hold: (rows: readonly PendingDelivery[]) => void,
  ): Promise<void> {
    const place = { endpointId: this.#endpointId, resourceId: lane.key };
    while (lane.parked !== null && this.#isOpen()) {
      const { parked } = lane;
      parked.isMissed = false;
      const rows = await this.#read(place, parked.afterPosition);
      if (rows === undefined) {
        await sleep(this.#ports.clock, READ_RETRY_MS);
        continue;
      }
      const lastTaken = upTo()?.position ?? 0;
      const taken = rows.filter(({ position }) => position <= lastTaken);
      parked.afterPosition = taken.at(-1)?.position ?? parked.afterPosition;
      const isAll = rows.length < ROWS || taken.length === 0;
      if (isAll && !parked.isMissed) lane.parked = null;
      if (taken.length > 0) return hold(taken);
    }
  }

  async #read(
    place: { readonly endpointId: string; readonly resourceId: string },
    position: number,
  ): Promise<readonly PendingDelivery[] | undefined> {
    const { outbox, log } = this.#ports;
    try {
      return await outbox.following(place, position, ROWS);
    } catch (error) {
      log.warn({ ...place, detail: messageOf(error) }, 'lane not read');
      return undefined;
    }
  }
}
