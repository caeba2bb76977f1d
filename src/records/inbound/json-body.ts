import { refuse, type Refusal } from '../../base/errors.ts';

/** Beyond this no honest sender nests, and whoever walks the value by recursion is safe. */
export const DEPTH_MAX = 32;

/** Names through which a careless copy would reach every object of the process. */
const POLLUTING = new Set(['__proto__', 'constructor', 'prototype']);

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Why a body is not read. */
export type BodyFault = 'notJson' | 'tooDeep' | 'pollutes';

/** The value a body holds, or what is wrong with it. */
export function readJsonBody(
  bytes: Uint8Array,
): { readonly value: unknown } | { readonly fault: BodyFault; readonly refusal: Refusal } {
  // Before it is parsed: what is nested a hundred thousand deep costs more to build than to count.
  if (depthOf(bytes) > DEPTH_MAX) return fault('tooDeep', `the body is nested deeper than ${DEPTH_MAX}`);
  let polluting: string | undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text, (name, inner: unknown) => {
      if (POLLUTING.has(name)) polluting ??= name;
      return inner;
    });
    return polluting === undefined
      ? { value }
      : fault('pollutes', `the body may not have a key ${polluting}`);
  } catch {
    return fault('notJson', 'the body is not JSON in UTF-8');
  }
}

/** How deep brackets nest outside of strings. */
export function depthOf(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let isQuoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (isQuoted && byte === BACKSLASH) at++;
    else if (byte === QUOTE) isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (CLOSING.has(byte)) depth--;
  }
  return deepest;
}

function fault(name: BodyFault, detail: string): { fault: BodyFault; refusal: Refusal } {
  const code = name === 'notJson' ? 'not_json' : 'invalid_argument';
  return { fault: name, refusal: refuse(code, detail) };
}
