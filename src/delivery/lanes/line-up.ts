import type { Clock } from '../../base/clock.ts';
import type { Endpoint, PendingDelivery } from '../outbox.ts';
import { EVERYTHING, type Territory } from '../partitions/lease-table.ts';
import { longestWaitMs } from '../schedule.ts';
import { isInOrder } from './attempting.ts';
import { entryOf, isAfter, type LaneEntry, type OutboxCursor } from './lane-entry.ts';
import { LaneMemory, type LaneMemoryPorts } from './lane-memory.ts';
import {
  insertInOrder,
  itemOf,
  LEFT,
  letterOf,
  oldestOf,
  READY,
  removeFrom,
  resourceOf,
  SENDING,
  type Item,
  type Lane,
  type Letter,
} from './lane.ts';
import { LaneParking, type ParkingPorts } from './parking.ts';
import type { UndeliveredNames } from './undelivered.ts';

export interface LineUpPorts extends ParkingPorts, Pick<LaneMemoryPorts, 'limits' | 'roomMade'> {
  readonly clock: Clock;
  /** As it is set now. */
  readonly endpoint: () => Endpoint;
  readonly names: UndeliveredNames;
  /** Without one everything is ours. */
  readonly territory?: Territory;
  /** A head may be due that was not before. */
  readonly onDue: () => void;
}

/**
 * The lanes of one endpoint as they wait: what stands in which, whose head is due when, and whose turn is
 * next. It knows of no request; whoever makes one takes a lane out and brings it back.
 */
export class LineUp {
  readonly #ports: LineUpPorts;
  readonly #lanes = new Map<string, Lane>();
  // Whose turn it is. A lane goes to the end after each request, which is round robin.
  readonly #ready = new Set<Lane>();
  readonly #memory: LaneMemory;
  readonly #parking: LaneParking;
  readonly #territory: Territory;
  #lastTaken: OutboxCursor | undefined;
  #isOpen = true;

  constructor(ports: LineUpPorts) {
    this.#ports = ports;
    this.#memory = new LaneMemory(ports);
    this.#parking = new LaneParking(ports.endpoint().id, ports, () => this.#isOpen);
    this.#territory = ports.territory ?? EVERYTHING;
  }

  get entries(): number {
    return this.#memory.entries;
  }

  get envelopes(): number {
    return this.#memory.envelopes;
  }

  get hasRoomToRead(): boolean {
    return this.#memory.hasRoomToRead;
  }

  get lastTaken(): OutboxCursor | undefined {
    return this.#lastTaken;
  }

  get isAnyDue(): boolean {
    return this.#ready.size > 0;
  }

  /** Whether it is here, or behind one that is; or with another process. */
  knows({ id, position, envelope, isManual }: PendingDelivery): boolean {
    if (this.#memory.knows(id) || !this.#territory.holds(envelope.resource.id)) return true;
    const parked = isManual ? undefined : this.#lanes.get(envelope.resource.id)?.parked;
    return parked !== undefined && parked !== null && position > parked.afterPosition;
  }

  /** False when there is no room: the caller must come back to it through the outbox. */
  take(entry: LaneEntry): boolean {
    if (this.#memory.knows(entry.id) || !this.#territory.holds(entry.envelope.resource.id)) return true;
    // A wall clock that was set back makes nobody wait longer than the schedule ever would.
    const waitMsMax = longestWaitMs(this.#ports.endpoint().retryDelaysMs);
    const item = this.#itemDueIn(entry, Math.min(Math.max(0, entry.dueInMs), waitMsMax));
    const key = this.#keyOf(item);
    const lane = this.#lanes.get(key);
    const isParked = lane !== undefined && this.#parking.takes(lane, item, this.#memory.isCrowded);
    if (!isParked && !this.#memory.hasRoom && !this.#letGo()) return false;
    if (isAfter(entry, this.#lastTaken)) this.#lastTaken = { position: entry.position, id: entry.id };
    if (isParked) return true;
    this.#memory.hold(item, letterOf(entry));
    this.#enqueue(item, key);
    this.#memory.noteRoom();
    this.#ports.onDue();
    return true;
  }

  /** The lane whose turn it is, or the oldest for a probe. Those of another process are let go on the way. */
  next(gate: 'open' | 'probe'): Lane | undefined {
    for (;;) {
      const [first] = this.#ready;
      const lane = gate === 'probe' ? oldestOf(this.#ready) : first;
      if (lane === undefined || this.#territory.holds(resourceOf(lane))) return lane;
      this.abandon(lane);
    }
  }

  /** The head of the lane is under way; until `arm` it has no turn. */
  begin(lane: Lane): void {
    this.#ready.delete(lane);
    lane.state = SENDING;
  }

  /** Lines the lane up when its head is due, and sets the alarm when it is not yet. */
  arm(lane: Lane): void {
    if (lane.state.name === 'left') return;
    this.#rest(lane);
    this.#ready.delete(lane);
    const [head] = lane.items;
    if (head === undefined) {
      this.#lanes.delete(lane.key);
      return;
    }
    const nowMs = this.#ports.clock.nowMs();
    const isHeld = head.holdUntilAtMs !== null && !head.isAside;
    if (isHeld && head.holdUntilAtMs! <= nowMs && head.dueAtMs > nowMs) return this.#stepAside(lane, head);
    const wakeAtMs = isHeld ? Math.min(head.dueAtMs, head.holdUntilAtMs!) : head.dueAtMs;
    if (wakeAtMs > nowMs && this.#isOpen) return this.#wait(lane, wakeAtMs - nowMs);
    lane.state = READY;
    this.#ready.add(lane);
  }

  /** Its attempt failed: it waits for the next one, outside of its lane where others may go past it. */
  tryAgain(lane: Lane, item: Item, letter: Letter): void {
    this.#memory.keep(item, letter);
    if (item.isAside) this.#stepAside(lane, item);
  }

  /** Nothing is owed of it any more, or it is left to the outbox. */
  drop(lane: Lane, item: Item): void {
    // Its place may be taken by then: the partition came back, and the outbox was read anew.
    if (lane.state.name === 'left') return;
    removeFrom(lane, item);
    this.#memory.forget(item);
    this.#memory.noteRoom();
  }

  /** Once a parked lane has run out, reads on. */
  async refill(lane: Lane): Promise<void> {
    if (lane.items.length > 0 || lane.parked === null) return;
    await this.#parking.read(
      lane,
      () => this.#lastTaken,
      (rows) => {
        if (lane.state.name !== 'left') for (const row of rows) this.#unpark(lane, row);
      },
    );
  }

  /** Forgets a lane; what is owed of it stays in the outbox. */
  abandon(lane: Lane): void {
    this.#rest(lane);
    this.#ready.delete(lane);
    this.#lanes.delete(lane.key);
    for (const item of lane.items.splice(0)) this.#memory.forget(item);
    lane.parked = null;
    lane.state = LEFT;
  }

  /** Abandons what is another process's now; answers which lanes that were. */
  leave(isTheirs: (resourceId: string) => boolean): readonly Lane[] {
    const left = [...this.#lanes.values()].filter((lane) => isTheirs(resourceOf(lane)));
    for (const lane of left) this.abandon(lane);
    this.#memory.noteRoom();
    return left;
  }

  /** Nobody is woken any more. */
  close(): void {
    this.#isOpen = false;
    for (const { state } of this.#lanes.values()) if (state.name === 'waiting') state.cancel();
  }

  #itemDueIn(entry: LaneEntry, dueInMs: number): Item {
    return itemOf(entry, this.#ports.clock.nowMs() + dueInMs);
  }

  #keyOf(item: Item): string {
    if (!isInOrder(item, this.#ports.endpoint())) return `each:${item.id}`;
    return item.isAside ? asideKeyOf(item) : item.resourceId;
  }

  /** Lets go of what stands behind heads that wait: the outbox has it, and is asked when they have gone. */
  #letGo(): boolean {
    for (const lane of this.#lanes.values()) this.#park(lane);
    return this.#memory.hasRoom;
  }

  #park(lane: Lane): void {
    for (const item of this.#parking.park(lane)) this.#memory.forget(item);
  }

  #unpark(lane: Lane, row: PendingDelivery): void {
    if (this.#memory.knows(row.id)) return;
    const entry = entryOf(row, this.#ports.clock);
    const item = this.#itemDueIn(entry, Math.max(0, entry.dueInMs));
    this.#memory.hold(item, letterOf(entry));
    insertInOrder(lane, item);
  }

  #enqueue(item: Item, key: string): void {
    const known = this.#lanes.get(key);
    const lane: Lane = known ?? { key, items: [], state: READY, parked: null, heldUpAtMs: null };
    this.#lanes.set(key, lane);
    if (insertInOrder(lane, item) === 0) this.arm(lane);
  }

  #wait(lane: Lane, waitMs: number): void {
    this.#memory.waiting++;
    const cancel = this.#ports.clock.after(waitMs, () => this.#wake(lane));
    lane.state = { name: 'waiting', cancel };
    if (this.#memory.isCrowded) this.#park(lane);
    this.#memory.noteRoom();
  }

  #rest(lane: Lane): void {
    if (lane.state.name !== 'waiting') return;
    lane.state.cancel();
    lane.state = READY;
    this.#memory.waiting--;
  }

  #wake(lane: Lane): void {
    if (lane.state.name === 'sending') return;
    this.arm(lane);
    this.#ports.onDue();
  }

  /** A head that others may go past keeps its schedule, but outside the lane (contract.md §6). */
  #stepAside(lane: Lane, item: Item): void {
    const key = asideKeyOf(item);
    if (lane.key === key) return;
    const { stats } = this.#ports;
    if (this.#ports.endpoint().ordering === 'strict') stats.steppedAside++;
    else stats.overtakes++;
    if (!item.isAside) this.#nameAside(item);
    removeFrom(lane, item);
    this.#enqueue(item, key);
    if (lane.state.name === 'sending') return;
    void this.refill(lane).then(() => this.#wake(lane));
  }

  /** Held for as long as it may be. A restart would hold it again, so that only an attempt writes it down. */
  #nameAside(item: Item): void {
    item.isAside = true;
    const { resourceId, position } = item;
    const eventId = item.letter?.envelope.id;
    const place = { endpointId: this.#ports.endpoint().id, resourceId, position, isDead: false };
    if (eventId !== undefined) this.#ports.names.add({ ...place, eventId });
  }
}

/** Of the lane that an item has for itself once others may go past it. */
function asideKeyOf({ id }: Item): string {
  return `aside:${id}`;
}
