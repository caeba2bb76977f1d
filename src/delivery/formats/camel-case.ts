import { isObject, type JsonObject } from '../../base/json.ts';

// What their owners named: a key in here is data, not a word of ours.
const FOREIGN = ['metadata', 'context'];

/** `action_log` as `actionLog`. */
export function camelCase(name: string): string {
  return name.replaceAll(/(?<=[^_])_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The same object with every key of ours in camel case, however deep; metadata is left as it was given. */
export function inCamelCase(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [
      camelCase(key),
      FOREIGN.includes(key) ? value : valueInCamelCase(value),
    ]),
  );
}

function valueInCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(valueInCamelCase);
  return isObject(value) ? inCamelCase(value) : value;
}
