import { refuse, type Refusal } from '../../base/errors.ts';
import type { Endpoint, SigningKeys } from '../outbox.ts';
import { publishedSignatures } from './published-signatures.ts';
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
const OWNED_PREFIXES = ['content-', 'proxy-', 'webhook-', 'svix-', 'x-omniflow-', 'x-voiceoi-'];
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// Printable Latin-1 and the tab (RFC 9110 §5.5): no CR, no LF, no NUL.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const MASK = '***';

/** What is wrong with an endpoint's custom headers; undefined when nothing is. */
export function checkHeaders(headers: Endpoint['headers']): Refusal | undefined {
  const names = Object.keys(headers);
  if (names.length > HEADERS_MAX) return refuse('invalid_argument', `more than ${HEADERS_MAX} headers`);
  const wrong = names.find((name) => !isOwn(name, headers[name] ?? ''));
  return wrong === undefined ? undefined : refuse('invalid_argument', `the header ${wrong} cannot be set`);
}

/** What is wrong with the header that is to carry the shared secret; undefined when nothing is. */
export function checkSecretHeader(name: string, headers: Endpoint['headers']): Refusal | undefined {
  const isTaken = Object.keys(headers).some((other) => other.toLowerCase() === name.toLowerCase());
  if (isOwn(name, '') && !isTaken) return undefined;
  return refuse('invalid_argument', `the header ${name} cannot carry the secret`);
}

/** All headers of one attempt, signed for its second; `authorization` is what the endpoint's auth came to. */
export function requestHeaders(
  { endpoint, deliveryId, envelope, number }: HookRequest,
  body: Uint8Array,
  nowUnixMs: number,
  { userAgent, authorization }: { readonly userAgent: string; readonly authorization: string | undefined },
): { readonly [name: string]: string } {
  const timestamp = String(Math.floor(nowUnixMs / 1000));
  const retiring = endpoint.retiringKeys.filter(({ untilUnixMs }) => untilUnixMs > nowUnixMs);
  return {
    ...customHeaders(endpoint),
    ...(authorization !== undefined && { authorization }),
    'content-type': 'application/json',
    'user-agent': userAgent,
    // What the response log keeps is bounded before, not after, unpacking.
    'accept-encoding': 'identity',
    'webhook-id': envelope.id,
    'webhook-timestamp': timestamp,
    'webhook-signature': sign(signersOf(endpoint, retiring), envelope.id, Number(timestamp), body),
    'x-omniflow-event': envelope.type,
    'x-omniflow-delivery': deliveryId,
    'x-omniflow-timestamp': timestamp,
    'x-omniflow-version': endpoint.apiVersion,
    'x-omniflow-sequence': String(envelope.sequence),
    'x-omniflow-attempt': String(number),
    ...publishedSignatures(endpoint, retiring[0], body),
  };
}

/** The headers as the attempt log may show them: signatures stay, whatever may be a secret does not. */
export function maskedHeaders(
  headers: { readonly [name: string]: string },
  endpoint: Endpoint,
): { readonly [name: string]: string } {
  const { secretHeader } = endpoint.signatures;
  const secret = new Set([
    ...Object.keys(customHeaders(endpoint)),
    'authorization',
    secretHeader?.toLowerCase(),
  ]);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, secret.has(name) ? MASK : value]),
  );
}

/** Symmetric keys first: some verifiers look at the first entries only. */
function signersOf({ keys, signatures }: Endpoint, retiring: readonly SigningKeys[]): readonly string[] {
  const all = [keys, ...retiring];
  const symmetric = all.map((live) => live.symmetric);
  if (!signatures.ed25519) return symmetric;
  return [...symmetric, ...all.flatMap(({ asymmetric }) => asymmetric ?? [])];
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
