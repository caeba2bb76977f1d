import { KIB } from '../../base/units.ts';
import type { EventRecord } from '../../events/envelope.ts';

/** More than a snapshot holds; the oldest are kept, for what follows them must not come before them. */
const EVENTS_KEPT_MAX = 32;
const BYTES_KEPT_MAX = 48 * KIB;

interface Told {
  readonly number: number;
  readonly record: EventRecord;
  readonly bytes: number;
}

interface Waiting {
  readonly told: Told[];
  /** Number of the last event that was not kept; nothing after it is, until the journal has it. */
  unkeptNumber: number;
}

/** Events of running calls that the journal has not acknowledged: a call's next owner sends them again. */
export class UnacknowledgedEvents {
  /** Not kept, because too many of one call wait, or too large ones. */
  unkept = 0;
  readonly #acknowledged: () => number;
  readonly #calls = new Map<string, Waiting>();

  /** `acknowledged` is the number of the last record the journal has. */
  constructor(acknowledged: () => number) {
    this.#acknowledged = acknowledged;
  }

  add(number: number, record: EventRecord): void {
    const callId = record.envelope.resource.id;
    const { told, unkeptNumber } = this.#waiting(callId);
    const bytes = Buffer.byteLength(JSON.stringify(record.envelope));
    const keptBytes = told.reduce((sum, one) => sum + one.bytes, 0);
    const isKept =
      unkeptNumber <= this.#acknowledged() &&
      told.length < EVENTS_KEPT_MAX &&
      keptBytes + bytes <= BYTES_KEPT_MAX;
    if (isKept) told.push({ number, record, bytes });
    else this.unkept++;
    this.#calls.set(callId, { told, unkeptNumber: isKept ? unkeptNumber : number });
  }

  of(callId: string): readonly EventRecord[] {
    return this.#waiting(callId).told.map(({ record }) => record);
  }

  /** The call is no longer here. */
  forget(callId: string): void {
    this.#calls.delete(callId);
  }

  #waiting(callId: string): Waiting {
    const acknowledged = this.#acknowledged();
    const { told = [], unkeptNumber = 0 } = this.#calls.get(callId) ?? {};
    return { told: told.filter(({ number }) => number > acknowledged), unkeptNumber };
  }
}
