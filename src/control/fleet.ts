import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { DeliveryLog } from '../delivery/observer.ts';
import type { OwedEvent } from '../delivery/outbox.ts';
import { FleetFeed } from '../delivery/partitions/fleet-feed.ts';
import { LeaseKeeper } from '../delivery/partitions/lease-keeper.ts';
import { EVERYTHING, type Territory } from '../delivery/partitions/lease-table.ts';
import { PARTITIONS } from '../delivery/partitions/partition.ts';
import type { StreamHub } from '../delivery/stream-hub.ts';
import {
  AGENTS_VERSION,
  CREDENTIALS_VERSION,
  ENDPOINTS_VERSION,
  INBOUND_VERSION,
  INBOUND_WORK,
  JOURNAL_POSITION,
} from '../store/counters.ts';
import { LEASES_MOVED, REPLAYS_ASKED } from '../store/postgres/fleet-notices.ts';
import type { Store } from '../store/store.ts';

/** Who hears what happens in the fleet. */
export interface FleetAudience {
  readonly delivery: Pick<Delivery, 'accept' | 'entered' | 'left' | 'refreshEndpoints' | 'resendFound'>;
  readonly streams: Pick<StreamHub, 'publish'>;
  /** Carries out what strangers asked for. */
  readonly inbound?: { wake(): void };
  /** Tells the media nodes of this host what another host's API was told. */
  readonly nodes?: { tellAgents(): Promise<void>; tellCredentials(): Promise<void> };
}

export interface FleetOptions {
  readonly store: Pick<Store, 'fleet' | 'inbound'>;
  readonly clock: Clock;
  readonly log: DeliveryLog;
}

/**
 * A control process among those that share its database: which partitions it delivers, and what the others
 * commit and change. Alone on its database it delivers everything, and hears itself.
 */
export class Fleet implements Closeable {
  readonly territory: Territory;
  readonly #options: FleetOptions;
  readonly #keeper: LeaseKeeper | undefined;
  readonly #feed: FleetFeed | undefined;
  #audience: FleetAudience | undefined;

  constructor(options: FleetOptions) {
    const { store, clock, log } = options;
    this.#options = options;
    if (store.fleet === undefined) {
      this.territory = EVERYTHING;
      return;
    }
    const { leases: table, events: source } = store.fleet;
    this.#keeper = new LeaseKeeper({
      table,
      // No two lives are alike: who comes back after its leases moved on is somebody new.
      holder: `control-${clock.randomBytes(8).toString('hex')}`,
      work: {
        entered: (partitions) => this.#audience?.delivery.entered(partitions),
        left: async (partitions) => this.#audience?.delivery.left(partitions),
      },
      clock,
      log,
    });
    this.territory = this.#keeper;
    this.#feed = new FleetFeed({
      source,
      isOurs: (resourceId) => this.territory.holds(resourceId),
      publish: (events) => this.#tell(events),
      clock,
      log,
    });
  }

  /** Nobody else shares the database, as far as its leases say. */
  get isAlone(): boolean {
    return this.#keeper === undefined || this.#keeper.holding === PARTITIONS;
  }

  /** Plain numbers for metrics; none where there is no fleet. */
  get stats() {
    return {
      leases: this.#keeper?.stats,
      feed: this.#feed?.stats,
      notices: this.#options.store.fleet?.notices.stats,
      holding: this.#keeper?.holding,
    };
  }

  /** Events that this process committed, in commit order. */
  committed(events: readonly OwedEvent[]): void {
    if (this.#feed === undefined) this.#tell(events);
    else this.#feed.committed(events);
  }

  /** From now on the audience hears the fleet; called before anything is committed. Resolves with a share. */
  async join(audience: FleetAudience): Promise<void> {
    this.#audience = audience;
    const { fleet, inbound: hooks } = this.#options.store;
    if (fleet === undefined) return;
    const { notices } = fleet;
    notices.on(JOURNAL_POSITION, (position) => this.#feed?.heard(position));
    notices.on(LEASES_MOVED, () => this.#keeper?.wake());
    const { delivery, nodes, inbound } = audience;
    notices.on(ENDPOINTS_VERSION, () => this.#see('endpoints', delivery.refreshEndpoints()));
    notices.on(REPLAYS_ASKED, (_, ids) => this.#see('replays', delivery.resendFound(ids.split(','))));
    notices.on(INBOUND_VERSION, () => this.#see('inbound hooks', hooks.refresh()));
    notices.on(INBOUND_WORK, () => inbound?.wake());
    notices.on(AGENTS_VERSION, () => this.#see('agents', nodes?.tellAgents()));
    notices.on(CREDENTIALS_VERSION, () => this.#see('credentials', nodes?.tellCredentials()));
    // Before the leases: what is committed from here on is heard of.
    await this.#feed?.start();
    notices.start();
    await this.#keeper?.start();
  }

  /** After delivery: nothing is under way any more, so others may go on at once. */
  async close(): Promise<void> {
    await this.#keeper?.close();
    await this.#feed?.close();
    await this.#options.store.fleet?.notices.close();
  }

  #tell(events: readonly OwedEvent[]): void {
    this.#audience?.streams.publish(events);
    this.#audience?.delivery.accept(events);
  }

  #see(what: string, seeing: Promise<void> | undefined): void {
    seeing?.catch((error: unknown) =>
      this.#options.log.warn({ what, detail: messageOf(error) }, 'a change of another host not seen'),
    );
  }
}
