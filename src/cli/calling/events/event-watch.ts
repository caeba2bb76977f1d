import type { AtMs } from '../../../base/clock.ts';
import { numberOf } from '../../../base/json.ts';
import type { Envelope } from '../../../events/envelope.ts';
import { FRAME_MS } from '../../../base/units.ts';

/** What of one call's events is kept: more would be a call of hours. */
const EVENTS_MAX = 10_000;

/** What is kept of an event: its place, and how long it took to get here. */
export interface SeenEvent {
  readonly type: string;
  readonly sequence: number;
  readonly createdAt: string;
  /** Media time at which a voice began; for voice events only. */
  readonly onsetMs: number | undefined;
  readonly atMs: AtMs;
  /** From `created_at` until it was seen here: wall clocks, so both on one host or in step. */
  readonly latencyMs: number;
  /** From the sending of the frame in which the voice began; for voice events only. */
  readonly sinceOnsetMs: number | undefined;
  /** From the sending of the frame that decided it; for voice events only. */
  readonly sinceDecidedMs: number | undefined;
}

/** Knows when the frame of an instant of media time was sent. */
export interface MediaInstants {
  ofMediaMs(mediaMs: number): AtMs | undefined;
}

/** The events of one call: complete, in order, each once? And how soon? */
export class EventWatch {
  readonly seen: SeenEvent[] = [];
  readonly stats = { events: 0, outOfOrder: 0, duplicates: 0, missing: 0 };
  readonly completed: Promise<void>;
  readonly #sent: MediaInstants;
  readonly #onSeen: (event: SeenEvent, envelope: Envelope) => void;
  readonly #ids = new Set<string>();
  readonly #complete: () => void;
  #isCompleted = false;
  #highestSequence = 0;

  constructor(sent: MediaInstants, onSeen: (event: SeenEvent, envelope: Envelope) => void) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.completed = promise;
    this.#complete = resolve;
    this.#sent = sent;
    this.#onSeen = onSeen;
  }

  get isCompleted(): boolean {
    return this.#isCompleted;
  }

  /** None twice, none missing, none before its turn. */
  get isInOrder(): boolean {
    return this.stats.outOfOrder + this.stats.duplicates + this.stats.missing === 0;
  }

  see(envelope: Envelope, nowMs: AtMs, nowUnixMs: number): void {
    if (this.#ids.has(envelope.id)) {
      this.stats.duplicates++;
      return;
    }
    this.#count(envelope);
    if (this.seen.length < EVENTS_MAX) {
      const event = this.#timed(envelope, nowMs, nowUnixMs);
      this.seen.push(event);
      this.#onSeen(event, envelope);
    }
    if (envelope.type !== 'call_completed') return;
    this.#isCompleted = true;
    this.#complete();
  }

  #count({ id, sequence }: Envelope): void {
    this.stats.events++;
    if (this.#ids.size < EVENTS_MAX) this.#ids.add(id);
    if (sequence <= this.#highestSequence) {
      // It was counted as missing when a later one came first.
      this.stats.outOfOrder++;
      this.stats.missing--;
      return;
    }
    this.stats.missing += sequence - this.#highestSequence - 1;
    this.#highestSequence = sequence;
  }

  #timed(envelope: Envelope, atMs: AtMs, nowUnixMs: number): SeenEvent {
    // Media times are of the leg that spoke: only the caller's were sent from here.
    const isCallers = (envelope.data['role'] ?? 'caller') === 'caller';
    const onsetMs = isCallers ? numberOf(envelope.data['onset_ms']) : undefined;
    const decidedMs = onsetMs === undefined ? undefined : numberOf(envelope.data['at_ms']);
    return {
      type: envelope.type,
      sequence: envelope.sequence,
      createdAt: envelope.created_at,
      onsetMs,
      atMs,
      latencyMs: nowUnixMs - Date.parse(envelope.created_at),
      sinceOnsetMs: envelope.type === 'voice_detected' ? this.#since(atMs, onsetMs) : undefined,
      // `at_ms` is the end of the frame that decided.
      sinceDecidedMs: decidedMs === undefined ? undefined : this.#since(atMs, decidedMs - FRAME_MS),
    };
  }

  #since(atMs: AtMs, mediaMs: number | undefined): number | undefined {
    const sentAtMs = mediaMs === undefined ? undefined : this.#sent.ofMediaMs(mediaMs);
    return sentAtMs === undefined ? undefined : atMs - sentAtMs;
  }
}
