import type { IncomingMessage } from 'node:http';
import { refuse } from '../../base/errors.ts';
import type { HttpRefusal } from './http-answers.ts';

/** What somebody at the door shows. */
export type Proof =
  | { readonly type: 'credential'; readonly secret: string }
  | { readonly type: 'session'; readonly token: string }
  | { readonly type: 'resume'; readonly token: string };

/** An upgrade as it was asked for; nothing of it is believed yet. */
export interface UpgradeRequest {
  readonly dialectName: string;
  readonly proof: Proof | undefined;
  /** The subprotocols offered, without the token that may stand among them. */
  readonly subprotocols: readonly string[];
  /** The token, where it was offered as a subprotocol (a browser can send no header). */
  readonly offeredToken: string | undefined;
}

// A JSON object in base64url begins `eyJ`. Three parts are a JWT, two a resume token; `audio.jambonz.org` is
// neither.
const SESSION_TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/;
const RESUME_TOKEN = /^eyJ[\w-]*\.[\w-]+$/;
// RFC 6455 §4.1: sixteen bytes in base64.
const WEBSOCKET_KEY = /^[+/0-9A-Za-z]{22}==$/;
const WEBSOCKET_VERSIONS = ['13', '8'];
// RFC 9110 §5.6.2
const HTTP_TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/** Reads method, path (`/media/{dialect}/{secret?}` or `…/r/{resume token}`) and WebSocket headers. */
export function readUpgrade(request: IncomingMessage): UpgradeRequest | HttpRefusal {
  const path = pathOf(request);
  const media = /^\/media\/([\w-]+)(?:\/(r\/)?([^/]*))?\/?$/.exec(path);
  if (media === null) return refuse('not_found', 'no such path on the media port');
  const malformed = refuseMalformed(request);
  if (malformed !== undefined) return malformed;
  const offered = offeredSubprotocols(request);
  if (offered === undefined)
    return refuse('invalid_argument', 'Sec-WebSocket-Protocol is not a list of tokens');
  const [, dialectName, resumeMark, secret = ''] = media;
  const offeredToken = offered.find((name) => SESSION_TOKEN.test(name) || RESUME_TOKEN.test(name));
  return {
    dialectName: dialectName!,
    proof: proofOf(secret, resumeMark !== undefined, offeredToken),
    subprotocols: offered.filter((name) => name !== offeredToken),
    offeredToken,
  };
}

export function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '';
  const queryAt = target.indexOf('?');
  return queryAt < 0 ? target : target.slice(0, queryAt);
}

function refuseMalformed(request: IncomingMessage): HttpRefusal | undefined {
  if (request.method !== 'GET') {
    const refusal = refuse('invalid_argument', 'a WebSocket upgrade is a GET');
    return { ...refusal, httpStatus: 405, headers: { Allow: 'GET' } };
  }
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    return refuse('invalid_argument', 'this path takes a WebSocket upgrade');
  }
  if (!WEBSOCKET_KEY.test(request.headers['sec-websocket-key'] ?? '')) {
    return refuse('invalid_argument', 'Sec-WebSocket-Key is missing or malformed');
  }
  if (WEBSOCKET_VERSIONS.includes(request.headers['sec-websocket-version'] ?? '')) return undefined;
  const refusal = refuse('invalid_argument', 'Sec-WebSocket-Version is not one we speak');
  return { ...refusal, headers: { 'Sec-WebSocket-Version': WEBSOCKET_VERSIONS.join(', ') } };
}

function offeredSubprotocols(request: IncomingMessage): readonly string[] | undefined {
  const header = request.headers['sec-websocket-protocol'];
  if (header === undefined) return [];
  const names = header.split(',').map((name) => name.trim());
  // RFC 6455 §4.1 (10): each a token, none of them twice.
  const isList = names.every((name) => HTTP_TOKEN.test(name)) && new Set(names).size === names.length;
  return isList ? names : undefined;
}

function proofOf(secret: string, isResume: boolean, offeredToken: string | undefined): Proof | undefined {
  if (isResume) return { type: 'resume', token: secret };
  if (secret !== '') {
    return SESSION_TOKEN.test(secret) ? { type: 'session', token: secret } : { type: 'credential', secret };
  }
  if (offeredToken === undefined) return undefined;
  return { type: SESSION_TOKEN.test(offeredToken) ? 'session' : 'resume', token: offeredToken };
}
