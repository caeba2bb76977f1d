import type { Clock } from '../base/clock.ts';
import { messageOf, type Refusal } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import type { Envelope } from '../events/envelope.ts';
import { ageClock } from './age-clock.ts';
import { Backlog } from './backlog.ts';
import { newHealthStats, type HealthStats } from './breaker/health.ts';
import type { EndpointNotice, HealthStore } from './breaker/health-record.ts';
import { IN_FLIGHT_LIMITS, type InFlightLimits } from './lanes/in-flight.ts';
import {
  entryOf,
  isAfter,
  LANE_LIMITS,
  newLaneStats,
  type LaneLimits,
  type LaneStamps,
  type LaneStats,
} from './lanes/lane-entry.ts';
import { openTokenRequest } from './oauth/token-request.ts';
import { OAuthTokens } from './oauth/tokens.ts';
import type { DeliveryLog, DeliveryObserver } from './observer.ts';
import type { Attempt, DeliverySink, Endpoint, Outbox, OwedEvent, PendingDelivery } from './outbox.ts';
import type { LeaseWork } from './partitions/lease-keeper.ts';
import { EVERYTHING, type Territory } from './partitions/lease-table.ts';
import { partitionOf } from './partitions/partition.ts';
import { justBefore, Roster } from './roster.ts';
import type { Authorizer } from './wire/authorizer.ts';
import { reachableAddresses, type NameResolver } from './wire/connector.ts';
import {
  checkUrl,
  EgressBlocked,
  hostOf,
  literalOf,
  parseEgressAllow,
  type EgressAllow,
} from './wire/guard.ts';
import { HostResolver, ResolveError } from './wire/resolver.ts';
import { HttpSender, type Sender } from './wire/sender.ts';

export interface DeliverySettings {
  /** CIDRs, addresses and hosts that hooks may reach although private (`OMNIVOICE_EGRESS_ALLOW`). */
  readonly egressAllow: readonly string[];
  /** `Omnivoice/<version>`. */
  readonly userAgent: string;
  readonly connectTimeoutMs?: number;
  /** How long closing waits for requests under way. */
  readonly closeGraceMs?: number;
  readonly sweepMs?: number;
  readonly pageRows?: number;
  readonly limits?: LaneLimits;
  readonly inFlight?: InFlightLimits;
  /** Whether endpoints that fail for days are switched off. */
  readonly autoDisable?: boolean;
}

export interface DeliveryOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly settings: DeliverySettings;
  readonly observer: DeliveryObserver;
  readonly log: DeliveryLog;
  readonly sender?: Sender;
  readonly authorizer?: Authorizer;
  /** Where health outlives the process; without it, it does not. */
  readonly health?: HealthStore;
  /** Tells operators; in the order of what happened. */
  readonly announce?: (notice: EndpointNotice) => void;
  readonly resolver?: NameResolver;
  /** What is this process's to send; all of it, where it is alone. */
  readonly territory?: Territory;
}

export type DeliveryStats = LaneStats &
  HealthStats & {
    readonly accepted: number;
    readonly unknownEndpoints: number;
    readonly readRows: number;
    readonly fellBehind: number;
    readonly sweptRows: number;
    readonly readFailures: number;
    readonly attempts: number;
    readonly staleSockets: number;
    readonly dnsMisses: number;
    readonly dnsFailures: number;
    readonly dnsForgotten: number;
    readonly tokenFailures: number;
    readonly tokenRefusals: number;
    readonly tokensForgotten: number;
    /** Gauges, as of now. */
    readonly endpoints: number;
    readonly endpointsBehind: number;
    readonly endpointsFailing: number;
    readonly inFlight: number;
    readonly entries: number;
    readonly envelopes: number;
  };

const CLOSE_GRACE_MS = 1_000;

/** Opens delivery; nothing is sent before `start`. */
export function openDelivery(options: DeliveryOptions): Delivery {
  return new Delivery(options);
}

/** Sends what the journal committed to whoever wants it: pushed, in order, until delivered or dead. */
export class Delivery implements DeliverySink, LeaseWork {
  readonly #options: DeliveryOptions;
  readonly #allow: EgressAllow;
  readonly #resolver: NameResolver;
  readonly #sender: Sender;
  readonly #authorizer: Authorizer;
  readonly #tokens: ReturnType<typeof openTokenRequest>;
  readonly #backlog: Backlog;
  readonly #laneStats = newLaneStats();
  readonly #healthStats = newHealthStats();
  readonly #roster: Roster;
  #phase: 'opened' | 'started' | 'closed' = 'opened';
  #accepted = 0;

  constructor(options: DeliveryOptions) {
    const { outbox, clock, log, settings } = options;
    this.#options = options;
    this.#allow = parseEgressAllow(settings.egressAllow);
    this.#resolver = options.resolver ?? new HostResolver(clock);
    const { userAgent, connectTimeoutMs } = settings;
    const timeout = connectTimeoutMs === undefined ? {} : { connectTimeoutMs };
    const guarded = { clock, allow: this.#allow, resolver: this.#resolver, userAgent };
    this.#tokens = openTokenRequest(guarded);
    this.#authorizer = options.authorizer ?? new OAuthTokens(this.#tokens.request, clock);
    const wire = { ...guarded, ...timeout, authorizer: this.#authorizer };
    this.#sender = options.sender ?? new HttpSender(wire);
    this.#backlog = new Backlog({
      outbox,
      clock,
      log,
      targetOf: (endpointId) => this.#roster.lanesOf(endpointId),
      ...(settings.pageRows === undefined ? {} : { pageRows: settings.pageRows }),
      ...(settings.sweepMs === undefined ? {} : { sweepMs: settings.sweepMs }),
    });
    this.#roster = new Roster({
      clock,
      ages: ageClock(clock),
      outbox,
      log,
      observer: options.observer,
      sender: this.#sender,
      backlog: this.#backlog,
      laneStats: this.#laneStats,
      healthStats: this.#healthStats,
      limits: settings.limits ?? LANE_LIMITS,
      inFlight: settings.inFlight ?? IN_FLIGHT_LIMITS,
      autoDisable: settings.autoDisable ?? true,
      territory: options.territory ?? EVERYTHING,
      ...(options.health === undefined ? {} : { health: options.health }),
      announce: options.announce ?? (() => undefined),
    });
  }

  get stats(): DeliveryStats {
    const lanes = this.#roster.all();
    return {
      ...this.#laneStats,
      ...this.#healthStats,
      ...this.#backlog.stats,
      accepted: this.#accepted,
      unknownEndpoints: this.#roster.unknownEndpoints,
      attempts: this.#sender.stats.attempts,
      staleSockets: this.#sender.stats.staleSockets,
      dnsMisses: this.#resolver.stats?.misses ?? 0,
      dnsFailures: this.#resolver.stats?.failures ?? 0,
      dnsForgotten: this.#resolver.stats?.evicted ?? 0,
      tokenFailures: this.#authorizer.stats?.failures ?? 0,
      tokenRefusals: this.#authorizer.stats?.refused ?? 0,
      tokensForgotten: this.#authorizer.stats?.evicted ?? 0,
      endpoints: lanes.length,
      endpointsBehind: this.#backlog.behind,
      endpointsFailing: this.#roster.failing,
      inFlight: lanes.reduce((sum, { inFlight }) => sum + inFlight, 0),
      entries: lanes.reduce((sum, { entries }) => sum + entries, 0),
      envelopes: lanes.reduce((sum, { envelopes }) => sum + envelopes, 0),
    };
  }

  /** Reads endpoints and what is unfinished, and sends from then on; resolves once memory has caught up. */
  async start(): Promise<void> {
    await this.#roster.load();
    await this.refreshEndpoints();
    this.#phase = 'started';
    this.#roster.start();
    this.#backlog.startSweep();
    await this.#backlog.catchUp();
  }

  /** Takes what was just committed, in commit order, and sends it at once. */
  accept(committed: readonly OwedEvent[]): void {
    // Before the start and after the end the outbox has it all.
    if (this.#phase !== 'started') return;
    for (const event of committed) {
      for (const { deliveryId, endpointId } of event.deliveries)
        this.#acceptOne(event, deliveryId, endpointId);
    }
  }

  /** Takes what somebody asked to be sent again; what finds no room now is found in the outbox later. */
  resend(deliveries: readonly PendingDelivery[]): void {
    if (this.#phase !== 'started') return;
    for (const row of deliveries)
      this.#roster.lanesOf(row.endpointId)?.take(entryOf(row, this.#options.clock));
  }

  /** Another process was asked to send them again, and they may be ours to send. */
  async resendFound(deliveryIds: readonly string[]): Promise<void> {
    for (const id of deliveryIds) {
      const row = await this.#options.outbox.load(id);
      if (row !== undefined) this.resend([row]);
    }
  }

  entered(partitions: ReadonlySet<number>): void {
    this.#roster.enter((resourceId) => partitions.has(partitionOf(resourceId)));
  }

  left(partitions: ReadonlySet<number>): Promise<void> {
    return this.#roster.leave((resourceId) => partitions.has(partitionOf(resourceId)));
  }

  /** Endpoints were made, changed or removed: what this reads holds for everything sent after it resolves. */
  refreshEndpoints(): Promise<void> {
    return this.#roster.refresh();
  }

  /** One signed attempt now, outside the lanes and their counts. */
  async sendTest(endpoint: Endpoint, envelope: Envelope): Promise<Attempt> {
    const deliveryId = newId('dlv', this.#options.clock);
    const { attempt } = await this.#sender.send({
      endpoint,
      deliveryId,
      number: 1,
      trigger: 'test',
      envelope,
    });
    if (this.#roster.lanesOf(endpoint.id) === undefined) this.#sender.forget(endpoint.id);
    return attempt;
  }

  /** Whether hooks may go to this URL, as far as can be known on save: the connector's own guard says. */
  async checkUrl(text: string): Promise<Refusal | undefined> {
    const url = checkUrl(text, this.#allow);
    if (!(url instanceof URL)) return url;
    if (literalOf(url.hostname) !== undefined) return undefined;
    try {
      await reachableAddresses(hostOf(url.hostname), this.#allow, this.#resolver);
    } catch (error) {
      // A name that does not resolve yet may be saved: every connection is judged again.
      if (error instanceof ResolveError) return undefined;
      if (!(error instanceof EgressBlocked)) throw error;
      return { type: 'refusal', fault: error.code, detail: error.message };
    }
    return undefined;
  }

  /** What keeps hooks from this URL for now, though nothing forbids it: a name nobody knows yet. */
  async warningOf(text: string): Promise<string | undefined> {
    const host = hostOf(URL.parse(text)?.hostname ?? '');
    if (literalOf(host) !== undefined) return undefined;
    try {
      await this.#resolver.resolve(host);
    } catch (error) {
      return `${host} does not resolve: ${messageOf(error)}`;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#phase = 'closed';
    this.#roster.stop();
    this.#backlog.close();
    const graceMs = this.#options.settings.closeGraceMs ?? CLOSE_GRACE_MS;
    await Promise.all(this.#roster.all().map((lanes) => lanes.close(graceMs)));
    await this.#sender.close();
    await this.#tokens.close();
  }

  #acceptOne(event: OwedEvent, id: string, endpointId: string): void {
    this.#accepted++;
    const lanes = this.#roster.lanesOf(endpointId);
    if (lanes === undefined) return this.#roster.meetStranger(endpointId, event.position);
    if (this.#backlog.isBehind(endpointId)) return this.#backlog.passBy(endpointId);
    const { position, envelope } = event;
    // Read from the outbox before we were told of it.
    if (!isAfter({ position, id }, lanes.lastTaken)) return;
    const stamps = stampsOf(event);
    if (lanes.take({ id, position, attempts: 0, dueInMs: 0, envelope, stamps })) return;
    this.#backlog.fallBehind(endpointId, lanes.lastTaken ?? justBefore(position));
  }
}

/** Instants of another host's clock say nothing here. */
function stampsOf({ receivedAtMs, decidedAtMs, committedAtMs }: OwedEvent): LaneStamps | null {
  if (receivedAtMs === undefined || decidedAtMs === undefined || committedAtMs === undefined) return null;
  return { receivedAtMs, decidedAtMs, committedAtMs };
}
