import { sleep, type AtMs } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { DisableReason } from '../breaker/health-record.ts';
import type { EndpointHealth } from '../breaker/health.ts';
import type { Endpoint, Outbox, PendingDelivery } from '../outbox.ts';
import type { Aftermath } from './aftermath.ts';
import { Attempting, type AttemptPorts, type Made } from './attempting.ts';
import type { InFlightBudget, Seats } from './in-flight.ts';
import type { LaneEntry, LaneLimits, OutboxCursor } from './lane-entry.ts';
import type { Item, Lane, Letter } from './lane.ts';
import { LineUp } from './line-up.ts';
import { EndpointPause } from './pause.ts';
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
  readonly #lineUp: LineUp;
  readonly #working = new Map<Lane, Promise<void>>();
  readonly #attempting: Attempting;
  readonly #seats: Seats;
  readonly #pause: EndpointPause;
  #endpoint: Endpoint;
  /** When the receiver last kept ready lanes waiting: paused, broken, or slow with all it may have. */
  #heldUpAtMs: AtMs | null = null;
  #phase: 'open' | 'closing' | 'closed' = 'open';

  constructor(endpoint: Endpoint, ports: LanePorts) {
    this.#endpoint = endpoint;
    this.#ports = ports;
    const names = ports.names ?? new UndeliveredNames(ports.stats);
    const onDue = (): void => this.#pump();
    this.#lineUp = new LineUp({ ...ports, endpoint: () => this.#endpoint, names, onDue });
    this.#attempting = new Attempting(ports, names);
    this.#pause = new EndpointPause(ports, onDue);
    this.#seats = ports.budget.open(onDue);
    ports.health.onChange(onDue);
  }

  get inFlight(): number {
    return this.#working.size;
  }

  get entries(): number {
    return this.#lineUp.entries;
  }

  get envelopes(): number {
    return this.#lineUp.envelopes;
  }

  /** The last entry taken in order; what follows it in the outbox is not here. */
  get lastTaken(): OutboxCursor | undefined {
    return this.#lineUp.lastTaken;
  }

  /** Room enough to make reading from the outbox worth while. */
  get hasRoomToRead(): boolean {
    return this.#lineUp.hasRoomToRead;
  }

  /** Whether it is here, or behind one that is; or with another process. */
  knows(delivery: PendingDelivery): boolean {
    return this.#lineUp.knows(delivery);
  }

  /** New keys, URL, limits: from the next attempt on. */
  update(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
    this.#ports.health.update(endpoint);
  }

  /** False when there is no room: the caller must come back to it through the outbox. */
  take(entry: LaneEntry): boolean {
    return this.#phase !== 'open' || this.#lineUp.take(entry);
  }

  /** Starts nothing more and waits for what is under way, `graceMs` at most; the rest stays owed. */
  async close(graceMs?: number): Promise<void> {
    this.#phase = 'closing';
    this.#pause.cancel();
    this.#lineUp.close();
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
    const left = this.#lineUp.leave(isTheirs);
    await Promise.all(left.flatMap((lane) => this.#working.get(lane) ?? []));
  }

  #pump(): void {
    const { health, limits, clock } = this.#ports;
    while (this.#phase === 'open' && this.#lineUp.isAnyDue) {
      const { gate } = health;
      if (this.#pause.isOn || this.#working.size >= limits.inFlightMax || gate === 'shut') {
        this.#heldUpAtMs = clock.nowMs();
        return;
      }
      const lane = this.#lineUp.next(gate);
      if (lane === undefined || !this.#seats.take()) return;
      this.#lineUp.begin(lane);
      this.#startHead(lane);
    }
  }

  #startHead(lane: Lane): void {
    const work = this.#workHead(lane)
      .then(() => this.#lineUp.refill(lane))
      .then(() => {
        this.#working.delete(lane);
        this.#seats.giveBack();
        this.#lineUp.arm(lane);
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
      if (letter === undefined) this.#lineUp.drop(lane, item);
      else if (letter !== null && this.#phase === 'open') made = await this.#attempt(lane, item, letter);
    } catch (error) {
      // A broken promise of ours costs this entry its turn, never the endpoint: the sweep brings it back.
      log.error({ deliveryId: item.id, detail: messageOf(error) }, 'delivery failed within');
      this.#lineUp.drop(lane, item);
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
    else if (record === 'failed') this.#lineUp.drop(lane, item);
    else if (lane.state.name !== 'left') this.#lineUp.abandon(lane);
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
      return this.#lineUp.tryAgain(lane, item, letter);
    }
    if (next.state === 'dead') {
      stats.failedAttempts++;
      const { id: deliveryId } = item;
      const { id: endpointId } = this.#endpoint;
      const { id: eventId } = letter.envelope;
      log.warn({ endpointId, deliveryId, eventId, reason: next.reason }, 'delivery is dead');
    }
    stats[next.state]++;
    this.#lineUp.drop(lane, item);
  }
}

function latest(one: AtMs | null, other: AtMs | null): AtMs | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
