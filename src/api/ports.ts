import type { JsonObject } from '../base/json.ts';
import type { Endpoint } from '../delivery/outbox.ts';
import type { CallView } from '../events/call-view.ts';
import type { Command, CommandResult, CredentialView, StreamCredential } from '../events/commands.ts';

/** One page of a list, in creation order, newest first. */
export interface PageQuery {
  readonly workspaceId: string;
  /** `omf_test_` keys see only test data; live keys only live data. */
  readonly testMode: boolean;
  readonly limit: number;
  readonly page: number;
  readonly cursor?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly total: number;
  readonly nextCursor: string | null;
}

export interface ApiKey {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  /** SHA-256, hex. */
  readonly secretHash: string;
  /** `omf_live_` and the last four, to recognise it by. */
  readonly hint: string;
  readonly testMode: boolean;
  readonly scopes: readonly string[];
  /** Version of the contract this key's requests are in, when they do not say. */
  readonly apiVersion: string;
  readonly ratePerMinute: number | null;
  readonly ipAllow: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface KeyStore {
  byHash(secretHash: string): Promise<ApiKey | undefined>;
  get(workspaceId: string, id: string): Promise<ApiKey | undefined>;
  list(query: PageQuery): Promise<Page<ApiKey>>;
  create(key: ApiKey): Promise<void>;
  update(
    workspaceId: string,
    id: string,
    change: Partial<
      Pick<ApiKey, 'name' | 'scopes' | 'expiresAt' | 'ratePerMinute' | 'ipAllow' | 'lastUsedAt'>
    >,
  ): Promise<ApiKey | undefined>;
  remove(workspaceId: string, id: string): Promise<boolean>;
  /** Rotation: `fresh` joins, the old one expires at `oldExpiresAt`, in one transaction. */
  rotate(oldId: string, oldExpiresAt: string, fresh: ApiKey): Promise<void>;
  count(): Promise<number>;
}

/** A stream credential with what only the API shows. */
export interface StoredCredential extends StreamCredential {
  readonly label: string | null;
  readonly createdAt: string;
}

export interface CredentialStore {
  create(credential: StoredCredential): Promise<void>;
  list(query: PageQuery): Promise<Page<StoredCredential>>;
  remove(workspaceId: string, id: string): Promise<boolean>;
  /** Everything valid now, for the nodes. */
  view(): Promise<CredentialView>;
}

export interface CallQuery extends PageQuery {
  readonly state?: string;
  readonly direction?: string;
  readonly agentId?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface CallStore {
  get(workspaceId: string, id: string): Promise<CallView | undefined>;
  list(query: CallQuery): Promise<Page<CallView>>;
}

/** An endpoint with what only the API shows. */
export interface StoredEndpoint extends Endpoint {
  readonly format: 'omnivoice';
  readonly retryPolicy: string;
  readonly apiVersion: string;
  readonly createdAt: string;
}

export interface DeliveryRow {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: string;
  readonly attempts: number;
  readonly createdAt: string;
  readonly nextAttemptAt: string | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

export interface EndpointStore {
  create(endpoint: StoredEndpoint): Promise<void>;
  get(workspaceId: string, id: string): Promise<StoredEndpoint | undefined>;
  list(query: PageQuery): Promise<Page<StoredEndpoint>>;
  remove(workspaceId: string, id: string): Promise<boolean>;
  deliveries(workspaceId: string, endpointId: string, query: PageQuery): Promise<Page<DeliveryRow>>;
}

/** Answers of POSTs that carried an `Idempotency-Key`, kept 24 h. */
export interface IdempotencyStore {
  find(
    keyId: string,
    idempotencyKey: string,
  ): Promise<{ readonly bodyHash: string; readonly status: number; readonly answer: JsonObject } | undefined>;
  remember(
    keyId: string,
    idempotencyKey: string,
    entry: {
      readonly bodyHash: string;
      readonly status: number;
      readonly answer: JsonObject;
      readonly expiresUnixMs: number;
    },
  ): Promise<void>;
}

/** The media nodes, as the API may use them. */
export interface Nodes {
  /** Sends the command to the node that owns the call; `unavailable` after 2 s without an answer. */
  command(call: CallView, command: Command): Promise<CommandResult>;
  /** Answers once every connected node has applied the view. */
  applyCredentials(view: CredentialView): Promise<void>;
  readonly serving: number;
}
