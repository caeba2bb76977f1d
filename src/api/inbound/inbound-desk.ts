import type { SchemaDesk } from '../../records/inbound/schema/schema-desk.ts';
import type { CommittedEvent } from '../../events/journal.ts';

/** What the API asks of those who work for inbound hooks. */
export interface InboundDesk {
  readonly schemas: Pick<SchemaDesk, 'compile' | 'check'>;
  /** Tells everybody of events that a call made, in the very turn of their commit. */
  announce(events: readonly CommittedEvent[]): void;
  /** A call was accepted that asks for something to be done. */
  wake(): void;
}
