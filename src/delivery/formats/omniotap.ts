import type { JsonObject } from '../../base/json.ts';
import { inCamelCase } from './camel-case.ts';
import type { VersionedEnvelope } from './payload-versions.ts';

/** OmnioTap, "Webhooks, Payload Structure": who did what to which entity, the entity in camel case. */
export function omniotap(envelope: VersionedEnvelope, previousUndelivered: readonly string[]): JsonObject {
  const { id, workspace_id, created_at, resource, data } = envelope;
  const { entity, action } = deedOf(envelope);
  return {
    event_id: id,
    tenant_id: workspace_id,
    entity_type: entity,
    action,
    occurred_at: created_at,
    data: { id: resource.id, ...inCamelCase(data) },
    ...(previousUndelivered.length > 0 && { previous_undelivered: previousUndelivered }),
  };
}

/** `contact.created` is `created` of a contact, `call_ended` is `ended` of a call; others keep their name. */
function deedOf({ type, resource }: VersionedEnvelope): { readonly entity: string; readonly action: string } {
  const dot = type.indexOf('.');
  if (dot !== -1) return { entity: type.slice(0, dot), action: type.slice(dot + 1) };
  const prefix = `${resource.type}_`;
  return { entity: resource.type, action: type.startsWith(prefix) ? type.slice(prefix.length) : type };
}
