import type { AtMs, Clock } from '../base/clock.ts';
import type { CallEndReason } from '../events/catalogue.ts';
import { Call } from './call.ts';
import type { EventSink } from './call-events.ts';
import type { CallFacts, CallLimits } from './facts.ts';
import type { CallPorts } from './ports.ts';

/** Every call this node owns. */
export class CallDirectory {
  readonly stats = { startedCalls: 0, endedCalls: 0, surrenderedCalls: 0 };
  readonly #clock: Clock;
  readonly #sink: EventSink;
  readonly #limits: CallLimits;
  readonly #ports: CallPorts;
  readonly #onEnded: (call: Call, reason: CallEndReason) => void;
  readonly #calls = new Map<string, Call>();

  constructor(options: {
    clock: Clock;
    sink: EventSink;
    limits: CallLimits;
    ports?: CallPorts;
    onEnded?: (call: Call, reason: CallEndReason) => void;
  }) {
    this.#clock = options.clock;
    this.#sink = options.sink;
    this.#limits = options.limits;
    this.#ports = options.ports ?? {};
    this.#onEnded = options.onEnded ?? (() => {});
  }

  get size(): number {
    return this.#calls.size;
  }

  get(callId: string): Call | undefined {
    return this.#calls.get(callId);
  }

  /** A new call, not yet started: its first leg starts it. */
  open(facts: CallFacts): Call {
    const call = new Call({
      facts,
      clock: this.#clock,
      sink: this.#sink,
      limits: this.#limits,
      ports: this.#ports,
      onEnded: (ended, reason) => this.#forget(ended, reason),
    });
    this.#calls.set(facts.id, call);
    this.stats.startedCalls++;
    return call;
  }

  /** Looks at every call's limits; the node asks about once a second. */
  sweep(nowMs: AtMs): void {
    for (const call of this.#calls.values()) call.sweep(nowMs);
  }

  /** Gives a call up to another node. False where it is not here. */
  surrender(callId: string, nowMs: AtMs): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    this.#calls.delete(callId);
    this.stats.surrenderedCalls++;
    call.surrender(nowMs);
    return true;
  }

  /** Ends every call, as at the end of a drain. */
  endAll(reason: CallEndReason, nowMs: AtMs): void {
    for (const call of this.#calls.values()) call.end(reason, nowMs);
  }

  #forget(call: Call, reason: CallEndReason): void {
    this.#calls.delete(call.id);
    this.stats.endedCalls++;
    this.#onEnded(call, reason);
  }
}
