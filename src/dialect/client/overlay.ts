import { isObject, type JsonObject } from '../../base/json.ts';

/** Objects in objects that are followed; what lies deeper is replaced as a whole. */
const DEPTH_MAX = 16;

/**
 * `over` laid on `base`: objects are merged, anything else is replaced. `null` is a value like any other,
 * since protocols mean something by it.
 */
export function overlay(base: JsonObject, over: JsonObject, depth = 0): JsonObject {
  // `__proto__` would be assigned rather than stored.
  const entries = Object.entries(over).filter(([name]) => name !== '__proto__');
  const merged = entries.map(([name, value]) => {
    const own = base[name];
    const isMerged = isObject(own) && isObject(value) && depth < DEPTH_MAX;
    return [name, isMerged ? overlay(own, value, depth + 1) : value] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}

/** The members that say something. */
export function withoutNulls(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}
