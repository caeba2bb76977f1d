import { refuse, type Refusal } from '../../base/errors.ts';
import type { Endpoint } from '../outbox.ts';
import type { HookRequest } from './sender.ts';
import { sign } from './signature.ts';

const VALUE_BYTES_MAX = 4_096;
const HEADERS_MAX = 32;
// Those the connection or we ourselves own; an endpoint that set them could smuggle a request or forge ours.
const OWNED = new Set(
  'host connection keep-alive te trailer transfer-encoding upgrade user-agent accept-encoding expect'.split(
    ' ',
  ),
);
const OWNED_PREFIXES = ['content-', 'proxy-', 'webhook-', 'x-omniflow-'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// Printable Latin-1 and the tab (RFC 9110 §5.5): no CR, no LF, no NUL.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** What is wrong with an endpoint's custom headers; undefined when nothing is. */
export function checkHeaders(headers: Endpoint['headers']): Refusal | undefined {
  const names = Object.keys(headers);
  if (names.length > HEADERS_MAX) return refuse('invalid_argument', `more than ${HEADERS_MAX} headers`);
  const wrong = names.find((name) => !isOwn(name, headers[name] ?? ''));
  return wrong === undefined ? undefined : refuse('invalid_argument', `the header ${wrong} cannot be set`);
}

/** All headers of one attempt, signed for its second. */
export function requestHeaders(
  { endpoint, deliveryId, envelope }: HookRequest,
  body: Uint8Array,
  nowUnixMs: number,
  userAgent: string,
): { readonly [name: string]: string } {
  const timestampS = Math.floor(nowUnixMs / 1000);
  return {
    ...customHeaders(endpoint),
    'content-type': 'application/json',
    'user-agent': userAgent,
    // What the response log keeps is bounded before, not after, unpacking.
    'accept-encoding': 'identity',
    'webhook-id': envelope.id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': sign(endpoint.secrets, envelope.id, timestampS, body),
    'x-omniflow-event': envelope.type,
    'x-omniflow-delivery': deliveryId,
  };
}

/** The headers as the attempt log may show them: custom ones may hold secrets. */
export function maskedHeaders(
  headers: { readonly [name: string]: string },
  endpoint: Endpoint,
): { readonly [name: string]: string } {
  const masked = Object.keys(customHeaders(endpoint)).map((name) => [name, '***']);
  return { ...headers, ...Object.fromEntries(masked) };
}

function customHeaders({ headers }: Endpoint): { readonly [name: string]: string } {
  const own = Object.entries(headers).filter(([name, value]) => isOwn(name, value));
  return Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), value]));
}

function isOwn(name: string, value: string): boolean {
  const lower = name.toLowerCase();
  if (!TOKEN.test(name) || !VALUE.test(value) || value.length > VALUE_BYTES_MAX) return false;
  return !OWNED.has(lower) && !OWNED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}
