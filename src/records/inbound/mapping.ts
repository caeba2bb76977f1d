import type { JsonObject } from '../../base/json.ts';
import { pointerOf, valueAt } from './pointer.ts';

/** Where a field's value comes from: the body, a default where the body has none, or fixed. */
export interface MappedField {
  readonly pointer?: string;
  readonly default?: unknown;
  readonly value?: unknown;
}

/** Fields by name; a dot makes a member of an object: `target.type`. */
export type Mapping = { readonly [field: string]: MappedField };

const FIELD = /^[a-z][a-z0-9_]{0,63}(?:\.[a-z][a-z0-9_]{0,63}){0,3}$/i;
const POLLUTING = /(?:^|\.)(?:constructor|prototype)(?:\.|$)/;

/** What is wrong with a mapping: the field, and why. */
export interface MappingFault {
  readonly field: string;
  readonly detail: string;
}

/** The first fault of a mapping somebody wishes for. */
export function faultOf(mapping: Mapping): MappingFault | undefined {
  for (const [field, { pointer, value, default: otherwise }] of Object.entries(mapping)) {
    const detail = wrongName(field, mapping) ?? wrongSource(pointer, value, otherwise);
    if (detail !== undefined) return { field, detail };
  }
  return undefined;
}

function wrongName(field: string, mapping: Mapping): string | undefined {
  if (!FIELD.test(field) || POLLUTING.test(field)) {
    return 'a field is named by letters, digits and _, up to four parts joined by dots';
  }
  const around = Object.keys(mapping).find((other) => field.startsWith(`${other}.`));
  return around === undefined ? undefined : `${around} is a field of its own`;
}

function wrongSource(pointer: string | undefined, value: unknown, otherwise: unknown): string | undefined {
  if ((pointer === undefined) === (value === undefined)) return 'has either a pointer or a value';
  if (value !== undefined && otherwise !== undefined) return 'with a fixed value there is no default';
  if (pointer !== undefined && pointerOf(pointer) === undefined) return 'is no JSON pointer (RFC 6901)';
  return undefined;
}

/** The fields of a body. One that has neither value nor default is left out. */
export function mapped(mapping: Mapping, body: unknown): JsonObject {
  const fields: Record<string, unknown> = {};
  for (const [name, { pointer, value, default: otherwise }] of Object.entries(mapping)) {
    const steps = pointer === undefined ? undefined : pointerOf(pointer);
    const found = steps === undefined ? value : (valueAt(body, steps) ?? otherwise);
    if (found !== undefined) put(fields, name.split('.'), found);
  }
  return fields;
}

function put(fields: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let inner = fields;
  for (const step of path.slice(0, -1)) inner = (inner[step] ??= {}) as Record<string, unknown>;
  inner[path.at(-1)!] = value;
}
