import type { Insertable } from 'kysely';
import { textOf } from '../../base/json.ts';
import type { Envelope } from '../../events/envelope.ts';
import type { DeliveriesTable, EventsTable } from '../schema.ts';

/** The row of an event. */
export function eventRow(position: number, envelope: Envelope, nowUnixMs: number): Insertable<EventsTable> {
  return {
    position,
    workspace_id: envelope.workspace_id,
    test_mode: envelope.test_mode,
    resource_id: envelope.resource.id,
    sequence: envelope.sequence,
    type: envelope.type,
    agent_id: textOf(envelope.data['agent_id']) ?? null,
    committed_unix_ms: nowUnixMs,
    body: JSON.stringify(envelope),
  };
}

/** The row of a delivery that is owed from now on. */
export function owed(
  id: string,
  endpointId: string,
  position: number,
  testMode: boolean,
  nowUnixMs: number,
): Insertable<DeliveriesTable> {
  return {
    id,
    endpoint_id: endpointId,
    event_position: position,
    test_mode: testMode,
    state: 'pending',
    attempts: 0,
    next_attempt_unix_ms: null,
    last_status: null,
    last_error: null,
    created_unix_ms: nowUnixMs,
    settled_unix_ms: null,
  };
}
