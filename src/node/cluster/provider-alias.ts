import { textOf } from '../../base/json.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { CallFacts } from '../../call/facts.ts';
import type { ProviderName } from '../../call/provider/provider-calls.ts';
import type { Arrival } from '../../gateway/arrivals.ts';

/** What a provider's stream says of the call it is of; undefined where that is no proof of anything. */
export function providerNameOf({ caller, started }: Arrival): ProviderName | undefined {
  const { workspaceId, credentialId = null, callId } = caller;
  const { providerCallId, bidirectional } = started;
  if (callId !== null || credentialId === null || providerCallId === null || !bidirectional) return undefined;
  return { workspaceId, credentialId, providerCallId };
}

/** As the registry finds a call by its provider's name; undefined where it has none. */
export function aliasOfCall({ workspaceId, credentialId = null, metadata }: CallFacts): string | undefined {
  const providerCallId = textOf(metadata['provider_call_id']);
  if (credentialId === null || providerCallId === undefined) return undefined;
  return aliasOf({ workspaceId, credentialId, providerCallId });
}

/** Of one length, whatever characters and however many a provider's name has. */
export function aliasOf({ workspaceId, credentialId, providerCallId }: ProviderName): string {
  return sha256Hex(JSON.stringify([workspaceId, credentialId, providerCallId]));
}
