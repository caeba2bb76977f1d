import type { JsonObject } from '../../base/json.ts';
import type { VersionedEnvelope } from './payload-versions.ts';

/**
 * VoiceOI, "Custom Webhooks & Event APIs": flat. `event`, `call_id` and `lead_id` come first, then what the
 * envelope knows, then everything of `data` that has no such name.
 */
export function voiceoi(envelope: VersionedEnvelope, previousUndelivered: readonly string[]): JsonObject {
  const { id, type, created_at, resource, data, ...known } = envelope;
  const head = {
    event: type,
    call_id: resource.type === 'call' ? resource.id : (data['call_id'] ?? null),
    lead_id: data['lead_id'] ?? (resource.type === 'lead' ? resource.id : null),
    event_id: id,
    occurred_at: created_at,
    ...known,
    ...(previousUndelivered.length > 0 && { previous_undelivered: previousUndelivered }),
  };
  const resourceId =
    resource.type === 'call' ? {} : { resource_type: resource.type, resource_id: resource.id };
  return { ...head, ...resourceId, ...data, ...head };
}
