import type { EventRecord } from '../../events/envelope.ts';
import { LINE_LOSS_CAUSES, type FailoverCause, type LineLossCause } from '../../telemetry/cluster-timings.ts';
import { Tally } from '../../telemetry/tally.ts';

/** Calls that came here and have not ended; beyond it the legs of the oldest count as broken connections. */
const TAKEN_MAX = 10_000;

interface TakenCall {
  readonly cause: FailoverCause;
  /** Legs that have been on a line here: what they lose later has nothing to do with the former owner. */
  readonly wereHere: Set<string>;
}

/** Counts legs that found back to their call, and those that did not, by why they had lost their line. */
export class LegFates {
  readonly resumed: Tally<'provider' | 'cause'>;
  readonly lost: Tally<'provider' | 'cause'>;
  /** Calls whose cause was forgotten: too many had come. */
  forgottenCauses = 0;
  readonly #taken = new Map<string, TakenCall>();

  constructor(providers: readonly string[]) {
    const sets = { provider: providers, cause: LINE_LOSS_CAUSES };
    this.resumed = new Tally(sets);
    this.lost = new Tally(sets);
  }

  /** The call is here from now on, and its lines are lost until they are back. */
  took(callId: string, cause: FailoverCause): void {
    this.#taken.set(callId, { cause, wereHere: new Set() });
    const [oldest] = this.#taken.keys();
    if (this.#taken.size <= TAKEN_MAX || oldest === undefined) return;
    this.#taken.delete(oldest);
    this.forgottenCauses++;
  }

  /** An event of a call that is here. */
  told({ envelope }: EventRecord): void {
    const { type, resource, data } = envelope;
    if (type === 'call_ended') this.#taken.delete(resource.id);
    if (type !== 'leg_connected' && type !== 'leg_disconnected') return;
    const provider = String(data['dialect']);
    const cause = this.#causeOf(resource.id, String(data['leg_id']));
    if (type === 'leg_connected' && data['resumed'] === true) this.resumed.add({ provider, cause });
    if (type === 'leg_disconnected' && data['reason'] === 'connection_lost')
      this.lost.add({ provider, cause });
  }

  /** The call went on to another node. */
  forget(callId: string): void {
    this.#taken.delete(callId);
  }

  #causeOf(callId: string, legId: string): LineLossCause {
    const taken = this.#taken.get(callId);
    if (taken === undefined || taken.wereHere.has(legId)) return 'connection';
    taken.wereHere.add(legId);
    return taken.cause;
  }
}
