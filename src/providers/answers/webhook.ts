import { parseObject, textOf, isObject, type JsonObject } from '../../base/json.ts';

/** A request of a provider, as it came over HTTP; nothing of it is believed yet. */
export interface Webhook {
  readonly method: string;
  /** Lower-case names; a header that may be repeated is joined by commas. */
  readonly headers: { readonly [name: string]: string | undefined };
  /** The URLs the provider may have called and signed, query included, most likely first. */
  readonly urls: readonly string[];
  /** The query, without its question mark. */
  readonly query: string;
  readonly body: Uint8Array;
}

/** What a request says, flat: names and texts of its query and its body. The body wins. */
export type Fields = { readonly [name: string]: string };

const FIELDS_MAX = 256;
const VALUE_CHARACTERS_MAX = 4_096;

/** The names and values of a form body (application/x-www-form-urlencoded), in its order; of JSON, none. */
export function formOf({ headers, body }: Webhook): readonly (readonly [string, string])[] {
  if (!isForm(headers['content-type'])) return [];
  return [...new URLSearchParams(Buffer.from(body).toString('utf8'))];
}

/** The JSON object of the body; empty where it is none. */
export function jsonOf({ headers, body }: Webhook): JsonObject {
  if (body.length === 0 || isForm(headers['content-type'])) return {};
  return parseObject(body) ?? {};
}

/**
 * Everything that is said on the first level, as text; the first of a name that comes twice. Deeper JSON is
 * left out, and so is what is longer than names and numbers are.
 */
export function fieldsOf(webhook: Webhook): Fields {
  const json = jsonOf(webhook);
  const said = [...formOf(webhook), ...Object.entries(json), ...new URLSearchParams(webhook.query)];
  return flat(said);
}

/** The same of an object within the body. */
export function fieldsWithin(value: unknown): Fields {
  return isObject(value) ? flat(Object.entries(value)) : {};
}

/** What our own address said when we made it: only the query. */
export function queryOf({ query }: Pick<Webhook, 'query'>): Fields {
  return flat([...new URLSearchParams(query)]);
}

function flat(said: readonly (readonly [string, unknown])[]): Fields {
  const fields = new Map<string, string>();
  for (const [name, value] of said) {
    const text = textOf(value);
    if (text === undefined || text.length > VALUE_CHARACTERS_MAX || fields.has(name)) continue;
    if (fields.size >= FIELDS_MAX) break;
    fields.set(name, text);
  }
  // Whatever a stranger calls its fields, none of them is a property of all objects.
  const none: object = Object.create(null);
  return Object.assign(none, Object.fromEntries(fields));
}

function isForm(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('application/x-www-form-urlencoded') === true;
}
