import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../../base/json.ts';

// Each reader takes one field of a stranger's arguments: its value, or a refusal that names it. Null is said
// where something was left out, by whoever writes down what was read: it is read as left out.

const TEXT_CHARACTERS_MAX = 1_024;
const OBJECT_BYTES_MAX = 64 * 1_024;

/** Text that is needed. */
export function text(args: JsonObject, field: string): string | Refusal {
  const given = textOf(args[field]);
  if (given !== undefined && given !== '' && given.length <= TEXT_CHARACTERS_MAX) return given;
  return wrong(field, `must be text of 1 to ${TEXT_CHARACTERS_MAX} characters`);
}

/** Text that may be left out. */
export function textOrNull(args: JsonObject, field: string): string | null | Refusal {
  return isLeftOut(args, field) ? null : text(args, field);
}

/** True or false; needed where nothing is said for `otherwise`. */
export function flag(args: JsonObject, field: string, otherwise?: boolean): boolean | Refusal {
  const given = args[field];
  if (given === true || given === 'true') return true;
  if (given === false || given === 'false') return false;
  return isLeftOut(args, field) && otherwise !== undefined
    ? otherwise
    : wrong(field, 'must be true or false');
}

/** A number from `min` to `max`; needed where nothing is said for `otherwise`. */
export function number(
  args: JsonObject,
  field: string,
  min: number,
  max: number,
  otherwise?: number,
): number | Refusal {
  if (isLeftOut(args, field) && otherwise !== undefined) return otherwise;
  const given = numberOf(args[field]);
  if (given !== undefined && given >= min && given <= max) return given;
  return wrong(field, `must be a number from ${min} to ${max}`);
}

/** A number from `min` to `max` that may be left out. */
export function numberOrNull(
  args: JsonObject,
  field: string,
  min: number,
  max: number,
): number | null | Refusal {
  return isLeftOut(args, field) ? null : number(args, field, min, max);
}

/** One of `values`; needed where nothing is said for `otherwise`. */
export function choice<T extends string>(
  args: JsonObject,
  field: string,
  values: readonly T[],
  otherwise?: T,
): T | Refusal {
  if (isLeftOut(args, field) && otherwise !== undefined) return otherwise;
  return values.find((value) => value === args[field]) ?? wrong(field, `must be one of ${values.join(', ')}`);
}

/** One of `values` that may be left out. */
export function choiceOrNull<T extends string>(
  args: JsonObject,
  field: string,
  values: readonly T[],
): T | null | Refusal {
  return isLeftOut(args, field) ? null : choice(args, field, values);
}

/** An object of the asker's own; empty where it was left out. */
export function object(args: JsonObject, field: string): JsonObject | Refusal {
  if (isLeftOut(args, field)) return {};
  const given = args[field];
  if (!isObject(given)) return wrong(field, 'is not an object');
  return JSON.stringify(given).length <= OBJECT_BYTES_MAX
    ? given
    : wrong(field, `is larger than ${OBJECT_BYTES_MAX} bytes`);
}

function isLeftOut(args: JsonObject, field: string): boolean {
  return args[field] === undefined || args[field] === null;
}

// A stranger's own object may look like a refusal; ours are known by identity.
const OURS = new WeakSet<object>();

/** What is wrong with a field. */
export function wrong(field: string, why: string): Refusal {
  const refusal = refuse('invalid_argument', `${field} ${why}`);
  OURS.add(refusal);
  return refusal;
}

/** The first of what was read that is a refusal of ours. */
export function firstRefusal(...values: readonly unknown[]): Refusal | undefined {
  return values.find((value): value is Refusal => isObject(value) && OURS.has(value));
}

/** A value that was looked at and is no refusal. */
export function sure<T>(value: T | Refusal): T {
  return value as T;
}
