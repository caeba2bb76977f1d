import { sql, type Kysely } from 'kysely';
import { Client, type Notification } from 'pg';
import { sleep, type Cancel, type Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Schema } from '../schema.ts';
import type { StoreLog } from '../store-log.ts';

const CHANNEL = 'omnivoice';
/** Said when leases of partitions were let go, or somebody came who wants some. */
export const LEASES_MOVED = 'partition_leases';
/** Said with the ids of deliveries that somebody asked to be sent again. */
export const REPLAYS_ASKED = 'replays';
/** Said with whom letters are for. */
export const LETTERS_SENT = 'letters';

/** What is looked at in case a notice was lost, and how often. */
const LOOK_MS = 1_000;
const RECONNECT_MS = 500;
const ANSWER_WITHIN_MS = 3_000;

/** Tells every process that shares the database, once the transaction is committed. */
export async function tellFleet(transaction: Kysely<Schema>, notice: string): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, ${notice})`.execute(transaction);
}

/** In the `returning` of a counter that was raised: its name and where it stands now, told to everybody. */
export const COUNTER_TOLD = sql`pg_notify(${sql.lit(CHANNEL)}, name || ' ' || value)`;

type Heard = (value: number, text: string) => void;

export interface FleetNoticesOptions {
  readonly url: string;
  readonly clock: Clock;
  readonly log: StoreLog;
}

/**
 * Hears what is told in a shared database, on a connection of its own: counters that somebody raised.
 * A notice is a hint. What was lost with a connection is found by looking, once a second.
 */
export class FleetNotices {
  readonly stats = { heard: 0, looks: 0, lost: 0 };
  readonly #options: FleetNoticesOptions;
  readonly #listeners = new Map<string, Heard[]>();
  readonly #values = new Map<string, number>();
  #client: Client | undefined;
  #cancel: Cancel = () => undefined;
  #isClosed = false;
  #running: Promise<void> | undefined;

  constructor(options: FleetNoticesOptions) {
    this.#options = options;
  }

  /** `heard` is called with where the counter stands, and once after the start; or with what was said. */
  on(counter: string, heard: Heard): void {
    this.#listeners.set(counter, [...(this.#listeners.get(counter) ?? []), heard]);
  }

  start(): void {
    this.#running ??= this.#listen();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#client?.end().catch(() => undefined);
    await this.#running;
  }

  async #listen(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#listenOnce();
      } catch (error) {
        if (this.#isClosed) return;
        this.stats.lost++;
        this.#options.log.warn({ error: messageOf(error) }, 'notices of the database not heard');
        await this.#pause(RECONNECT_MS);
      }
    }
  }

  async #listenOnce(): Promise<void> {
    const client = new Client({
      connectionString: this.#options.url,
      application_name: 'omnivoice notices',
      connectionTimeoutMillis: ANSWER_WITHIN_MS,
      query_timeout: ANSWER_WITHIN_MS,
      keepAlive: true,
    });
    this.#client = client;
    // Without it a connection that ends would end the process; the next look hears of it.
    client.on('error', () => undefined);
    client.on('notification', (notice) => this.#heard(notice));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      for (; !this.#isClosed; await this.#pause(LOOK_MS)) await this.#look(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async #look(client: Client): Promise<void> {
    this.stats.looks++;
    const names = [...this.#listeners.keys()];
    const { rows } = await client.query<{ name: string; value: string }>(
      'select name, value from counters where name = any($1)',
      [names],
    );
    for (const { name, value } of rows) this.#tell(name, Number(value));
  }

  #heard({ payload = '' }: Notification): void {
    this.stats.heard++;
    const [name = '', text = ''] = payload.split(' ');
    if (/^\d+$/.test(text)) return this.#tell(name, Number(text));
    for (const heard of this.#listeners.get(name) ?? []) heard(0, text);
  }

  #tell(name: string, value: number): void {
    if (value <= (this.#values.get(name) ?? -1)) return;
    this.#values.set(name, value);
    for (const heard of this.#listeners.get(name) ?? []) heard(value, '');
  }

  /** Until the time is over, or this is closed. */
  async #pause(durationMs: number): Promise<void> {
    const closing = Promise.withResolvers<void>();
    this.#cancel = closing.resolve;
    await Promise.race([sleep(this.#options.clock, durationMs), closing.promise]);
  }
}
