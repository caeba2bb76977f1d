/** A JSON object of which nothing is known yet. */
export type JsonObject = { readonly [key: string]: unknown };

/** The object a text holds, or undefined when it is not JSON or not an object. Never throws. */
export function parseObject(text: string | Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(typeof text === 'string' ? text : asBuffer(text).toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    // Not JSON is an answer, not a failure: the caller refuses it in its own words.
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A string, or a number in decimal, as providers send either (dialects.md §0.4). */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/** A finite number, or a string that holds one. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** The newest of `items`, as many as fit into `bytesMax` of JSON; oldest first, as they came. */
export function newestWithin<T>(items: readonly T[], bytesMax: number): readonly T[] {
  let bytes = 0;
  let from = items.length;
  while (from > 0) {
    bytes += Buffer.byteLength(JSON.stringify(items[from - 1])) + 1;
    if (bytes > bytesMax) break;
    from--;
  }
  return items.slice(from);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
