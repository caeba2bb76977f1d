import { isSelected } from '../../src/events/catalogue.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type { CommittedEvent, JournalEntry, JournalQuery } from '../../src/events/journal.ts';

/** A journal in memory that tells `published` of every commit, and can forget its beginning. */
export class LiveJournal {
  readonly epoch = 'e1';
  readonly entries: JournalEntry[] = [];
  published: (committed: readonly CommittedEvent[]) => void = () => undefined;
  #first = 1;

  async bounds(): Promise<{ first: number; last: number }> {
    return { first: this.#first, last: this.entries.length };
  }

  async read(query: JournalQuery): Promise<readonly JournalEntry[]> {
    const { after = 0, testMode, types = [], resourceId, limit } = query;
    return this.entries
      .filter(({ position }) => position > after && position >= this.#first)
      .filter(({ envelope }) => envelope.workspace_id === query.workspaceId)
      .filter(({ envelope }) => testMode === undefined || envelope.test_mode === testMode)
      .filter(({ envelope }) => isSelected(envelope.type, types))
      .filter(({ envelope }) => resourceId === undefined || envelope.resource.id === resourceId)
      .slice(0, limit);
  }

  /** Commits one event and tells of it. */
  commit(change: Partial<Envelope> = {}): JournalEntry {
    const position = this.entries.length + 1;
    const entry = { position, envelope: { ...envelopeOf(position), ...change } };
    this.entries.push(entry);
    this.published([{ ...entry, receivedAtMs: 0, decidedAtMs: 0, committedAtMs: 0, deliveries: [] }]);
    return entry;
  }

  /** Forgets everything before `position`. */
  trim(position: number): void {
    this.#first = position;
  }
}

function envelopeOf(n: number): Envelope {
  return {
    id: `evt_${n}`,
    type: 'voice_detected',
    api_version: '2025-11-01',
    created_at: '2026-11-20T12:00:00.000Z',
    workspace_id: 'ws_default',
    resource: { type: 'call', id: 'call_1' },
    sequence: n,
    region: 'local',
    test_mode: false,
    data: { call_id: 'call_1' },
  };
}
