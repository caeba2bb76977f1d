import type { Kysely } from 'kysely';
import type {
  CallStore,
  CredentialStore,
  DeliveryStore,
  EndpointStore,
  IdempotencyStore,
  InboundHookStore,
  KeyStore,
} from '../api/ports.ts';
import type { AgentStore } from '../api/agents/agent-desk.ts';
import type { Clock } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { HealthStore } from '../delivery/breaker/health-record.ts';
import type { FeedSource } from '../delivery/partitions/fleet-feed.ts';
import type { FleetLetters } from '../delivery/partitions/fleet-letters.ts';
import type { LeaseTable } from '../delivery/partitions/lease-table.ts';
import type { Outbox } from '../delivery/outbox.ts';
import type { Journal } from '../events/journal.ts';
import type { AnalysisWork } from '../records/post-call/analysis-store.ts';
import { SqlAgents } from './agents/agents.ts';
import { SqlCalls } from './calls.ts';
import { Cipher, type EncryptionKey } from './cipher.ts';
import { Counters } from './counters.ts';
import { SqlCredentials } from './credentials.ts';
import { SqlDeliveryLog } from './deliveries/delivery-log.ts';
import type { Transact } from './deliveries/recorder.ts';
import { SqlEndpointHealth } from './deliveries/endpoint-health.ts';
import { SqlEndpoints } from './endpoints.ts';
import { openEngine, type Engine } from './engine/engine.ts';
import { SqlIdempotency } from './idempotency.ts';
import { SqlInbound } from './inbound/inbound.ts';
import { SqlJournal } from './journal/journal.ts';
import { SqlKeys } from './keys.ts';
import { SqlOutbox } from './outbox.ts';
import { SqlFleetEvents } from './postgres/fleet-events.ts';
import type { FleetNotices } from './postgres/fleet-notices.ts';
import { SqlPartitionLeases } from './postgres/partition-leases.ts';
import { SqlFleetLetters } from './postgres/sql-fleet-letters.ts';
import { SqlAnalyses } from './post-call/analyses.ts';
import { SqlErasure } from './post-call/erasure.ts';
import { SqlRecordings } from './recordings/recordings.ts';
import { Retention, type Purged, type PurgeQuery } from './retention.ts';
import type { Schema } from './schema.ts';
import { SILENT, type StoreLog } from './store-log.ts';

export interface StoreOptions {
  /** The embedded database's file; its folder must exist. */
  readonly path: string;
  /** `postgres://…`: a database that hosts share, in place of the file. */
  readonly databaseUrl?: string | undefined;
  readonly clock: Clock;
  /** Newest first: the first one writes, all of them read. */
  readonly encryptionKeys: readonly EncryptionKey[];
  readonly log?: StoreLog;
  /** From the begin of one of the journal's transactions to the next, under load. */
  readonly commitSpacingMs?: number;
}

/** Shorter than anybody notices; from 500 events a second on, several share a transaction with attempts. */
const COMMIT_SPACING_MS = 2;

/** Plain numbers for metrics, by part. */
export interface StoreStats {
  readonly journal: Readonly<SqlJournal['stats']>;
  readonly turns: Readonly<SqlJournal['turns']['stats']>;
  readonly hot: Readonly<SqlJournal['hot']['stats']>;
  readonly outbox: Readonly<SqlOutbox['stats']>;
  readonly retention: Readonly<Retention['stats']>;
  readonly inbound: Readonly<SqlInbound['stats']>;
  readonly checkpoints: Engine['stats']['checkpoints'];
  readonly connections: Engine['stats']['connections'];
  /** Rows whose secrets were sealed with an older key of the ring, until this start. */
  readonly secrets: { readonly resealed: number };
}

/** How the processes that share a database share the work. */
export interface StoreFleet {
  readonly leases: LeaseTable;
  readonly events: FeedSource;
  readonly letters: FleetLetters;
  readonly notices: Pick<FleetNotices, 'on' | 'start' | 'close' | 'stats'>;
}

/** Everything that must survive, behind the ports other rooms declared. */
export interface Store extends Closeable {
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly health: HealthStore;
  readonly keys: KeyStore;
  readonly credentials: CredentialStore;
  readonly calls: CallStore;
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;
  readonly idempotency: IdempotencyStore;
  readonly inbound: InboundHookStore & { refresh(): Promise<void> };
  readonly agents: AgentStore;
  readonly recordings: SqlRecordings;
  readonly analyses: AnalysisWork;
  readonly erasure: Pick<SqlErasure, 'erase' | 'stats'>;
  /** What there is to share the database with others by; undefined where it is ours alone. */
  readonly fleet: StoreFleet | undefined;
  readonly stats: StoreStats;
  purge(query: PurgeQuery): Promise<Purged>;
  close(): Promise<void>;
}

/** Opens the store, or makes one, and brings it to this version's schema. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { log = SILENT } = options;
  const cipher = new Cipher(options.encryptionKeys, options.clock);
  const engine = await openEngine({ ...options, log });
  try {
    return composed(engine, await openParts(engine, cipher, options));
  } catch (error) {
    await engine.close();
    throw error;
  }
}

type Parts = Awaited<ReturnType<typeof openParts>>;

async function openParts(
  { db, commits, writesOfOthers, notices }: Engine,
  cipher: Cipher,
  { clock, commitSpacingMs: spacingMs = COMMIT_SPACING_MS }: StoreOptions,
) {
  const counters = new Counters(db, notices !== undefined);
  await counters.prepare();
  const endpoints = await SqlEndpoints.load({ db, counters, cipher, clock });
  const credentials = new SqlCredentials(db, counters, cipher);
  const epoch = await epochOf(db, clock);
  const places = { db, commits, writesOfOthers };
  const journal = new SqlJournal({ ...places, clock, epoch, counters, endpoints, spacingMs });
  const agents = new SqlAgents({ db, counters, cipher, journal });
  // A key that left the ring must not be needed by anything: what it sealed is sealed anew at each start.
  const resealed = (await endpoints.reseal()) + (await credentials.reseal()) + (await agents.reseal());
  const secrets = { resealed };
  // Where both have one connection anyway, one transaction is cheaper than two that wait for each other.
  const transact: Transact =
    commits === db ? (write) => journal.along(write) : (write) => db.transaction().execute(write);
  const analyses = new SqlAnalyses(db, counters, journal);
  await analyses.prepare();
  const events = new SqlFleetEvents(db, counters, endpoints);
  const leases = new SqlPartitionLeases(db);
  const fleet = notices && { leases, events, letters: new SqlFleetLetters(db, cipher), notices };
  return {
    fleet,
    agents,
    endpoints,
    secrets,
    deliveries: new SqlDeliveryLog({ db, endpoints, clock, isShared: notices !== undefined }),
    journal,
    inbound: await SqlInbound.load({ db, cipher, clock, journal, counters }),
    outbox: new SqlOutbox({ db, endpoints, transact, clock }),
    health: new SqlEndpointHealth(db, endpoints),
    keys: new SqlKeys(db),
    credentials,
    calls: new SqlCalls(db),
    idempotency: new SqlIdempotency(db, cipher, clock),
    recordings: new SqlRecordings(db, journal, clock),
    analyses,
    erasure: new SqlErasure(journal),
    retention: new Retention(db, counters, clock),
  };
}

function composed(engine: Engine, parts: Parts): Store {
  const { retention, journal, outbox, secrets, ...ports } = parts;
  return {
    ...ports,
    journal,
    outbox,
    stats: {
      journal: journal.stats,
      turns: journal.turns.stats,
      hot: journal.hot.stats,
      outbox: outbox.stats,
      retention: retention.stats,
      inbound: ports.inbound.stats,
      checkpoints: engine.stats.checkpoints,
      connections: engine.stats.connections,
      secrets,
    },
    purge: (query) => retention.purge(query),
    close: async () => {
      await outbox.settled();
      await journal.turns.settled();
      await engine.close();
    },
  };
}

/** The name of this journal's history, made with it. */
async function epochOf(db: Kysely<Schema>, clock: Pick<Clock, 'randomBytes'>): Promise<string> {
  await db
    .insertInto('meta')
    .values({ key: 'epoch', value: clock.randomBytes(8).toString('hex') })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  const { value } = await db
    .selectFrom('meta')
    .select('value')
    .where('key', '=', 'epoch')
    .executeTakeFirstOrThrow();
  return value;
}
