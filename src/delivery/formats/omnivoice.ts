import type { JsonObject } from '../../base/json.ts';
import type { VersionedEnvelope } from './payload-versions.ts';

/** The envelope itself (contract.md §5.1). */
export function omnivoice(envelope: VersionedEnvelope, previousUndelivered: readonly string[]): JsonObject {
  if (previousUndelivered.length === 0) return envelope;
  return { ...envelope, previous_undelivered: previousUndelivered };
}
