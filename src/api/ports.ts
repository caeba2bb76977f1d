import type { JsonObject } from '../base/json.ts';
import type { Attempt, DeliveryState, Endpoint, PendingDelivery } from '../delivery/outbox.ts';
import type { CallView } from '../events/call-view.ts';
import type { CommandResult, CommandToCall, CredentialView, StreamCredential } from '../events/commands.ts';
import type { Envelope } from '../events/envelope.ts';
import type { InboundHook } from '../records/inbound/inbound-hook.ts';
import type {
  InboundIntake,
  InboundState,
  InboundWork,
  LoggedCall,
} from '../records/inbound/inbound-store.ts';

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
  /** Null where they are so many that counting would cost more than the page. */
  readonly total: number | null;
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
  readonly control?: ProviderControl;
}

/** The provider's REST account: hang-up, phone transfer and redirect go through it. */
export interface ProviderControl {
  /** Where its API is, when not at the provider's public address. */
  readonly base_url?: string;
  readonly account: string;
  readonly secret: string;
}

/** A REST account, and the protocol whose provider it is of. */
export interface ControlledCredential {
  readonly dialect: string;
  readonly control: ProviderControl;
}

export interface CredentialStore {
  create(credential: StoredCredential): Promise<void>;
  list(query: PageQuery): Promise<Page<StoredCredential>>;
  /** Another REST account, or none; the version of the view grows. Undefined where there is none such. */
  setControl(
    workspaceId: string,
    id: string,
    control: ProviderControl | null,
  ): Promise<StoredCredential | undefined>;
  /** The REST account, for those who use it; undefined where there is none, or no such credential. */
  controlOf(workspaceId: string, id: string): Promise<ControlledCredential | undefined>;
  remove(workspaceId: string, id: string): Promise<boolean>;
  /** Everything valid now, for the nodes. */
  view(): Promise<CredentialView>;
  /** The one with this secret (its SHA-256, hex). */
  bySecret(secretHash: string): Promise<StreamCredential | undefined>;
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
  readonly retryPolicy: string;
  readonly description: string | null;
  /** Why it is switched off: `by_request`, or what made delivery give it up; null while it is on. */
  readonly disabledReason: string | null;
  readonly createdAt: string;
}

/** What may be changed of an endpoint; everything but who it is. */
export type EndpointChange = Partial<Omit<StoredEndpoint, 'id' | 'workspaceId' | 'createdAt'>>;

export interface EndpointStore {
  create(endpoint: StoredEndpoint): Promise<void>;
  get(workspaceId: string, id: string): Promise<StoredEndpoint | undefined>;
  list(query: PageQuery): Promise<Page<StoredEndpoint>>;
  update(workspaceId: string, id: string, change: EndpointChange): Promise<StoredEndpoint | undefined>;
  remove(workspaceId: string, id: string): Promise<boolean>;
}

/** One event owed to one endpoint. */
export interface DeliveryRow {
  readonly id: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly resourceId: string | null;
  /** `held`: owed to an endpoint that is switched off. */
  readonly state: DeliveryState | 'held';
  readonly isManual: boolean;
  /** The delivery that replayed it last. */
  readonly replayedAs: string | null;
  readonly attempts: number;
  readonly createdAt: string;
  readonly settledAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** A delivery with the event it tells; null where that is no longer kept. */
export interface WholeDelivery extends DeliveryRow {
  readonly envelope: Envelope | null;
  readonly previousUndelivered: readonly string[];
  /** The body of its first attempt, where that failed. */
  readonly sentBody: string | null;
}

/** An attempt as the log has it. */
export interface LoggedAttempt extends Attempt {
  readonly nextAttemptAt: string | null;
}

export interface DeliveryQuery extends PageQuery {
  readonly endpointId: string;
  readonly state?: DeliveryState;
}

/** Dead letters that nobody has replayed; of one endpoint, or of all. */
export interface DeadLetterQuery extends PageQuery {
  readonly endpointId?: string;
  readonly sinceUnixMs?: number;
  readonly untilUnixMs?: number;
}

/** What is to be sent again. */
export interface ReplayWish {
  readonly deliveryId: string;
  readonly replayId: string;
  /** A new event id to go by; null: the same as ever, so that receivers know it. */
  readonly sentAs: string | null;
}

export interface DeliveryStore {
  list(query: DeliveryQuery): Promise<Page<DeliveryRow>>;
  get(query: Pick<PageQuery, 'workspaceId' | 'testMode'>, id: string): Promise<WholeDelivery | undefined>;
  attempts(deliveryId: string): Promise<readonly LoggedAttempt[]>;
  /** Newest first, by when they were given up. */
  deadLetters(query: DeadLetterQuery): Promise<Page<DeliveryRow>>;
  /** Makes the rows of replays, in one transaction; those whose event is no longer kept are left out. */
  replay(wishes: readonly ReplayWish[]): Promise<readonly PendingDelivery[]>;
}

/** What came in at a hook, newest first. */
export interface InboundLogQuery extends PageQuery {
  readonly hookId: string;
  readonly state?: InboundState;
}

/** Addresses strangers may call, what they handed in, and what is still to be done about it. */
export interface InboundHookStore extends InboundIntake, InboundWork {
  create(hook: InboundHook): Promise<void>;
  /** Hooks of a workspace. */
  count(workspaceId: string): Promise<number>;
  list(query: PageQuery): Promise<Page<InboundHook>>;
  update(hook: InboundHook): Promise<void>;
  /** With everything that came in at it. */
  remove(id: string): Promise<void>;
  log(query: InboundLogQuery): Promise<Page<LoggedCall>>;
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
  /**
   * Sends the command to the node that owns the call, on whichever host; `unavailable` where that is away, or
   * after 2 s without an answer.
   */
  command(call: CallView, command: CommandToCall): Promise<CommandResult>;
  /** Has one life of a node leave, on whichever host; done once it has begun to. */
  drain(incarnation: string): Promise<CommandResult>;
  /** Answers once every connected node has applied the view. */
  applyCredentials(view: CredentialView): Promise<void>;
  readonly serving: number;
}
