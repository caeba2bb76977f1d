import type { EventRecord } from '../../events/envelope.ts';

/** More than a snapshot holds; the oldest are kept, for what follows them must not come before them. */
const EVENTS_KEPT_MAX = 32;

interface Told {
  readonly number: number;
  readonly record: EventRecord;
}

/** Events of running calls that the journal has not acknowledged: a call's next owner sends them again. */
export class UnacknowledgedEvents {
  /** Not kept, because too many of one call wait. */
  unkept = 0;
  readonly #acknowledged: () => number;
  readonly #told = new Map<string, Told[]>();

  /** `acknowledged` is the number of the last record the journal has. */
  constructor(acknowledged: () => number) {
    this.#acknowledged = acknowledged;
  }

  add(number: number, record: EventRecord): void {
    const callId = record.envelope.resource.id;
    const waiting = this.#waiting(callId);
    if (waiting.length < EVENTS_KEPT_MAX) waiting.push({ number, record });
    else this.unkept++;
    this.#told.set(callId, waiting);
  }

  of(callId: string): readonly EventRecord[] {
    return this.#waiting(callId).map(({ record }) => record);
  }

  /** The call is no longer here. */
  forget(callId: string): void {
    this.#told.delete(callId);
  }

  #waiting(callId: string): Told[] {
    const acknowledged = this.#acknowledged();
    return (this.#told.get(callId) ?? []).filter(({ number }) => number > acknowledged);
  }
}
