import type { StreamItem, StreamQuery, StreamSink } from '../../src/delivery/streams.ts';
import { isSelected } from '../../src/events/catalogue.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type { JournalEntry, JournalQuery } from '../../src/events/journal.ts';

const BEHIND_BYTES_MAX = 1_048_576;

/** A journal and its live streams in memory: replay from a cursor, then follow; trimmed events are a gap. */
export class LiveJournal {
  readonly epoch = 'e1';
  readonly entries: JournalEntry[] = [];
  readonly readers = new Map<StreamSink, StreamQuery>();
  #first = 1;

  async bounds(): Promise<{ first: number; last: number }> {
    return { first: this.#first, last: this.entries.length };
  }

  async read(query: JournalQuery): Promise<readonly JournalEntry[]> {
    return this.#kept(query.after ?? 0)
      .filter(({ envelope }) => query.testMode === undefined || envelope.test_mode === query.testMode)
      .filter(({ envelope }) => isSelected(envelope.type, query.types ?? []))
      .filter(({ envelope }) => query.resourceId === undefined || envelope.resource.id === query.resourceId)
      .slice(0, query.limit);
  }

  /** Commits one event and tells everybody. */
  commit(type = 'voice_detected', data: Envelope['data'] = {}): JournalEntry {
    const entry = {
      position: this.entries.length + 1,
      envelope: envelopeOf(this.entries.length + 1, type, data),
    };
    this.entries.push(entry);
    for (const [sink, query] of this.readers) this.#tell(sink, query, entry);
    return entry;
  }

  /** Forgets everything before `position`. */
  trim(position: number): void {
    this.#first = position;
  }

  open(query: StreamQuery, sink: StreamSink): { close(): void } {
    if (query.from !== null) this.#replay(query, sink, Number(query.from.split('-').at(-1)));
    this.readers.set(sink, query);
    return { close: () => void this.readers.delete(sink) };
  }

  #replay(query: StreamQuery, sink: StreamSink, after: number): void {
    if (after + 1 < this.#first) {
      const cursor = `${this.epoch}-${this.#first - 1}`;
      sink.send({ type: 'gap', cursor, from: after + 1, to: this.#first - 1 });
    }
    for (const entry of this.#kept(after)) this.#tell(sink, query, entry);
  }

  #tell(sink: StreamSink, query: StreamQuery, entry: JournalEntry): void {
    if (!isSelected(entry.envelope.type, query.types)) return;
    if (query.testMode !== entry.envelope.test_mode) return;
    if (sink.bufferedBytes > BEHIND_BYTES_MAX) {
      this.readers.delete(sink);
      sink.end('too_slow');
      return;
    }
    const item: StreamItem = { type: 'event', cursor: `${this.epoch}-${entry.position}`, entry };
    sink.send(item);
  }

  #kept(after: number): JournalEntry[] {
    return this.entries.filter(({ position }) => position > after && position >= this.#first);
  }
}

function envelopeOf(n: number, type: string, data: Envelope['data']): Envelope {
  return {
    id: `evt_${n}`,
    type,
    api_version: '2025-11-01',
    created_at: '2026-11-20T12:00:00.000Z',
    workspace_id: 'ws_default',
    resource: { type: 'call', id: 'call_1' },
    sequence: n,
    region: 'local',
    test_mode: false,
    data: { call_id: 'call_1', ...data },
  };
}
