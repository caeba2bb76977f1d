import type { EventRecord } from '../../events/envelope.ts';
import type { ClusterTimings, FailoverCause } from '../../telemetry/cluster-timings.ts';

/** Calls that came here and have no leg yet; beyond it the oldest is not measured. */
const WAITING_MAX = 10_000;

/** Measures how long calls that came here were without a leg. */
export class FailoverGaps {
  /** Not measured: too many wait. */
  unmeasured = 0;
  readonly #timings: Pick<ClusterTimings, 'failoverGap'>;
  readonly #causes = new Map<string, FailoverCause>();

  constructor(timings: Pick<ClusterTimings, 'failoverGap'>) {
    this.#timings = timings;
  }

  /** The call is here from now on. */
  took(callId: string, cause: FailoverCause): void {
    this.#causes.set(callId, cause);
    const [oldest] = this.#causes.keys();
    if (this.#causes.size <= WAITING_MAX || oldest === undefined) return;
    this.#causes.delete(oldest);
    this.unmeasured++;
  }

  /** An event of a call that is here. */
  told({ envelope }: EventRecord): void {
    const { type, resource, data } = envelope;
    const cause = this.#causes.get(resource.id);
    if (cause === undefined) return;
    if (type === 'call_recovered') this.#timings.failoverGap[cause].observeMs(Number(data['gap_ms']));
    if (type === 'call_recovered' || type === 'call_ended') this.#causes.delete(resource.id);
  }

  /** The call went on to another node before any leg was back. */
  forget(callId: string): void {
    this.#causes.delete(callId);
  }
}
