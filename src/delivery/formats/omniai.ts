import type { JsonObject } from '../../base/json.ts';
import { camelCase, inCamelCase } from './camel-case.ts';
import type { VersionedEnvelope } from './payload-versions.ts';

/** OmniAI, "Webhook Payloads": the type, the resource under its own name, the time and the workspace. */
export function omniai(envelope: VersionedEnvelope, previousUndelivered: readonly string[]): JsonObject {
  const { type, resource, created_at, workspace_id, data } = envelope;
  return {
    event: type,
    [camelCase(resource.type)]: { id: resource.id, ...inCamelCase(data) },
    occurredAt: created_at,
    workspaceId: workspace_id,
    ...(previousUndelivered.length > 0 && { previousUndelivered }),
  };
}
