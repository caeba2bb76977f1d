import type { AtMs, Clock } from '../base/clock.ts';
import type { CallEndReason } from '../events/catalogue.ts';
import { Call } from './call.ts';
import { newCallCounts } from './call-counts.ts';
import type { EventSink } from './call-events.ts';
import type { CallFacts, CallLimits } from './facts.ts';
import type { CallPorts } from './ports.ts';
import { ProviderCalls, type ProviderName } from './provider/provider-calls.ts';
import { readSnapshot } from './snapshot/call-snapshot.ts';
import type { Takeover } from './snapshot/recovery.ts';

/** Every call this node owns. */
export class CallDirectory {
  readonly stats = {
    startedCalls: 0,
    endedCalls: 0,
    surrenderedCalls: 0,
    restoredCalls: 0,
    unreadableSnapshots: 0,
  };
  readonly counts = newCallCounts();
  readonly #clock: Clock;
  readonly #sink: EventSink;
  readonly #limits: CallLimits;
  readonly #ports: CallPorts;
  readonly #onEnded: (call: Call, reason: CallEndReason) => void;
  readonly #onChanged: (call: Call) => void;
  readonly #providerCalls = new ProviderCalls<Call>();
  readonly #calls = new Map<string, Call>();

  constructor(options: {
    clock: Clock;
    sink: EventSink;
    limits: CallLimits;
    ports?: CallPorts;
    onEnded?: (call: Call, reason: CallEndReason) => void;
    onChanged?: (call: Call) => void;
  }) {
    this.#clock = options.clock;
    this.#sink = options.sink;
    this.#limits = options.limits;
    this.#ports = options.ports ?? {};
    this.#onEnded = options.onEnded ?? (() => {});
    this.#onChanged = options.onChanged ?? (() => {});
  }

  get size(): number {
    return this.#calls.size;
  }

  get(callId: string): Call | undefined {
    return this.#calls.get(callId);
  }

  get all(): readonly Call[] {
    return [...this.#calls.values()];
  }

  /** The call a provider's stream is of, by the provider's own name for it. */
  ofProvider(name: ProviderName): Call | undefined {
    return this.#providerCalls.get(name);
  }

  /** A new call, not yet started: its first leg starts it. */
  open(facts: CallFacts): Call {
    this.stats.startedCalls++;
    return this.#add(facts);
  }

  /**
   * Goes on with a call that another node had. Its events that were still on their way go first; the journal
   * drops those it knows. Undefined where the snapshot is of a version that is not known here, or the call is
   * here already.
   */
  restore(saved: unknown, takeover: Takeover, nowMs: AtMs): Call | undefined {
    const snapshot = readSnapshot(saved);
    if (snapshot === undefined) this.stats.unreadableSnapshots++;
    if (snapshot === undefined || this.#calls.has(snapshot.facts.id)) return undefined;
    const call = this.#add({ ...snapshot.facts, node: takeover.to });
    this.stats.restoredCalls++;
    const stamps = { receivedAtMs: nowMs, decidedAtMs: nowMs };
    for (const { envelope } of snapshot.events) {
      this.#sink.accept({ envelope, stamps, fence: takeover.fence });
    }
    call.restore(snapshot, takeover, nowMs);
    return call;
  }

  /** Looks at every call's limits; the node asks about once a second. */
  sweep(nowMs: AtMs): void {
    for (const call of this.#calls.values()) call.sweep(nowMs);
  }

  /** Gives a call up to another node; its lines have `graceMs` to leave. False where it is not here. */
  surrender(callId: string, nowMs: AtMs, graceMs = 0): boolean {
    const call = this.#calls.get(callId);
    if (call === undefined) return false;
    this.#remove(call);
    this.stats.surrenderedCalls++;
    call.surrender(nowMs, graceMs);
    return true;
  }

  /** Ends every call, as at the end of a drain. */
  endAll(reason: CallEndReason, nowMs: AtMs): void {
    for (const call of this.#calls.values()) call.end(reason, nowMs);
  }

  #add(facts: CallFacts): Call {
    const call = new Call({
      facts,
      clock: this.#clock,
      sink: this.#sink,
      limits: this.#limits,
      ports: this.#ports,
      counts: this.counts,
      onEnded: (ended, reason) => this.#forget(ended, reason),
      onChanged: this.#onChanged,
    });
    this.#calls.set(facts.id, call);
    this.#providerCalls.add(call);
    return call;
  }

  #remove(call: Call): void {
    this.#calls.delete(call.id);
    this.#providerCalls.remove(call);
  }

  #forget(call: Call, reason: CallEndReason): void {
    this.#remove(call);
    this.stats.endedCalls++;
    this.counts.forgottenSegments += call.notes.stats.forgottenSegments;
    this.counts.forgottenMembers += call.roster.stats.forgottenMembers;
    this.#onEnded(call, reason);
  }
}
