import { isObject } from '../../../base/json.ts';
import { depthOf } from '../json-body.ts';

/** A schema is a stranger's too (contract.md §7). */
export const SCHEMA_BYTES_MAX = 65_536;
const SCHEMA_DEPTH_MAX = 48;

const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef'];
const DRAFTS = [
  /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/,
  /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/,
];

/** What is wrong with a schema before anybody compiles it. */
export function faultOfSchema(schema: unknown): string | undefined {
  if (!isObject(schema)) return 'a schema is an object';
  const bytes = Buffer.from(JSON.stringify(schema));
  if (bytes.length > SCHEMA_BYTES_MAX) return `a schema has at most ${SCHEMA_BYTES_MAX} bytes`;
  if (depthOf(bytes) > SCHEMA_DEPTH_MAX) return `a schema is nested at most ${SCHEMA_DEPTH_MAX} deep`;
  const draft = schema['$schema'];
  if (draft !== undefined && !DRAFTS.some((known) => typeof draft === 'string' && known.test(draft))) {
    return '$schema is draft 2020-12, which is the default, or draft-07';
  }
  return faultWithin(schema);
}

/** Whether the schema is of draft-07, not of 2020-12. */
export function isDraft07(schema: object): boolean {
  return DRAFTS[1]!.test(String((schema as { $schema?: unknown }).$schema));
}

function faultWithin(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    for (const inner of value) {
      const fault = faultWithin(inner);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (!isObject(value)) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    // Nobody fetches what a stranger names: a reference stays within its own schema.
    if (REFERENCES.includes(name) && typeof inner === 'string' && !inner.startsWith('#')) {
      return `${name} ${inner.slice(0, 128)} leads out of the schema; only # and what follows it does not`;
    }
    const fault = faultWithin(inner);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
