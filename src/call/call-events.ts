import type { AtMs, Clock } from '../base/clock.ts';
import { newId } from '../base/ids.ts';
import type { JsonObject } from '../base/json.ts';
import type { CallEventType, CallHead } from '../events/catalogue.ts';
import { API_VERSION, type Envelope, type EventRecord } from '../events/envelope.ts';
import { TIMELINE_ENTRIES_MAX, type TimelineEntry } from '../events/call-view.ts';
import { Sequence } from '../events/sequence.ts';
import type { CallCounts } from './call-counts.ts';

/** Accepts an event for good: what it has taken is delivered or in the dead-letter list. */
export interface EventSink {
  accept(record: EventRecord): void;
}

/** Under what token the call is this node's; `gone` once it is another's. */
type Owner =
  | { readonly type: 'undisputed' }
  | { readonly type: 'fenced'; readonly fence: number }
  | { readonly type: 'gone' };

/** Numbers and seals the events of one call, and remembers its timeline. Only the owner of a call has one. */
export class CallEvents {
  readonly timeline: TimelineEntry[] = [];
  readonly #clock: Clock;
  readonly #sink: EventSink;
  readonly #identity: { readonly workspaceId: string; readonly region: string; readonly testMode: boolean };
  readonly #head: () => CallHead;
  readonly #counts: Pick<CallCounts, 'untimedEvents'>;
  #sequence = new Sequence();
  #owner: Owner = { type: 'undisputed' };

  constructor(options: {
    clock: Clock;
    counts: Pick<CallCounts, 'untimedEvents'>;
    sink: EventSink;
    identity: { workspaceId: string; region: string; testMode: boolean };
    head: () => CallHead;
  }) {
    this.#clock = options.clock;
    this.#counts = options.counts;
    this.#sink = options.sink;
    this.#identity = options.identity;
    this.#head = options.head;
  }

  get isOwner(): boolean {
    return this.#owner.type !== 'gone';
  }

  /** The token the events carry; null where nobody disputes the call. */
  get fence(): number | null {
    return this.#owner.type === 'fenced' ? this.#owner.fence : null;
  }

  /** The highest number given so far. */
  get sequence(): number {
    return this.#sequence.last;
  }

  /** Goes on where a former owner had come to. */
  goOn(sequence: number, timeline: readonly TimelineEntry[]): void {
    this.#sequence = new Sequence(sequence);
    this.timeline.push(...timeline);
  }

  /** From now on events carry this token; a smaller one than the present is an old answer. */
  holdUnder(fence: number): void {
    if (this.#owner.type === 'gone') return;
    if (this.#owner.type === 'fenced' && this.#owner.fence >= fence) return;
    this.#owner = { type: 'fenced', fence };
  }

  /** Somebody else tells this call's events from now on: what is emitted here goes nowhere. */
  letGo(): void {
    this.#owner = { type: 'gone' };
  }

  /** `receivedAtMs` is the arrival of whatever caused the event: the start of its latency budget. */
  emit(type: CallEventType, own: JsonObject, receivedAtMs: AtMs): Envelope {
    const head = this.#head();
    const envelope: Envelope = {
      id: newId('evt', this.#clock),
      type,
      api_version: API_VERSION,
      created_at: new Date(this.#clock.unixMs()).toISOString(),
      workspace_id: this.#identity.workspaceId,
      resource: { type: 'call', id: head.call_id },
      sequence: this.isOwner ? this.#sequence.next() : this.#sequence.last,
      region: this.#identity.region,
      test_mode: this.#identity.testMode,
      data: { ...head, ...own },
    };
    if (this.#owner.type === 'gone') return envelope;
    this.#remember(envelope, own);
    const stamps = { receivedAtMs, decidedAtMs: this.#clock.nowMs() };
    const held = this.#owner.type === 'fenced' ? { fence: this.#owner.fence } : {};
    this.#sink.accept({ envelope, stamps, ...held });
    return envelope;
  }

  #remember({ sequence, type, created_at: at }: Envelope, own: JsonObject): void {
    if (this.timeline.length >= TIMELINE_ENTRIES_MAX) {
      this.#counts.untimedEvents++;
      return;
    }
    const legId = own['leg_id'];
    this.timeline.push(
      typeof legId === 'string' ? { sequence, type, at, leg_id: legId } : { sequence, type, at },
    );
  }
}

/** A caller's end may sit in a browser: how to join in the target's place is not for it to know. */
export function forCaller(envelope: Envelope): Envelope {
  const { join: _, ...data } = envelope.data;
  return { ...envelope, data };
}
