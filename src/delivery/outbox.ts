import type { Envelope } from '../events/envelope.ts';
import type { CommittedDelivery, JournalEntry } from '../events/journal.ts';
import type { LaneStamps } from './lanes/lane-entry.ts';
import type { Fence } from './partitions/lease-table.ts';

/** The payloads of the five published interfaces (contract.md §6). */
export const HOOK_FORMATS = ['omnivoice', 'omniflow', 'voiceoi', 'omniotap', 'omniai'] as const;

export type HookFormat = (typeof HOOK_FORMATS)[number];

/** Signatures beside Standard Webhooks, which is always there. */
export interface SignatureWish {
  /** `X-Omniflow-Signature`, in this encoding; null: not sent. */
  readonly omniflow: 'hex' | 'base64' | null;
  /** `X-VOICEOI-SIGNATURE`. */
  readonly voiceoi: boolean;
  /** The shared secret itself, in the header of this name; null: not sent. */
  readonly secretHeader: string | null;
  /** A `v1a` entry beside `v1`. */
  readonly ed25519: boolean;
}

/** The keys an endpoint's hooks are signed with. */
export interface SigningKeys {
  /** `whsec_…`. */
  readonly symmetric: string;
  /** Any text: what the published recipes use as it stands. null: `symmetric`, as it stands. */
  readonly shared: string | null;
  /** `whsk_…`; null where `v1a` is not wished for. */
  readonly asymmetric: string | null;
}

/** Keys that a rotation replaced: they sign as well until they end. */
export interface RetiringKeys extends SigningKeys {
  readonly untilUnixMs: number;
}

/** How we prove to the receiver that we may call it, beside custom headers. */
export type EndpointAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'oauth2';
      readonly tokenUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | null;
      readonly audience: string | null;
      /** Where the client's secret goes: a Basic header, or the form. */
      readonly clientAuth: 'basic' | 'post';
    };

/** An event with what is owed of it; its instants, where they are of this host. */
export interface OwedEvent extends JournalEntry, Partial<LaneStamps> {
  readonly deliveries: readonly CommittedDelivery[];
}

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
  readonly format: HookFormat;
  /** The version of the contract its payloads are written in; pinned when it was made. */
  readonly apiVersion: string;
  readonly keys: SigningKeys;
  /** Newest first. */
  readonly retiringKeys: readonly RetiringKeys[];
  readonly signatures: SignatureWish;
  readonly auth: EndpointAuth | null;
  readonly ordering: 'strict' | 'bounded' | 'none';
  /** With `bounded`: how long a head may hold up its lane. */
  readonly holdMs: number;
  /** Delays between attempts; attempts = delays + 1. */
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs: number;
  /** Which statuses are success. */
  readonly success: '2xx' | 'only_200';
  readonly headers: { readonly [name: string]: string };
  /** Switched off it is sent nothing; what it is owed is held. */
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
  /** Somebody asked for it to be sent again: outside the lane, and on nobody's account. */
  readonly isManual: boolean;
  /** When it came to be owed: its retries are counted from here. */
  readonly createdUnixMs: number;
  /** How often a 4xx refused it for good. */
  readonly refusals?: number;
  /** It keeps its schedule outside its lane: others have gone past it. */
  readonly isAside?: boolean;
  /** What its payload named on its first attempt, and names on every other. */
  readonly previousUndelivered?: readonly string[];
  /** The body of its first attempt, where that failed; every other sends it again. */
  readonly body?: string | null;
}

/** An event that others of its resource have gone past: given up, or still tried outside the lane. */
export interface Undelivered {
  readonly endpointId: string;
  readonly resourceId: string;
  readonly position: number;
  readonly eventId: string;
  readonly isDead: boolean;
}

/** `manual`: a replay or a recovery; like `test` it says nothing of the endpoint's health. */
export type AttemptTrigger = 'event' | 'retry' | 'test' | 'manual';

/** Where the time of an attempt went, in ms; null for what did not happen, as on a socket already open. */
export interface AttemptTimings {
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  /** From the request's start to the first byte of the answer. */
  readonly ttfbMs: number | null;
}

/** One request and what came of it. */
export interface Attempt {
  readonly id: string;
  readonly deliveryId: string;
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly timings: AttemptTimings;
  /** Where it went, without its query, which may hold secrets. */
  readonly url: string;
  /** `<event id>/<format>/<version>`: what the body was made of; its bytes are the same on every attempt. */
  readonly bodyRef: string;
  readonly bodyBytes: number;
  readonly requestHeaders: { readonly [name: string]: string };
  readonly resolvedAddress: string | null;
  readonly status: number | null;
  readonly responseHeaders: { readonly [name: string]: string };
  /** First 16 KiB, as text. */
  readonly responseBody: string;
  /** There was more of it. */
  readonly responseTruncated: boolean;
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
  readonly refusals?: number;
  readonly isAside?: boolean;
  readonly previousUndelivered?: readonly string[];
  /** What was sent and did not arrive: kept for the next attempt, whoever makes it. */
  readonly body?: string;
  /** From now on later events of its resource name it. */
  readonly undelivered?: Undelivered;
  /** Positions of the same endpoint and resource that need not be named any more. */
  readonly named?: LanePlace & { readonly positions: readonly number[] };
  /** Recorded only while this holds. */
  readonly fence?: Fence;
}

/** One endpoint's lane of one resource. */
export interface LanePlace {
  readonly endpointId: string;
  readonly resourceId: string;
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
  /** Unfinished deliveries of one lane after `position`, in order, replays and those aside left out. */
  following(lane: LanePlace, position: number, limit: number): Promise<readonly PendingDelivery[]>;
  /** What later events still have to name, newest first. */
  undelivered(limit: number): Promise<readonly Undelivered[]>;
  /** The attempt and the delivery's new state, in one transaction; rejects with `FencedError`. */
  record(attempt: Attempt, outcome: AttemptOutcome): Promise<void>;
}

/** What delivery offers control: hand over what was committed, after it was committed. */
export interface DeliverySink {
  accept(committed: readonly OwedEvent[]): void;
}
