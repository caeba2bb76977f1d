import { parentPort } from 'node:worker_threads';
import { Ajv } from 'ajv';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { invariant, messageOf } from '../../../base/errors.ts';
import { isDraft07 } from './schema-rules.ts';

/** One thing to do: the schema comes along where the worker may not have it, the body where there is one. */
export interface SchemaJob {
  readonly key: string;
  readonly schema: string | null;
  readonly body: string | null;
}

/** What came of it; `unknown`: the schema is not here, send it along. */
export type SchemaReply =
  | { readonly type: 'valid' }
  | { readonly type: 'invalid'; readonly path: string; readonly message: string }
  | { readonly type: 'broken'; readonly detail: string }
  | { readonly type: 'unknown' };

const COMPILED_MAX = 200;
const MESSAGE_CHARACTERS_MAX = 256;

const port = parentPort;
invariant(port !== null, 'schemas are applied in a worker thread');
const compiled = new Map<string, ValidateFunction>();

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
port.on('message', (job: SchemaJob) => port.postMessage(apply(job)));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread is no window
port.postMessage('ready');

function apply({ key, schema, body }: SchemaJob): SchemaReply {
  try {
    const validate = schema === null ? compiled.get(key) : compile(key, schema);
    if (validate === undefined) return { type: 'unknown' };
    if (body === null || validate(JSON.parse(body))) return { type: 'valid' };
    const [error] = validate.errors ?? [];
    return {
      type: 'invalid',
      path: clipped(error?.instancePath ?? ''),
      message: clipped(error?.message ?? 'is not valid'),
    };
  } catch (error) {
    // A schema that calls itself without end, or that does not compile: its own fault, said in its words.
    return { type: 'broken', detail: clipped(messageOf(error)) };
  }
}

function compile(key: string, text: string): ValidateFunction {
  const schema = JSON.parse(text) as object;
  // Unknown words are annotations, and so are formats (JSON Schema 2020-12, core §6.5, validation §7.2.1).
  const options = { strict: false, validateFormats: false, logger: false } as const;
  // One of its own for each: schemas of strangers may claim the same `$id`.
  const ajv = isDraft07(schema) ? new Ajv(options) : new Ajv2020(options);
  const validate = ajv.compile(schema);
  compiled.delete(key);
  compiled.set(key, validate);
  const [oldest] = compiled.keys();
  if (compiled.size > COMPILED_MAX && oldest !== undefined) compiled.delete(oldest);
  return validate;
}

function clipped(text: string): string {
  return text.slice(0, MESSAGE_CHARACTERS_MAX);
}
