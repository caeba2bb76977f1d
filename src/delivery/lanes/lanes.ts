import { sleep, type AtMs } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Aftermath } from './aftermath.ts';
import { Attempting, isInOrder, type AttemptPorts, type Made } from './attempting.ts';
import type { EndpointHealth } from '../breaker/health.ts';
import type { DisableReason } from '../breaker/health-record.ts';
import type { InFlightBudget, Seats } from './in-flight.ts';
import { entryOf, isAfter, type LaneEntry, type LaneLimits, type OutboxCursor } from './lane-entry.ts';
import { LaneMemory } from './lane-memory.ts';
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
import type { Endpoint, Outbox, PendingDelivery } from '../outbox.ts';
import { EVERYTHING, type Territory } from '../partitions/lease-table.ts';
import { LaneParking } from './parking.ts';
import { EndpointPause } from './pause.ts';
import { longestWaitMs } from '../schedule.ts';
import { UndeliveredNames } from './undelivered.ts';

/** As long as all of our own promise: who answers later keeps the next event of the call waiting. */
const SLOW_ANSWER_MS = 200;

/** What the lanes of an endpoint ask of the rest of the house. */
export interface LanePorts extends AttemptPorts {
  readonly outbox: Pick<Outbox, 'load' | 'record' | 'following'>;
  readonly limits: LaneLimits;
  /** Shared by all endpoints. */
  readonly budget: InFlightBudget;
  readonly health: Pick<EndpointHealth, 'gate' | 'begin' | 'end' | 'onChange' | 'update' | 'close'>;
  readonly names?: UndeliveredNames;
  /** There is room again after there was little. */
  readonly roomMade: () => void;
  /** The receiver asked for no more. */
  readonly disable: (endpoint: Endpoint, reason: DisableReason) => void;
}

/**
 * Everything owed to one endpoint. A lane is what is owed of one resource: one request under way at a time,
 * in journal order, the next waiting until the head is delivered, dead or aside. Lanes do not wait for each
 * other, and endpoints share nothing but a budget that leaves each of them its own part.
 */
export class EndpointLanes {
  readonly #ports: LanePorts;
  readonly #lanes = new Map<string, Lane>();
  // Whose turn it is. A lane goes to the end after each request, which is round robin.
  readonly #ready = new Set<Lane>();
  readonly #memory: LaneMemory;
  readonly #working = new Map<Lane, Promise<void>>();
  readonly #attempting: Attempting;
  readonly #parking: LaneParking;
  readonly #names: UndeliveredNames;
  readonly #seats: Seats;
  readonly #territory: Territory;
  #endpoint: Endpoint;
  #lastTaken: OutboxCursor | undefined;
  readonly #pause: EndpointPause;
  /** When the receiver last kept ready lanes waiting: paused, broken, or slow with all it may have. */
  #heldUpAtMs: AtMs | null = null;
  #phase: 'open' | 'closing' | 'closed' = 'open';

  constructor(endpoint: Endpoint, ports: LanePorts) {
    this.#endpoint = endpoint;
    this.#ports = ports;
    this.#names = ports.names ?? new UndeliveredNames(ports.stats);
    this.#memory = new LaneMemory(ports);
    this.#territory = ports.territory ?? EVERYTHING;
    this.#attempting = new Attempting(ports, this.#names);
    this.#parking = new LaneParking(endpoint.id, ports, () => this.#phase === 'open');
    this.#pause = new EndpointPause(ports, () => this.#pump());
    this.#seats = ports.budget.open(() => this.#pump());
    ports.health.onChange(() => this.#pump());
  }

  get inFlight(): number {
    return this.#working.size;
  }

  get entries(): number {
    return this.#memory.entries;
  }

  get envelopes(): number {
    return this.#memory.envelopes;
  }

  /** The last entry taken in order; what follows it in the outbox is not here. */
  get lastTaken(): OutboxCursor | undefined {
    return this.#lastTaken;
  }

  /** Room enough to make reading from the outbox worth while. */
  get hasRoomToRead(): boolean {
    return this.#memory.hasRoomToRead;
  }

  /** Whether it is here, or behind one that is; or with another process. */
  knows({ id, position, envelope, isManual }: PendingDelivery): boolean {
    if (this.#memory.knows(id) || !this.#territory.holds(envelope.resource.id)) return true;
    const parked = isManual ? undefined : this.#lanes.get(envelope.resource.id)?.parked;
    return parked !== undefined && parked !== null && position > parked.afterPosition;
  }

  /** New keys, URL, limits: from the next attempt on. */
  update(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    this.#ports.health.update(endpoint);
  }

  /** False when there is no room: the caller must come back to it through the outbox. */
  take(entry: LaneEntry): boolean {
    if (this.#phase !== 'open' || this.#memory.knows(entry.id)) return true;
    if (!this.#territory.holds(entry.envelope.resource.id)) return true;
    // A wall clock that was set back makes nobody wait longer than the schedule ever would.
    const dueInMs = Math.min(Math.max(0, entry.dueInMs), longestWaitMs(this.#endpoint.retryDelaysMs));
    const item = itemOf(entry, this.#ports.clock.nowMs() + dueInMs);
    const key = this.#keyOf(item);
    const lane = this.#lanes.get(key);
    const isParked = lane !== undefined && this.#parking.takes(lane, item, this.#memory.isCrowded);
    if (!isParked && !this.#memory.hasRoom && !this.#letGo()) return false;
    if (isAfter(entry, this.#lastTaken)) this.#lastTaken = { position: entry.position, id: entry.id };
    if (isParked) return true;
    this.#memory.hold(item, letterOf(entry));
    this.#enqueue(item, key);
    this.#memory.noteRoom();
    this.#pump();
    return true;
  }

  /** Starts nothing more and waits for what is under way, `graceMs` at most; the rest stays owed. */
  async close(graceMs?: number): Promise<void> {
    this.#phase = 'closing';
    this.#pause.cancel();
    for (const { state } of this.#lanes.values()) if (state.name === 'waiting') state.cancel();
    const ended = Promise.all(this.#working.values());
    await (graceMs === undefined || this.#working.size === 0
      ? ended
      : Promise.race([ended, sleep(this.#ports.clock, graceMs)]));
    this.#phase = 'closed';
    this.#attempting.cutOff();
    this.#ports.health.close();
  }

  /** Lets go of what is another process's now; resolves once nothing of it is under way. */
  async leave(isTheirs: (resourceId: string) => boolean): Promise<void> {
    const ending: Promise<void>[] = [];
    for (const lane of this.#lanes.values()) {
      if (!isTheirs(resourceOf(lane))) continue;
      const working = this.#working.get(lane);
      if (working !== undefined) ending.push(working);
      this.#abandon(lane);
    }
    this.#memory.noteRoom();
    await Promise.all(ending);
  }

  #abandon(lane: Lane): void {
    this.#rest(lane);
    this.#ready.delete(lane);
    this.#lanes.delete(lane.key);
    for (const item of lane.items.splice(0)) this.#memory.forget(item);
    lane.parked = null;
    lane.state = LEFT;
  }

  #keyOf(item: Item): string {
    if (!isInOrder(item, this.#endpoint)) return `each:${item.id}`;
    return item.isAside ? `aside:${item.id}` : item.resourceId;
  }

  /** Lets go of what stands behind heads that wait: the outbox has it, and is asked when they have gone. */
  #letGo(): boolean {
    for (const lane of this.#lanes.values()) this.#park(lane);
    return this.#memory.hasRoom;
  }

  #park(lane: Lane): void {
    for (const item of this.#parking.park(lane)) this.#memory.forget(item);
  }

  #enqueue(item: Item, key: string): void {
    const lane: Lane = this.#lanes.get(key) ?? {
      key,
      items: [],
      state: READY,
      parked: null,
      heldUpAtMs: null,
    };
    this.#lanes.set(key, lane);
    if (insertInOrder(lane, item) === 0) this.#arm(lane);
  }

  /** Lines the lane up when its head is due, and sets the alarm when it is not yet. */
  #arm(lane: Lane): void {
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
    if (wakeAtMs > nowMs && this.#phase === 'open') {
      this.#memory.waiting++;
      const wake = (): void => {
        this.#arm(lane);
        this.#pump();
      };
      lane.state = { name: 'waiting', cancel: this.#ports.clock.after(wakeAtMs - nowMs, wake) };
      if (this.#memory.isCrowded) this.#park(lane);
      return this.#memory.noteRoom();
    }
    lane.state = READY;
    this.#ready.add(lane);
  }

  #rest(lane: Lane): void {
    if (lane.state.name !== 'waiting') return;
    lane.state.cancel();
    lane.state = READY;
    this.#memory.waiting--;
  }

  #pump(): void {
    const { health, limits, clock } = this.#ports;
    while (this.#phase === 'open' && this.#ready.size > 0) {
      const { gate } = health;
      if (this.#pause.isOn || this.#working.size >= limits.inFlightMax || gate === 'shut') {
        this.#heldUpAtMs = clock.nowMs();
        return;
      }
      const [next] = this.#ready;
      const lane = gate === 'probe' ? oldestOf(this.#ready) : next;
      if (lane !== undefined && !this.#territory.holds(resourceOf(lane))) {
        this.#abandon(lane);
        continue;
      }
      if (lane === undefined || !this.#seats.take()) return;
      this.#ready.delete(lane);
      this.#startHead(lane);
    }
  }

  #startHead(lane: Lane): void {
    lane.state = SENDING;
    const work = this.#workHead(lane)
      .then(() => this.#refill(lane))
      .then(() => {
        this.#working.delete(lane);
        this.#seats.giveBack();
        this.#arm(lane);
        this.#pump();
      });
    this.#working.set(lane, work);
  }

  async #workHead(lane: Lane): Promise<void> {
    const [item] = lane.items;
    if (item === undefined) return;
    const { health, log } = this.#ports;
    const pass = health.begin();
    let made: Made | null = null;
    try {
      const letter = item.letter ?? (await this.#attempting.load(item));
      if (letter === undefined) this.#drop(lane, item);
      else if (letter !== null && this.#phase === 'open') made = await this.#attempt(lane, item, letter);
    } catch (error) {
      // A broken promise of ours costs this entry its turn, never the endpoint: the sweep brings it back.
      log.error({ deliveryId: item.id, detail: messageOf(error) }, 'delivery failed within');
      this.#drop(lane, item);
    }
    // Replays say nothing of the endpoint's health.
    if (item.manualSinceUnixMs !== null) health.end(pass);
    else health.end(pass, made?.result.attempt);
  }

  async #attempt(lane: Lane, item: Item, letter: Letter): Promise<Made | null> {
    const endpoint = this.#endpoint;
    const heldUpAtMs = latest(lane.heldUpAtMs, this.#heldUpAtMs);
    const made = await this.#attempting.make(endpoint, item, letter);
    if (made === null) return null;
    const { after, record, result } = made;
    const isSlow = result.sentAtMs === null || result.doneAtMs - result.sentAtMs > SLOW_ANSWER_MS;
    if (isSlow || after.next.state !== 'delivered' || item.attempts > 0) lane.heldUpAtMs = result.doneAtMs;
    this.#pause.extend(after.pauseMs);
    if (record === 'kept') this.#settle(lane, item, letter, after);
    else if (record === 'failed') this.#drop(lane, item);
    else if (lane.state.name !== 'left') this.#abandon(lane);
    if (after.disables !== null) this.#ports.disable(endpoint, after.disables);
    this.#attempting.tell(endpoint, item, letter.envelope, made, heldUpAtMs);
    return made;
  }

  #settle(lane: Lane, item: Item, letter: Letter, { next }: Aftermath): void {
    const { stats, clock, log } = this.#ports;
    if (next.state === 'retrying') {
      stats.failedAttempts++;
      if (lane.state.name === 'left') return;
      item.attempts++;
      item.dueAtMs = clock.nowMs() + next.delayMs;
      this.#memory.keep(item, letter);
      if (item.isAside) this.#stepAside(lane, item);
      return;
    }
    if (next.state === 'dead') {
      stats.failedAttempts++;
      const { id: deliveryId } = item;
      const { id: endpointId } = this.#endpoint;
      const { id: eventId } = letter.envelope;
      log.warn({ endpointId, deliveryId, eventId, reason: next.reason }, 'delivery is dead');
    }
    stats[next.state]++;
    this.#drop(lane, item);
  }

  /** A head that others may go past keeps its schedule, but outside the lane (contract.md §6). */
  #stepAside(lane: Lane, item: Item): void {
    const key = `aside:${item.id}`;
    if (lane.key === key) return;
    const { stats } = this.#ports;
    if (this.#endpoint.ordering === 'strict') stats.steppedAside++;
    else stats.overtakes++;
    if (!item.isAside) {
      // Held for as long as it may be. A restart would hold it again, so that only an attempt writes it down.
      item.isAside = true;
      const { resourceId, position } = item;
      const eventId = item.letter?.envelope.id;
      const place = { endpointId: this.#endpoint.id, resourceId, position, isDead: false };
      if (eventId !== undefined) this.#names.add({ ...place, eventId });
    }
    removeFrom(lane, item);
    this.#enqueue(item, key);
    if (lane.state.name !== 'sending') void this.#refill(lane).then(() => this.#rearm(lane));
  }

  #rearm(lane: Lane): void {
    if (lane.state.name === 'sending') return;
    this.#arm(lane);
    this.#pump();
  }

  /** Once a parked lane has run out, reads on. */
  async #refill(lane: Lane): Promise<void> {
    if (lane.items.length > 0 || lane.parked === null) return;
    await this.#parking.read(
      lane,
      () => this.#lastTaken,
      (rows) => {
        if (lane.state.name === 'left') return;
        for (const row of rows) {
          if (this.#memory.knows(row.id)) continue;
          const entry = entryOf(row, this.#ports.clock);
          const item = itemOf(entry, this.#ports.clock.nowMs() + Math.max(0, entry.dueInMs));
          this.#memory.hold(item, letterOf(entry));
          insertInOrder(lane, item);
        }
      },
    );
  }

  #drop(lane: Lane, item: Item): void {
    // Its place may be taken by then: the partition came back, and the outbox was read anew.
    if (lane.state.name === 'left') return;
    removeFrom(lane, item);
    this.#memory.forget(item);
    this.#memory.noteRoom();
  }
}

function latest(one: AtMs | null, other: AtMs | null): AtMs | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
