import type { JsonObject } from '../../base/json.ts';
import type { VersionedEnvelope } from './payload-versions.ts';

/** Omniflow, "Custom API & Webhooks": id, type, created_at, workspace_id, data. */
export function omniflow(envelope: VersionedEnvelope, previousUndelivered: readonly string[]): JsonObject {
  const { id, type, created_at, workspace_id, data } = envelope;
  return {
    id,
    type,
    created_at,
    workspace_id,
    data,
    ...(previousUndelivered.length > 0 && { previous_undelivered: previousUndelivered }),
  };
}
