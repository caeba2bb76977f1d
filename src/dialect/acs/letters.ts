import { isObject, type JsonObject } from '../../base/json.ts';

/** Objects within objects that any message of this protocol has. */
const DEPTH_MAX = 2;

/** The same message with its keys in small letters: Azure's writers spell them as they like. */
export function smallLetters(message: JsonObject, depth = 0): JsonObject {
  const entries = Object.entries(message).map(([key, value]) => {
    const inner = isObject(value) && depth < DEPTH_MAX ? smallLetters(value, depth + 1) : value;
    return [key.toLowerCase(), inner] as const;
  });
  return Object.fromEntries(entries);
}

/** The kind of a message in small letters; undefined where it has none. */
export function kindOf({ kind }: JsonObject): string | undefined {
  return typeof kind === 'string' ? kind.toLowerCase() : undefined;
}
