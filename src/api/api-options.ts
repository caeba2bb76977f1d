import type { Clock } from '../base/clock.ts';
import type { Refusal } from '../base/errors.ts';
import type { Attempt, Endpoint, PendingDelivery } from '../delivery/outbox.ts';
import type { Streams } from '../delivery/streams.ts';
import type { ProviderControlAsk } from '../events/asks.ts';
import type { Envelope } from '../events/envelope.ts';
import type { TransferTickets } from '../providers/control/transfer-tickets.ts';
import type { Journal } from '../events/journal.ts';
import type { ClusterDesk } from './cluster/cluster-desk.ts';
import type { AgentDesk } from './agents/agent-desk.ts';
import type { QueueDesk } from './queues/queue-desk.ts';
import type { PostCallDesk } from './post-call/post-call-desk.ts';
import type { RecordingDesk } from './recordings/recording-desk.ts';
import type { InboundDesk } from './inbound/inbound-desk.ts';
import type {
  CallStore,
  CredentialStore,
  DeliveryStore,
  EndpointStore,
  IdempotencyStore,
  InboundHookStore,
  KeyStore,
  Nodes,
} from './ports.ts';

/** What the API asks of delivery. */
export interface DeliveryDesk {
  /** A refusal when hooks may not reach this URL (contract.md §6, guard). */
  checkUrl(url: string): Promise<Refusal | undefined>;
  /** Endpoints were made or removed: delivery reads them anew before this resolves. */
  refreshEndpoints(): Promise<void>;
  /** Sends one signed event now, outside the lanes and the journal, and tells what came of it. */
  sendTest(endpoint: Endpoint, envelope: Envelope): Promise<Attempt>;
  /** What keeps hooks from this URL for now, though nothing forbids it; undefined when nothing does. */
  warningOf(url: string): Promise<string | undefined>;
  /** Sends what was replayed, outside the lanes. */
  resend(deliveries: readonly PendingDelivery[]): void;
}

/** What the API says to the log; pino fits. */
export interface ApiLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Certificate and key as PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** What may be set of a provider protocol: its options, and the proofs only the protocol itself can check. */
export interface CredentialTerms {
  readonly name: string;
  readonly options: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly proofs: readonly string[];
}

export interface ApiSettings {
  readonly host: string;
  readonly port: number;
  /** What documentation links are built from. */
  readonly publicUrl: string;
  /** `ws://…` or `wss://…` of the media port; of one node where a node is named. */
  readonly mediaUrl: (node?: string) => string;
  /** Media nodes a new stream may go to, best first; where none is told, `mediaUrl()` is the one. */
  readonly mediaUrls?: () => readonly string[];
  readonly region: string;
  /** Provider protocols a stream credential can be made for. */
  readonly dialects: readonly CredentialTerms[];
  /** Newest first. */
  readonly signingSecrets: readonly Uint8Array[];
  /** CIDRs whose `X-Forwarded-*` are believed. */
  readonly trustedProxies: readonly string[];
  readonly tls?: TlsPair;
  /** Event loop delay beyond which new requests are answered with `overloaded`; 0 switches it off. */
  readonly loopDelayMaxMs?: number;
}

/** Keeps a session's token under the UUID that stands for it; a second one of the same UUID is `conflict`. */
export interface SessionUuids {
  put(uuid: string, token: string): Promise<void>;
}

/** What the API asks to be done with calls at their providers. */
export interface ProviderDesk {
  /** Undefined where the provider has accepted the order. */
  carryOut(ask: Omit<ProviderControlAsk, 'name'>): Promise<Refusal | undefined>;
  /** The tickets it gives to providers that fetch a document for a transfer. */
  readonly transfers?: Pick<TransferTickets, 'take'>;
}

export interface ApiOptions {
  readonly ports: {
    readonly keys: KeyStore;
    readonly credentials: CredentialStore;
    readonly calls: CallStore;
    readonly endpoints: EndpointStore;
    readonly deliveries: DeliveryStore;
    readonly idempotency: IdempotencyStore;
    readonly inbound: InboundHookStore;
  };
  readonly nodes: Nodes;
  readonly cluster: ClusterDesk;
  /** Acts on calls at their providers; absent where nothing does. */
  readonly providers?: ProviderDesk;
  readonly agents: AgentDesk;
  readonly recordings: RecordingDesk;
  readonly postCall: PostCallDesk;
  readonly queues: QueueDesk;
  /** Absent where no port for AudioSocket is open. */
  readonly audioSocketUuids?: SessionUuids;
  readonly streams: Pick<Streams, 'open'>;
  readonly journal: Pick<Journal, 'epoch' | 'read' | 'bounds'>;
  readonly delivery: DeliveryDesk;
  readonly inbound: InboundDesk;
  readonly clock: Clock;
  readonly settings: ApiSettings;
  readonly isReady: () => boolean;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Told of every answer, for the figures. */
  readonly answered?: (request: { method: string; status: number; durationMs: number }) => void;
  readonly log: ApiLog;
}
