import { InvariantError } from '../../base/errors.ts';

/** What a statement may be given. */
export type Parameter = string | number | bigint | boolean | null | Uint8Array;

/**
 * What may be bound, and nothing else: `node:sqlite` reads an object in first place as named parameters and
 * writes NULL in silence where a name is missing; `pg` writes an object as JSON, and `undefined` as NULL.
 */
export function requireStorable(parameter: unknown, index: number): Parameter {
  if (parameter === null || typeof parameter === 'string' || typeof parameter === 'bigint') return parameter;
  if (typeof parameter === 'boolean' || parameter instanceof Uint8Array) return parameter;
  if (typeof parameter === 'number' && Number.isFinite(parameter)) return parameter;
  const what = typeof parameter === 'number' ? String(parameter) : typeof parameter;
  throw new InvariantError(`parameter ${index + 1} of a statement is ${what}, which SQL cannot hold`);
}
