import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { API_VERSION, type EventRecord } from '../../events/envelope.ts';
import type { StoredAgent } from './agent-desk.ts';

/** `agent.published` (contract.md §5.3): which agent, how often published now, and nothing of its terms. */
export function publishedEvent(
  { id, workspaceId, testMode, draft }: StoredAgent,
  at: { readonly clock: Clock; readonly region: string },
  { version, sequence }: { readonly version: number; readonly sequence: number },
): EventRecord {
  const nowMs = at.clock.nowMs();
  const published_at = new Date(at.clock.unixMs()).toISOString();
  return {
    envelope: {
      id: newId('evt', at.clock),
      type: 'agent.published',
      api_version: API_VERSION,
      created_at: published_at,
      workspace_id: workspaceId,
      resource: { type: 'agent', id },
      sequence,
      region: at.region,
      test_mode: testMode,
      data: { agent_id: id, name: draft.name, version, published_at },
    },
    stamps: { receivedAtMs: nowMs, decidedAtMs: nowMs },
  };
}
