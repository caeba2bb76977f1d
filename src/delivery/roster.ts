import type { Clock } from '../base/clock.ts';
import { messageOf, VoiceError } from '../base/errors.ts';
import { OUTBOX_START, type Backlog } from './backlog.ts';
import { EndpointHealth, type HealthPorts, type HealthStats } from './breaker/health.ts';
import type { DisableReason, EndpointNotice, HealthRecord, HealthStore } from './breaker/health-record.ts';
import { InFlightBudget, type InFlightLimits } from './lanes/in-flight.ts';
import type { LaneLimits, LaneStats, OutboxCursor } from './lanes/lane-entry.ts';
import { EndpointLanes, type LanePorts } from './lanes/lanes.ts';
import type { DeliveryLog, DeliveryObserver } from './observer.ts';
import type { Endpoint, Outbox } from './outbox.ts';
import { UndeliveredNames } from './lanes/undelivered.ts';
import type { Territory } from './partitions/lease-table.ts';
import type { Sender } from './wire/sender.ts';

export interface RosterOptions {
  readonly clock: Clock;
  /** What ages are told by. */
  readonly ages: Clock;
  readonly outbox: Outbox;
  readonly log: DeliveryLog;
  readonly observer: DeliveryObserver;
  readonly sender: Sender;
  readonly backlog: Backlog;
  readonly laneStats: LaneStats;
  readonly healthStats: HealthStats;
  readonly limits: LaneLimits;
  readonly inFlight: InFlightLimits;
  readonly autoDisable: boolean;
  readonly health?: HealthStore;
  readonly territory: Territory;
  readonly announce: (notice: EndpointNotice) => void;
}

const UNKNOWN_ENDPOINTS_MAX = 1_000;
const NAMES_LOADED_MAX = 10_000;

/** The endpoints there are, each with its lanes; what was known of their health comes with them. */
export class Roster {
  readonly #options: RosterOptions;
  readonly #budget: InFlightBudget;
  readonly #lanes = new Map<string, EndpointLanes>();
  readonly #health = new Map<string, EndpointHealth>();
  readonly #records = new Map<string, HealthRecord>();
  readonly #names = new Map<string, UndeliveredNames>();
  /** Endpoints that are switched off: what they are owed stays in the outbox. */
  #disabled: ReadonlySet<string> = new Set();
  /** Endpoints that switched themselves off, until the store has said so. */
  readonly #disabling = new Set<string>();
  /** Where endpoints that we have not read yet were first owed something. */
  readonly #unknown = new Map<string, number>();
  #refreshing: Promise<void> | undefined;
  #phase: 'opened' | 'started' | 'closed' = 'opened';
  unknownEndpoints = 0;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#budget = new InFlightBudget(options.inFlight, options.laneStats);
  }

  /** How many breakers are not closed. */
  get failing(): number {
    return [...this.#health.values()].filter(({ record }) => record.openedUnixMs !== null).length;
  }

  lanesOf(endpointId: string): EndpointLanes | undefined {
    return this.#lanes.get(endpointId);
  }

  all(): readonly EndpointLanes[] {
    return [...this.#lanes.values()];
  }

  /** Reads what an earlier life learnt. */
  async load(): Promise<void> {
    const { health } = this.#options;
    for (const record of (await health?.load()) ?? []) this.#records.set(record.endpointId, record);
    await this.#loadNames(() => true);
  }

  /** These resources are ours from now on: all that is owed of them is read, from the beginning. */
  enter(isOurs: (resourceId: string) => boolean): void {
    const { backlog, log } = this.#options;
    // In this very turn: what is committed from now on must not overtake what is read.
    for (const id of this.#lanes.keys()) backlog.fallBehind(id, OUTBOX_START);
    this.#loadNames(isOurs)
      .catch((error: unknown) => log.error({ detail: messageOf(error) }, 'names of the undelivered not read'))
      .then(() => (this.#phase === 'started' ? backlog.catchUp() : undefined))
      .catch((error: unknown) => log.error({ detail: messageOf(error) }, 'outbox not read'));
  }

  /** They are another process's now; resolves once nothing of theirs is under way. */
  async leave(isTheirs: (resourceId: string) => boolean): Promise<void> {
    await Promise.all(this.all().map((lanes) => lanes.leave(isTheirs)));
  }

  async #loadNames(isOurs: (resourceId: string) => boolean): Promise<void> {
    const undelivered = await this.#options.outbox.undelivered(NAMES_LOADED_MAX);
    for (const names of this.#names.values()) names.forgetAll(isOurs);
    for (const event of [...undelivered].reverse()) {
      if (isOurs(event.resourceId)) this.#namesOf(event.endpointId).add(event);
    }
  }

  start(): void {
    this.#phase = 'started';
    this.#unknown.clear();
  }

  stop(): void {
    this.#phase = 'closed';
  }

  /** Endpoints were made, changed or removed: what this reads holds for everything sent after it resolves. */
  refresh(): Promise<void> {
    // One after the other: a refresh that is under way may have read before the change.
    const after = this.#refreshing ?? Promise.resolve();
    const refreshing = after.catch(() => undefined).then(() => this.#read());
    this.#refreshing = refreshing;
    return refreshing;
  }

  /** An endpoint we have not read: switched off, or made a moment ago. */
  meetStranger(endpointId: string, position: number): void {
    if (this.#disabled.has(endpointId) || this.#unknown.has(endpointId)) return;
    if (this.#disabling.has(endpointId)) return;
    this.unknownEndpoints++;
    if (this.#unknown.size >= UNKNOWN_ENDPOINTS_MAX) this.#unknown.clear();
    this.#unknown.set(endpointId, position);
    this.refresh().catch((error: unknown) => {
      this.#options.log.error({ endpointId, detail: messageOf(error) }, 'endpoints not read');
    });
  }

  async #read(): Promise<void> {
    const { outbox, backlog } = this.#options;
    const read = await outbox.endpoints();
    if (this.#phase === 'closed') throw new VoiceError('unavailable', 'delivery is closed');
    const isOn = ({ id, enabled }: Endpoint): boolean => enabled && !this.#disabling.has(id);
    const enabled = new Map(read.filter(isOn).map((endpoint) => [endpoint.id, endpoint]));
    for (const id of this.#lanes.keys()) if (!enabled.has(id)) this.#close(id);
    const wasDisabled = this.#disabled;
    this.#disabled = new Set(read.filter((endpoint) => !isOn(endpoint)).map(({ id }) => id));
    for (const endpoint of enabled.values()) this.#open(endpoint, wasDisabled.has(endpoint.id));
    for (const id of this.#unknown.keys()) if (!this.#disabled.has(id)) this.#unknown.delete(id);
    if (this.#phase === 'started') void backlog.catchUp();
  }

  #open(endpoint: Endpoint, wasDisabled: boolean): void {
    const { id } = endpoint;
    const known = this.#lanes.get(id);
    if (known !== undefined) return known.update(endpoint);
    const { backlog } = this.#options;
    // Whoever switched it on again wants to see it tried, whatever was known of it before.
    const record = wasDisabled ? undefined : this.#records.get(id);
    this.#records.delete(id);
    const health = new EndpointHealth(endpoint, this.#healthPorts(), record);
    this.#health.set(id, health);
    this.#lanes.set(id, new EndpointLanes(endpoint, this.#lanePorts(id, health)));
    if (this.#phase === 'opened' || wasDisabled) return backlog.fallBehind(id, OUTBOX_START);
    const firstPosition = this.#unknown.get(id);
    if (firstPosition !== undefined) backlog.fallBehind(id, justBefore(firstPosition));
  }

  /** What is under way may end and be recorded; nothing more starts. */
  #close(id: string): void {
    const lanes = this.#lanes.get(id);
    this.#lanes.delete(id);
    this.#health.delete(id);
    this.#options.backlog.forget(id);
    void lanes?.close().then(() => this.#options.sender.forget(id));
  }

  /** Nothing more leaves from this moment on, whenever the store gets to hear of it. */
  #disable(endpoint: Endpoint, reason: DisableReason): void {
    const { id } = endpoint;
    const { health, announce, log } = this.#options;
    if (health === undefined || this.#disabling.has(id) || !this.#lanes.has(id)) return;
    this.#disabling.add(id);
    log.warn({ endpointId: id, reason }, 'endpoint is switched off');
    this.#close(id);
    const done = health
      .disable(id, reason)
      .then(() => announce({ type: 'endpoint.disabled', endpoint, data: { reason } }));
    done
      .catch((error: unknown) => {
        log.error({ endpointId: id, detail: messageOf(error) }, 'endpoint not switched off');
      })
      .then(() => {
        this.#disabling.delete(id);
        return this.refresh();
      })
      .catch((error: unknown) => {
        log.error({ endpointId: id, detail: messageOf(error) }, 'endpoints not read');
      });
  }

  #namesOf(endpointId: string): UndeliveredNames {
    const known = this.#names.get(endpointId) ?? new UndeliveredNames(this.#options.laneStats);
    this.#names.set(endpointId, known);
    return known;
  }

  #lanePorts(id: string, health: EndpointHealth): LanePorts {
    const { clock, ages, outbox, observer, log, sender, territory } = this.#options;
    const { laneStats, limits, backlog } = this.#options;
    return {
      clock,
      ages,
      outbox,
      observer,
      log,
      sender,
      territory,
      limits,
      budget: this.#budget,
      health,
      stats: laneStats,
      names: this.#namesOf(id),
      roomMade: () => void backlog.catchUp(),
      disable: (endpoint, reason) => this.#disable(endpoint, reason),
    };
  }

  #healthPorts(): HealthPorts {
    const { ages: clock, log, healthStats, announce, autoDisable, health } = this.#options;
    const store = health ?? { save: async () => undefined };
    const disable: HealthPorts['disable'] = (endpoint, reason) => this.#disable(endpoint, reason);
    return { clock, log, announce, autoDisable, disable, store, stats: healthStats };
  }
}

/** Before whatever stands at `position`. */
export function justBefore(position: number): OutboxCursor {
  // Ids are not empty, so that rows of `position - 1` are read again, and found to be known or done.
  return { position: position - 1, id: '' };
}
