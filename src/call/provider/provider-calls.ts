import { textOf } from '../../base/json.ts';
import type { CallFacts } from '../facts.ts';

/** A telephone call as the stream of a provider names it. */
export interface ProviderName {
  readonly workspaceId: string;
  /** A provider's names are believed only of the credential they came with. */
  readonly credentialId: string;
  readonly providerCallId: string;
}

/**
 * Calls by their provider's name for them: a provider that streams the same call again finds its leg without
 * a token. As many as there are calls.
 */
export class ProviderCalls<C extends { readonly facts: CallFacts }> {
  readonly #calls = new Map<string, C>();

  get(name: ProviderName): C | undefined {
    return this.#calls.get(keyOf(name));
  }

  /** Where two calls have one name the older one keeps it. */
  add(call: C): void {
    const key = keyOfCall(call);
    if (key !== undefined && !this.#calls.has(key)) this.#calls.set(key, call);
  }

  remove(call: C): void {
    const key = keyOfCall(call);
    if (key !== undefined && this.#calls.get(key) === call) this.#calls.delete(key);
  }
}

function keyOfCall({ facts }: { readonly facts: CallFacts }): string | undefined {
  const { workspaceId, credentialId = null, metadata } = facts;
  const providerCallId = textOf(metadata['provider_call_id']);
  if (credentialId === null || providerCallId === undefined) return undefined;
  return keyOf({ workspaceId, credentialId, providerCallId });
}

// A name may hold any character: nothing joins three of them without a doubt but a list.
function keyOf({ workspaceId, credentialId, providerCallId }: ProviderName): string {
  return JSON.stringify([workspaceId, credentialId, providerCallId]);
}
