import type { JsonObject } from '../../base/json.ts';
import { isRefusal, parametersOf, type Parameters } from '../fields.ts';

/** What a call knows by itself; the rest is metadata. Kept where there is more than can be kept. */
const KNOWN = ['from', 'to', 'direction', 'lead_id', 'contact_id', 'conversation_id'];

/**
 * Parameters out of an object that holds whatever the user of the provider put there, and the provider
 * itself. Objects and lists become JSON; what cannot be kept is left out, for a call is worth more than its
 * metadata.
 */
export function flatParametersOf(given: JsonObject, except: readonly string[] = []): Parameters {
  const kept = Object.entries(given).flatMap(([name, value]) => {
    if (except.includes(name)) return [];
    const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
    const one = parametersOf({ [name]: text }, 'protocol_violation');
    return isRefusal(one) ? [] : Object.entries(one);
  });
  const all = parametersOf(Object.fromEntries(kept), 'protocol_violation');
  if (!isRefusal(all)) return all;
  return Object.fromEntries(kept.filter(([name]) => KNOWN.includes(name)));
}
