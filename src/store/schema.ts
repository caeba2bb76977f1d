import type { ColumnType } from 'kysely';

/** A yes or no: written as a boolean, read as whatever the database makes of one. */
type Flag = ColumnType<boolean | number, boolean, boolean>;
type OptionalFlag = ColumnType<boolean | number | null, boolean | null, boolean | null>;
/** JSON kept as text: the store hands it through and never looks inside. */
type Json = string;

/**
 * Every table, as Kysely sees it. Ids are text, instants ISO text or whole milliseconds; whole numbers stay
 * below 2^53, and a driver has to hand them over as numbers.
 */
export interface Schema {
  schema_migrations: { version: number; name: string; applied_at: string };
  /** Facts of the store itself. */
  meta: { key: string; value: string };
  /** Numbers that only grow: positions, versions, link cursors; in one table, so a commit writes one page. */
  counters: { name: string; value: number };
  events: EventsTable;
  calls: CallsTable;
  endpoints: EndpointsTable;
  deliveries: DeliveriesTable;
  attempts: AttemptsTable;
  sent_bodies: SentBodiesTable;
  undelivered: UndeliveredTable;
  endpoint_health: EndpointHealthTable;
  api_keys: ApiKeysTable;
  credentials: CredentialsTable;
  agents: AgentsTable;
  recordings: RecordingsTable;
  partition_leases: PartitionLeasesTable;
  partition_holders: { holder: string; until_unix_ms: number };
  fleet_letters: FleetLettersTable;
  idempotency: IdempotencyTable;
  inbound_hooks: InboundHooksTable;
  inbound_calls: InboundCallsTable;
  inbound_keys: InboundKeysTable;
}

export interface FleetLettersTable {
  sender: string;
  /** Its own count. */
  number: number;
  addressee: string;
  body: string;
  sent_unix_ms: number;
}

export interface EventsTable {
  /** The journal's commit order. */
  position: number;
  workspace_id: string;
  test_mode: Flag;
  resource_id: string;
  sequence: number;
  type: string;
  agent_id: string | null;
  committed_unix_ms: number;
  /** The whole envelope, serialised once. */
  body: Json;
}

export interface CallsTable {
  id: string;
  workspace_id: string;
  test_mode: Flag;
  state: string;
  direction: string;
  agent_id: string | null;
  from_number: string | null;
  to_number: string | null;
  started_at: string;
  incarnation: string;
  completed_unix_ms: number | null;
  /** The view without its timeline. */
  view: Json;
  /** Null until the call is completed: the events tell it, and rewriting it with each would cost too much. */
  timeline: Json | null;
  /** The highest token of its owners; null where none had one. */
  fence: ColumnType<number | null, number | null | undefined, number | null>;
}

export interface EndpointsTable {
  id: string;
  workspace_id: string;
  url: string;
  events: Json;
  agent_id: string | null;
  test_mode: OptionalFlag;
  /** Encrypted JSON. */
  secrets: string;
  /** Encrypted JSON: headers carry the receiver's tokens. */
  headers: string;
  ordering: string;
  retry_delays_ms: Json;
  retry_policy: string;
  timeout_ms: number;
  enabled: Flag;
  format: string;
  api_version: string;
  created_at: string;
  signatures: ColumnType<Json, Json | undefined, Json>;
  /** Encrypted. */
  auth: ColumnType<string | null, string | null | undefined, string | null>;
  hold_ms: ColumnType<number, number | undefined, number>;
  success: ColumnType<string, string | undefined, string>;
  description: ColumnType<string | null, string | null | undefined, string | null>;
  disabled_reason: ColumnType<string | null, string | null | undefined, string | null>;
  /** Rows of its deliveries outlive it until they are purged. */
  removed_at: string | null;
}

export interface DeliveriesTable {
  id: string;
  endpoint_id: string;
  event_position: number;
  test_mode: Flag;
  state: string;
  attempts: number;
  next_attempt_unix_ms: number | null;
  last_status: number | null;
  last_error: string | null;
  created_unix_ms: number;
  /** Null while it is still owed. */
  settled_unix_ms: number | null;
  /** Made by a replay or a recovery: it runs outside the lanes. */
  is_manual: ColumnType<boolean | number, boolean | undefined, boolean>;
  /** The id it goes by instead of its event's, where a replay asked for a new one. */
  sent_as: ColumnType<string | null, string | null | undefined, string | null>;
  /** The delivery that replayed it last. */
  replayed_as: ColumnType<string | null, string | null | undefined, string | null>;
  refusals: ColumnType<number, number | undefined, number>;
  is_aside: ColumnType<boolean | number, boolean | undefined, boolean>;
  previous_undelivered: ColumnType<Json | null, Json | null | undefined, Json | null>;
}

/** Bodies of deliveries that did not arrive at once, as every attempt sends them. */
export interface SentBodiesTable {
  delivery_id: string;
  body: string;
}

/** Events that later ones of their resource have to name. */
export interface UndeliveredTable {
  endpoint_id: string;
  resource_id: string;
  position: number;
  event_id: string;
  is_dead: Flag;
}

/** How endpoints are; what the record holds is delivery's own business. */
export interface EndpointHealthTable {
  endpoint_id: string;
  record: Json;
}

export interface AttemptsTable {
  id: string;
  delivery_id: string;
  number: number;
  trigger_name: string;
  started_at: string;
  duration_ms: number;
  request_headers: Json;
  resolved_address: string | null;
  status: number | null;
  response_headers: Json;
  response_body: string;
  error_class: string | null;
  error_detail: string | null;
  url: string;
  timings: Json;
  body_ref: string;
  body_bytes: number;
  response_truncated: ColumnType<boolean | number, boolean, boolean>;
  next_attempt_unix_ms: number | null;
}

export interface ApiKeysTable {
  id: string;
  workspace_id: string;
  name: string;
  secret_hash: string;
  hint: string;
  test_mode: Flag;
  scopes: Json;
  api_version: string;
  rate_per_minute: number | null;
  ip_allow: Json;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface CredentialsTable {
  id: string;
  workspace_id: string;
  secret_hash: string;
  dialect: string;
  agent_id: string | null;
  test_mode: Flag;
  label: string | null;
  /** Encrypted; of credentials made before `proof` was. */
  auth_token: string | null;
  ip_allow: Json | null;
  /** Encrypted JSON: all but the addresses of how the provider proves itself. */
  proof: string | null;
  options: Json | null;
  /** Encrypted JSON: the provider's REST account. */
  control: string | null;
  created_at: string;
}

export interface IdempotencyTable {
  key_id: string;
  idempotency_key: string;
  body_hash: string;
  status: number;
  /** Encrypted JSON: the answer that makes a key or an endpoint shows its secret. */
  answer: string;
  expires_unix_ms: number;
}

export interface InboundHooksTable {
  id: string;
  workspace_id: string;
  test_mode: Flag;
  tokens: Json;
  /** Encrypted JSON: how the sender signs, and with what. */
  signature: string | null;
  /** Everything else that was wished for. */
  terms: Json;
  created_at: string;
}

/** What strangers handed in: accepted, or refused (the newest few). */
export interface InboundCallsTable {
  id: string;
  hook_id: string;
  state: string;
  received_unix_ms: number;
  /** What is to be done; null once it is. */
  commands: Json | null;
  done: number;
  tries: number;
  /** Null where nothing is left to do. */
  due_unix_ms: number | null;
  error_code: string | null;
  error_detail: string | null;
}

export interface AgentsTable {
  id: string;
  workspace_id: string;
  test_mode: Flag;
  /** Encrypted JSON, as is what was published of it. */
  draft: string;
  published: string | null;
  version: number;
  created_at: string;
  published_at: string | null;
}

/** What was recorded; the sound lies in files. */
export interface RecordingsTable {
  id: string;
  workspace_id: string;
  test_mode: Flag;
  call_id: string;
  state: string;
  format: string;
  sample_rate_hz: number;
  started_at: string;
  duration_ms: number | null;
  bytes: number | null;
  sha256: string | null;
  reason: string | null;
}

/** Who delivers which part of what is owed, until when by the database's clock. */
export interface PartitionLeasesTable {
  partition: number;
  holder: string | null;
  /** Grows with every holder. */
  token: number;
  until_unix_ms: number;
}

export interface InboundKeysTable {
  hook_id: string;
  key_hash: string;
  call_id: string;
  expires_unix_ms: number;
}
