import { sleep, type Clock } from '../base/clock.ts';
import { invariant, messageOf } from '../base/errors.ts';
import { MIB } from '../base/units.ts';
import { isSelected } from '../events/catalogue.ts';
import type { Journal, JournalEntry } from '../events/journal.ts';
import type { DeliveryLog } from './observer.ts';
import type { StreamItem, StreamQuery, Streams, StreamSink } from './streams.ts';

export interface StreamHubOptions {
  readonly journal: Pick<Journal, 'epoch' | 'read' | 'bounds'>;
  readonly clock: Clock;
  readonly log: DeliveryLog;
  readonly readersMax?: number;
  readonly pageEntries?: number;
  /** How many live events may wait for a reader that is still replaying. */
  readonly pendingMax?: number;
}

const READERS_MAX = 2_000;
const PAGE_ENTRIES = 200;
const PENDING_MAX = 1_000;
/** A live reader this far behind is let go, and resumes (contract.md §8). */
const BUFFERED_BYTES_MAX = MIB;
/** A replay waits for its reader beyond this: history is not a reason to be slow. */
const REPLAY_BYTES_MAX = MIB / 4;
const DRAIN_POLL_MS = 20;
const DRAIN_MS_MAX = 30_000;

/** Live streams out of the journal: a reader replays what it missed, then follows, without hole or double. */
export class StreamHub implements Streams {
  readonly stats = { opened: 0, refused: 0, sentEvents: 0, gaps: 0, tooSlow: 0, replayFailures: 0 };
  readonly #options: StreamHubOptions;
  readonly #readers = new Map<string, Set<Reader>>();
  #open = 0;
  #lastPosition = 0;
  #isClosed = false;

  constructor(options: StreamHubOptions) {
    this.#options = options;
  }

  /** Readers connected now. */
  get readers(): number {
    return this.#open;
  }

  open(query: StreamQuery, sink: StreamSink): { close(): void } {
    if (this.#isClosed || this.#open >= (this.#options.readersMax ?? READERS_MAX)) {
      this.stats.refused++;
      sink.end('closing');
      return { close: () => undefined };
    }
    this.stats.opened++;
    this.#open++;
    const reader = new Reader(query, sink, this.#options, this.stats);
    const group = this.#readers.get(query.workspaceId) ?? new Set();
    this.#readers.set(query.workspaceId, group.add(reader));
    reader.onEnd(() => this.#leave(query.workspaceId, group, reader));
    void reader.run();
    return { close: () => reader.stop() };
  }

  publish(committed: readonly JournalEntry[]): void {
    for (const entry of committed) {
      invariant(entry.position > this.#lastPosition, 'events are published in commit order');
      this.#lastPosition = entry.position;
      for (const reader of this.#readers.get(entry.envelope.workspace_id) ?? []) reader.follow(entry);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const group of this.#readers.values()) for (const reader of group) reader.end('closing');
  }

  #leave(workspaceId: string, group: Set<Reader>, reader: Reader): void {
    this.#open--;
    group.delete(reader);
    // An empty group that was replaced meanwhile is not ours to remove.
    if (group.size === 0 && this.#readers.get(workspaceId) === group) this.#readers.delete(workspaceId);
  }
}

/** What a cursor says: a place in this history, another history, or nothing we ever wrote. */
export function positionOf(cursor: string, epoch: string): number | undefined {
  const split = cursor.lastIndexOf('-');
  const digits = cursor.slice(split + 1);
  if (split === -1 || cursor.slice(0, split) !== epoch || !/^\d{1,15}$/.test(digits)) return undefined;
  return Number(digits);
}

class Reader {
  readonly #query: StreamQuery;
  readonly #sink: StreamSink;
  readonly #options: StreamHubOptions;
  readonly #stats: StreamHub['stats'];
  /** Everything up to here was sent or is not for this reader. */
  #position = 0;
  #phase: 'replaying' | 'live' | 'ended' = 'replaying';
  /** Published while replaying, in order; `isMissed` when there was more than it may hold. */
  #pending: JournalEntry[] = [];
  #isMissed = false;
  #ended: () => void = () => undefined;

  constructor(query: StreamQuery, sink: StreamSink, options: StreamHubOptions, stats: StreamHub['stats']) {
    this.#query = query;
    this.#sink = sink;
    this.#options = options;
    this.#stats = stats;
  }

  onEnd(ended: () => void): void {
    this.#ended = ended;
  }

  /** Takes the reader from where it left off to live. */
  async run(): Promise<void> {
    try {
      await this.#startPosition();
      await this.#replay();
    } catch (error) {
      this.#stats.replayFailures++;
      this.#options.log.error({ detail: messageOf(error) }, 'stream not replayed');
      this.end('closing');
    }
  }

  /** One more event of the workspace was committed. */
  follow(entry: JournalEntry): void {
    if (this.#phase === 'live') this.#send(entry);
    if (this.#phase !== 'replaying' || !this.#wants(entry)) return;
    if (this.#pending.length < (this.#options.pendingMax ?? PENDING_MAX)) this.#pending.push(entry);
    else this.#isMissed = true;
  }

  stop(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#pending = [];
    this.#ended();
  }

  end(reason: 'too_slow' | 'closing'): void {
    if (this.#phase === 'ended') return;
    if (reason === 'too_slow') this.#stats.tooSlow++;
    this.stop();
    this.#sink.end(reason);
  }

  async #startPosition(): Promise<void> {
    const { journal } = this.#options;
    const { from } = this.#query;
    const { first, last } = await journal.bounds();
    // Whatever is published after this line is in `pending`; what was before it ends at `last`.
    const position = from === null ? last : positionOf(from, journal.epoch);
    if (position === undefined || position > last) {
      this.#position = last;
      this.#gap(null, null);
    } else if (position < first - 1) {
      this.#position = first - 1;
      this.#gap(position + 1, first - 1);
    } else {
      this.#position = position;
    }
  }

  async #replay(): Promise<void> {
    const limit = this.#options.pageEntries ?? PAGE_ENTRIES;
    while (this.#phase === 'replaying') {
      // All that was published before the read below begins is committed, and so the read sees it.
      this.#pending = [];
      this.#isMissed = false;
      const page = await this.#options.journal.read({ ...this.#filter(), after: this.#position, limit });
      for (const entry of page) {
        await this.#drained();
        this.#send(entry);
      }
      if (page.length >= limit || this.#isMissed) continue;
      for (const entry of this.#pending) this.#send(entry);
      this.#pending = [];
      if (this.#phase === 'replaying') this.#phase = 'live';
    }
  }

  #filter() {
    const { workspaceId, testMode, types, callId, agentId } = this.#query;
    return {
      workspaceId,
      testMode,
      ...(types.length === 0 ? {} : { types }),
      ...(callId === null ? {} : { resourceId: callId }),
      ...(agentId === null ? {} : { agentId }),
    };
  }

  #wants({ envelope }: JournalEntry): boolean {
    const { workspaceId, testMode, types, callId, agentId } = this.#query;
    if (envelope.workspace_id !== workspaceId || envelope.test_mode !== testMode) return false;
    if (callId !== null && envelope.resource.id !== callId) return false;
    if (agentId !== null && envelope.data['agent_id'] !== agentId) return false;
    return isSelected(envelope.type, types);
  }

  #send(entry: JournalEntry): void {
    if (this.#phase === 'ended' || entry.position <= this.#position) return;
    this.#position = entry.position;
    if (!this.#wants(entry)) return;
    this.#stats.sentEvents++;
    this.#tell({ type: 'event', cursor: this.#cursor(), entry });
  }

  #gap(from: number | null, to: number | null): void {
    if (this.#phase === 'ended') return;
    this.#stats.gaps++;
    this.#tell({ type: 'gap', cursor: this.#cursor(), from, to });
  }

  #tell(item: StreamItem): void {
    this.#sink.send(item);
    if (this.#sink.bufferedBytes > BUFFERED_BYTES_MAX) this.end('too_slow');
  }

  #cursor(): string {
    return `${this.#options.journal.epoch}-${this.#position}`;
  }

  async #drained(): Promise<void> {
    const { clock } = this.#options;
    const untilAtMs = clock.nowMs() + DRAIN_MS_MAX;
    while (this.#phase === 'replaying' && this.#sink.bufferedBytes > REPLAY_BYTES_MAX) {
      if (clock.nowMs() > untilAtMs) this.end('too_slow');
      else await sleep(clock, DRAIN_POLL_MS);
    }
  }
}
