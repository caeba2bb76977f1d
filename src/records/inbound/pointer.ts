import { isObject } from '../../base/json.ts';

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** A JSON pointer, taken apart (RFC 6901). */
export type Pointer = readonly string[];

/** The steps of a pointer; undefined where the text is none. `''` is the whole document. */
export function pointerOf(text: string): Pointer | undefined {
  if (!POINTER.test(text)) return undefined;
  return text
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What the pointer leads to; undefined where it leads nowhere. What a value merely inherits is not there. */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  let value = document;
  for (const step of pointer) {
    if (Array.isArray(value)) value = INDEX.test(step) ? value[Number(step)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}
