import type { Envelope } from '../events/envelope.ts';
import type { CommittedEvent } from '../events/journal.ts';

/** A hook endpoint as delivery needs it (contract.md §6). */
export interface Endpoint {
  readonly id: string;
  readonly workspaceId: string;
  readonly url: string;
  /** Event filter: exact types, `call.*`, `*`. */
  readonly events: readonly string[];
  readonly agentId: string | null;
  /** null: both modes. */
  readonly testMode: boolean | null;
  /** `whsec_…`, newest first; more than one while a rotation overlaps. */
  readonly secrets: readonly string[];
  readonly ordering: 'strict' | 'none';
  /** Delays between attempts; attempts = delays + 1. */
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs: number;
  readonly headers: { readonly [name: string]: string };
  readonly enabled: boolean;
}

export type DeliveryState = 'pending' | 'retrying' | 'delivered' | 'dead';

/** One event owed to one endpoint. */
export interface PendingDelivery {
  readonly id: string;
  readonly endpointId: string;
  /** Journal position: the order of a lane. */
  readonly position: number;
  readonly attempts: number;
  /** When the next attempt is due; null for at once. */
  readonly nextAttemptUnixMs: number | null;
  readonly envelope: Envelope;
}

export type AttemptTrigger = 'event' | 'retry' | 'test' | 'replay';

/** One request and what came of it. */
export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly requestHeaders: { readonly [name: string]: string };
  readonly resolvedAddress: string | null;
  readonly status: number | null;
  readonly responseHeaders: { readonly [name: string]: string };
  /** First 16 KiB, as text. */
  readonly responseBody: string;
  /** null when the attempt succeeded. */
  readonly errorClass: ErrorClass | null;
  readonly errorDetail: string | null;
}

/** What an attempt may fail of: a closed set, so that it can label a metric. */
export const ERROR_CLASSES = [
  'dns_error',
  'connection_refused',
  'connection_reset',
  'tls_error',
  'timeout_connect',
  'timeout_response',
  'blocked',
  'redirect',
  'http_4xx',
  'http_5xx',
  'http_other',
  'auth_error',
  'other',
] as const;

export type ErrorClass = (typeof ERROR_CLASSES)[number];

export interface AttemptOutcome {
  readonly state: DeliveryState;
  readonly nextAttemptUnixMs: number | null;
}

/** What delivery asks of the store. Rows are made by the journal's commit, in its transaction. */
export interface Outbox {
  endpoints(): Promise<readonly Endpoint[]>;
  /**
   * Unfinished deliveries in journal order, after (position, id), for the start and for lanes too long for
   * memory.
   */
  unfinished(after: { position: number; id: string }, limit: number): Promise<readonly PendingDelivery[]>;
  load(deliveryId: string): Promise<PendingDelivery | undefined>;
  /** The attempt and the delivery's new state, in one transaction. */
  record(attempt: Attempt, outcome: AttemptOutcome): Promise<void>;
}

/** What delivery offers control: hand over what was committed, after it was committed. */
export interface DeliverySink {
  accept(committed: readonly CommittedEvent[]): void;
}
