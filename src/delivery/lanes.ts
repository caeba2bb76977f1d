import { sleep, type AtMs, type Cancel, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { classOf } from '../events/catalogue.ts';
import type { Envelope } from '../events/envelope.ts';
import { aftermathOf, type Aftermath } from './aftermath.ts';
import {
  isAfter,
  type LaneEntry,
  type LaneLimits,
  type LaneStamps,
  type LaneStats,
  type OutboxCursor,
} from './lane-entry.ts';
import type { DeliveryLog, DeliveryObserver } from './observer.ts';
import type { AttemptOutcome, Endpoint, Outbox } from './outbox.ts';
import { longestWaitMs } from './schedule.ts';
import type { Sender, SendResult } from './wire/sender.ts';

/** What the lanes of an endpoint ask of the rest of the house. */
export interface LanePorts {
  readonly clock: Clock;
  readonly sender: Pick<Sender, 'send'>;
  readonly outbox: Pick<Outbox, 'load' | 'record'>;
  readonly observer: DeliveryObserver;
  readonly log: DeliveryLog;
  readonly stats: LaneStats;
  readonly limits: LaneLimits;
  /** There is room again after there was little. */
  readonly roomMade: () => void;
}

interface Item {
  readonly id: string;
  readonly position: number;
  readonly stamps: LaneStamps | null;
  readonly manualSinceUnixMs: number | null;
  envelope: Envelope | null;
  attempts: number;
  dueAtMs: AtMs;
  refusals: number;
}

interface Lane {
  readonly key: string;
  /** In journal order; the first is the head. */
  readonly items: Item[];
  state: { readonly name: 'ready' | 'sending' } | { readonly name: 'waiting'; readonly cancel: Cancel };
}

const READY = { name: 'ready' } as const;
const SENDING = { name: 'sending' } as const;
const REFUSALS_MAX = 3;
const LOAD_RETRY_MS = 1_000;
const RECORD_TRIES_MAX = 10;
const RECORD_RETRY_MS_MAX = 5_000;

/**
 * Everything owed to one endpoint. A lane is what is owed of one resource: one request under way at a time,
 * strictly in journal order, the next waiting until the head is delivered or dead. Lanes do not wait for each
 * other, and endpoints share nothing at all.
 */
export class EndpointLanes {
  readonly #ports: LanePorts;
  readonly #lanes = new Map<string, Lane>();
  // Whose turn it is. A lane goes to the end after each request, which is round robin.
  readonly #ready = new Set<Lane>();
  readonly #known = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  #endpoint: Endpoint;
  #envelopes = 0;
  #lastTaken: OutboxCursor | undefined;
  #pause: { readonly untilAtMs: AtMs; readonly cancel: Cancel } | undefined;
  #phase: 'open' | 'closing' | 'closed' = 'open';

  constructor(endpoint: Endpoint, ports: LanePorts) {
    this.#endpoint = endpoint;
    this.#ports = ports;
  }

  get inFlight(): number {
    return this.#working.size;
  }

  get entries(): number {
    return this.#known.size;
  }

  get envelopes(): number {
    return this.#envelopes;
  }

  /** The last entry taken in order; what follows it in the outbox is not here. */
  get lastTaken(): OutboxCursor | undefined {
    return this.#lastTaken;
  }

  knows(deliveryId: string): boolean {
    return this.#known.has(deliveryId);
  }

  /** New secrets, URL, limits: from the next attempt on. */
  update(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** False when there is no room: the caller must come back to it through the outbox. */
  take(entry: LaneEntry): boolean {
    if (this.#phase !== 'open' || this.#known.has(entry.id)) return true;
    if (this.#known.size >= this.#ports.limits.entriesMax) return false;
    this.#known.add(entry.id);
    if (isAfter(entry, this.#lastTaken)) this.#lastTaken = { position: entry.position, id: entry.id };
    const { id, position, attempts, stamps, manualSinceUnixMs = null } = entry;
    // A wall clock that was set back makes nobody wait longer than the schedule ever would.
    const dueInMs = Math.min(Math.max(0, entry.dueInMs), longestWaitMs(this.#endpoint.retryDelaysMs));
    const dueAtMs = this.#ports.clock.nowMs() + dueInMs;
    const fixed = { id, position, stamps, manualSinceUnixMs };
    const item: Item = { ...fixed, attempts, dueAtMs, envelope: null, refusals: 0 };
    this.#keep(item, entry.envelope);
    const isAlone = manualSinceUnixMs !== null || this.#endpoint.ordering === 'none';
    this.#enqueue(item, isAlone ? `each:${id}` : entry.envelope.resource.id);
    this.#pump();
    return true;
  }

  /** Starts nothing more and waits for what is under way, `graceMs` at most; the rest stays owed. */
  async close(graceMs?: number): Promise<void> {
    this.#phase = 'closing';
    this.#pause?.cancel();
    for (const { state } of this.#lanes.values()) if (state.name === 'waiting') state.cancel();
    const ended = Promise.all(this.#working);
    await (graceMs === undefined || this.#working.size === 0
      ? ended
      : Promise.race([ended, sleep(this.#ports.clock, graceMs)]));
    this.#phase = 'closed';
  }

  #enqueue(item: Item, key: string): void {
    const lane: Lane = this.#lanes.get(key) ?? { key, items: [], state: READY };
    this.#lanes.set(key, lane);
    // Almost always the end. A head under way keeps its place, whatever comes.
    const floor = lane.state.name === 'sending' ? 1 : 0;
    let index = lane.items.length;
    while (index > floor && lane.items[index - 1]!.position > item.position) index--;
    lane.items.splice(index, 0, item);
    if (index === 0) this.#arm(lane);
  }

  /** Lines the lane up when its head is due, and sets the alarm when it is not yet. */
  #arm(lane: Lane): void {
    if (lane.state.name === 'waiting') lane.state.cancel();
    this.#ready.delete(lane);
    const [head] = lane.items;
    if (head === undefined) {
      this.#lanes.delete(lane.key);
      return;
    }
    const waitMs = head.dueAtMs - this.#ports.clock.nowMs();
    if (waitMs > 0 && this.#phase === 'open') {
      lane.state = { name: 'waiting', cancel: this.#ports.clock.after(waitMs, () => this.#wake(lane)) };
      return;
    }
    lane.state = READY;
    this.#ready.add(lane);
  }

  #wake(lane: Lane): void {
    lane.state = READY;
    this.#ready.add(lane);
    this.#pump();
  }

  #pump(): void {
    for (const lane of this.#ready) {
      if (this.#phase !== 'open' || this.#pause !== undefined) return;
      if (this.#working.size >= this.#ports.limits.inFlightMax) return;
      this.#ready.delete(lane);
      this.#startHead(lane);
    }
  }

  #startHead(lane: Lane): void {
    lane.state = SENDING;
    const work = this.#workHead(lane).then(() => {
      this.#working.delete(work);
      this.#arm(lane);
      this.#pump();
    });
    this.#working.add(work);
  }

  async #workHead(lane: Lane): Promise<void> {
    const [item] = lane.items;
    if (item === undefined) return;
    try {
      const envelope = item.envelope ?? (await this.#load(item));
      if (envelope === undefined) this.#drop(lane, item);
      else if (envelope !== null && this.#phase === 'open') await this.#attempt(lane, item, envelope);
    } catch (error) {
      // A broken promise of ours costs this entry its turn, never the endpoint: the sweep brings it back.
      this.#ports.log.error({ deliveryId: item.id, detail: messageOf(error) }, 'delivery failed within');
      this.#drop(lane, item);
    }
  }

  /** undefined when the outbox no longer owes it, null when the outbox does not answer. */
  async #load(item: Item): Promise<Envelope | undefined | null> {
    try {
      const row = await this.#ports.outbox.load(item.id);
      if (row === undefined) this.#ports.stats.vanished++;
      return row?.envelope;
    } catch (error) {
      this.#ports.stats.loadFailures++;
      this.#ports.log.warn({ deliveryId: item.id, detail: messageOf(error) }, 'delivery not loaded');
      item.dueAtMs = this.#ports.clock.nowMs() + LOAD_RETRY_MS;
      return null;
    }
  }

  async #attempt(lane: Lane, item: Item, envelope: Envelope): Promise<void> {
    const endpoint = this.#endpoint;
    const { clock, sender } = this.#ports;
    const number = item.attempts + 1;
    const { manualSinceUnixMs } = item;
    const trigger = manualSinceUnixMs !== null ? 'manual' : number === 1 ? 'event' : 'retry';
    const result = await sender.send({ endpoint, deliveryId: item.id, number, trigger, envelope });
    // Cut off by our own closing: it says nothing of the receiver, and stays owed.
    if (this.#phase === 'closed') return;
    const sinceUnixMs = manualSinceUnixMs ?? Date.parse(envelope.created_at);
    const after = aftermathOf(result, endpoint, sinceUnixMs, clock);
    this.#pauseFor(after.pauseMs);
    if (await this.#record(result, after)) this.#settle(lane, item, envelope, after);
    else this.#drop(lane, item);
    this.#tell(item, envelope, result, after);
  }

  #settle(lane: Lane, item: Item, envelope: Envelope, { next, isRefusal }: Aftermath): void {
    const { stats, clock, log } = this.#ports;
    if (next.state === 'retrying') {
      stats.failedAttempts++;
      item.attempts++;
      item.refusals += isRefusal ? 1 : 0;
      item.dueAtMs = clock.nowMs() + next.delayMs;
      this.#keep(item, envelope);
      if (item.refusals >= REFUSALS_MAX && this.#endpoint.ordering === 'strict') this.#stepAside(lane, item);
      return;
    }
    if (next.state === 'dead') {
      stats.failedAttempts++;
      const { id: deliveryId } = item;
      const { id: endpointId } = this.#endpoint;
      log.warn({ endpointId, deliveryId, eventId: envelope.id, reason: next.reason }, 'delivery is dead');
    }
    stats[next.state]++;
    this.#drop(lane, item);
  }

  /** A head that is refused again and again keeps its schedule, but outside the lane (contract.md §6). */
  #stepAside(lane: Lane, item: Item): void {
    const key = `aside:${item.id}`;
    if (lane.key === key) return;
    this.#ports.stats.steppedAside++;
    removeFrom(lane, item);
    this.#enqueue(item, key);
  }

  #drop(lane: Lane, item: Item): void {
    removeFrom(lane, item);
    if (item.envelope !== null) this.#envelopes--;
    item.envelope = null;
    const roomBefore = this.hasRoomToRead;
    this.#known.delete(item.id);
    if (!roomBefore && this.hasRoomToRead) this.#ports.roomMade();
  }

  /** Room enough to make reading from the outbox worth while. */
  get hasRoomToRead(): boolean {
    return this.#known.size <= this.#ports.limits.entriesMax / 2;
  }

  #keep(item: Item, envelope: Envelope): void {
    if (item.envelope !== null) return;
    if (this.#envelopes >= this.#ports.limits.envelopesMax) {
      this.#ports.stats.spilledEnvelopes++;
      return;
    }
    item.envelope = envelope;
    this.#envelopes++;
  }

  #pauseFor(pauseMs: number): void {
    if (pauseMs <= 0) return;
    const untilAtMs = this.#ports.clock.nowMs() + pauseMs;
    if (this.#pause !== undefined && this.#pause.untilAtMs >= untilAtMs) return;
    this.#ports.stats.pauses++;
    this.#pause?.cancel();
    const cancel = this.#ports.clock.after(pauseMs, () => {
      this.#pause = undefined;
      this.#pump();
    });
    this.#pause = { untilAtMs, cancel };
  }

  /** False when the outbox would not have it: then the row is as it was, and the sweep will find it. */
  async #record({ attempt }: SendResult, { next }: Aftermath): Promise<boolean> {
    const { clock, outbox, stats, log } = this.#ports;
    const nextAttemptUnixMs = next.state === 'retrying' ? clock.unixMs() + next.delayMs : null;
    const outcome: AttemptOutcome = { state: next.state, nextAttemptUnixMs };
    for (let tries = 1; this.#phase !== 'closed'; tries++) {
      try {
        await outbox.record(attempt, outcome);
        return true;
      } catch (error) {
        stats.recordFailures++;
        log.error({ deliveryId: attempt.deliveryId, detail: messageOf(error) }, 'attempt not recorded');
        if (tries >= RECORD_TRIES_MAX) break;
        await sleep(clock, Math.min(100 * 2 ** (tries - 1), RECORD_RETRY_MS_MAX));
      }
    }
    stats.unrecorded++;
    return false;
  }

  #tell(item: Item, envelope: Envelope, result: SendResult, { next }: Aftermath): void {
    const { observer } = this.#ports;
    const { attempt, startedAtMs, sentAtMs, firstByteAtMs, doneAtMs } = result;
    const common = {
      endpointId: this.#endpoint.id,
      eventClass: classOf(envelope.type),
      attempt: attempt.number,
    };
    if (item.stamps !== null && sentAtMs !== null) {
      observer.hookSent({ ...common, ...item.stamps, sentAtMs });
    }
    const { trigger, errorClass, status } = attempt;
    const { state } = next;
    const stamps = { startedAtMs, sentAtMs, firstByteAtMs, doneAtMs };
    observer.attemptFinished({ ...common, trigger, state, errorClass, status, ...stamps });
  }
}

function removeFrom({ items }: Lane, item: Item): void {
  const index = items.indexOf(item);
  if (index !== -1) items.splice(index, 1);
}
