import type { Endpoint } from '../outbox.ts';

/** Why an endpoint was switched off without anybody asking. */
export type DisableReason = 'gone' | 'asked' | 'failing';

/** What is told once of a stretch of failures. */
export type FailingNotice = 'attempts' | 'open_15m' | 'failing_24h' | 'failing_72h' | 'blocked';

/** How an endpoint has been, as it outlives the process. Instants are wall-clock: outages last days. */
export interface HealthRecord {
  readonly endpointId: string;
  /** Length of the pause the breaker is in; null while requests flow. */
  readonly openMs: number | null;
  readonly retryUnixMs: number | null;
  /** Since when the breaker has not been closed. */
  readonly openedUnixMs: number | null;
  readonly lastSuccessUnixMs: number | null;
  /** The stretch of failures since the last success. */
  readonly firstFailureUnixMs: number | null;
  readonly lastFailureUnixMs: number | null;
  /** Events whose first attempt failed in it. */
  readonly failedEvents: number;
  readonly notices: readonly FailingNotice[];
}

/** An endpoint of which nothing bad is known. */
export function newHealthRecord(endpointId: string): HealthRecord {
  return {
    endpointId,
    openMs: null,
    retryUnixMs: null,
    openedUnixMs: null,
    lastSuccessUnixMs: null,
    firstFailureUnixMs: null,
    lastFailureUnixMs: null,
    failedEvents: 0,
    notices: [],
  };
}

/** Where health is kept, and endpoints are switched off. */
export interface HealthStore {
  load(): Promise<readonly HealthRecord[]>;
  save(record: HealthRecord): Promise<void>;
  /** Switches the endpoint off; what it is owed stays owed. */
  disable(endpointId: string, reason: DisableReason): Promise<void>;
}

/** What operators are told of an endpoint (contract.md §5.3). */
export interface EndpointNotice {
  readonly type: 'endpoint.failing' | 'endpoint.disabled' | 'endpoint.recovered';
  readonly endpoint: Endpoint;
  readonly data: { readonly [key: string]: string | number | null };
}
