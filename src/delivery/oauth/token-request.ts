import * as oauth from 'oauth4webapi';
import { Agent, fetch } from 'undici';
import type { Clock } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { KIB } from '../../base/units.ts';
import type { EndpointAuth } from '../outbox.ts';
import { guardedConnector, type NameResolver } from '../wire/connector.ts';
import { checkUrl, type EgressAllow } from '../wire/guard.ts';

/** How an endpoint wants to be proved to by OAuth2 client credentials (RFC 6749 §4.4). */
export type OAuth2 = Extract<EndpointAuth, { kind: 'oauth2' }>;

/** A token, and how long its issuer lets it live. */
export interface IssuedToken {
  readonly value: string;
  readonly ttlMs: number;
}

/** Asks a token endpoint; throws when there is no token to be had. */
export type TokenRequest = (auth: OAuth2) => Promise<IssuedToken>;

export interface TokenRequestOptions {
  readonly clock: Clock;
  readonly allow: EgressAllow;
  readonly resolver: NameResolver;
  readonly userAgent: string;
  readonly ca?: string;
}

const TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_BYTES_MAX = 64 * KIB;
// RFC 6749 §5.1 leaves `expires_in` out at will.
const TTL_MS_DEFAULT = 3_600_000;
const ERROR_CODE = /^[\w.-]{1,64}$/;

/** Requests over sockets that the guard of hooks opens: a token URL is as much a stranger's as a hook's. */
export function openTokenRequest(options: TokenRequestOptions): {
  readonly request: TokenRequest;
  readonly close: () => Promise<void>;
} {
  const { clock, allow, resolver, ca } = options;
  const trust = ca === undefined ? {} : { ca };
  const connect = guardedConnector({ allow, resolver, clock, timeoutMs: CONNECT_TIMEOUT_MS, ...trust });
  const agent = new Agent({ connect, connections: 4, maxResponseSize: ANSWER_BYTES_MAX });
  const request: TokenRequest = (auth) => withTimeout(clock, (signal) => ask(auth, options, agent, signal));
  return { request, close: () => agent.destroy() };
}

async function ask(
  auth: OAuth2,
  { allow, userAgent }: TokenRequestOptions,
  agent: Agent,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const url = checkUrl(auth.tokenUrl, allow);
  if (!(url instanceof URL)) throw new VoiceError(url.fault, url.detail);
  const server: oauth.AuthorizationServer = { issuer: url.origin, token_endpoint: url.href };
  const client: oauth.Client = { client_id: auth.clientId };
  const secret =
    auth.clientAuth === 'basic'
      ? oauth.ClientSecretBasic(auth.clientSecret)
      : oauth.ClientSecretPost(auth.clientSecret);
  const wishes = {
    ...(auth.scope === null ? {} : { scope: auth.scope }),
    ...(auth.audience === null ? {} : { audience: auth.audience }),
  };
  try {
    const response = await oauth.clientCredentialsGrantRequest(server, client, secret, wishes, {
      signal,
      headers: { 'user-agent': userAgent },
      [oauth.allowInsecureRequests]: url.protocol === 'http:',
      [oauth.customFetch]: fetchOver(agent),
    });
    const { access_token: value, expires_in: ttlS } = await oauth.processClientCredentialsResponse(
      server,
      client,
      response,
    );
    return { value, ttlMs: ttlS === undefined ? TTL_MS_DEFAULT : ttlS * 1000 };
  } catch (error) {
    throw new VoiceError('unavailable', wordsOf(error));
  }
}

type Fetch = (url: string, init: oauth.CustomFetchOptions<'POST', URLSearchParams>) => Promise<Response>;

function fetchOver(dispatcher: Agent): Fetch {
  // undici's own fetch, of the version whose agent this is; its types are not those of the platform.
  return async (url: string, init: object) => fetch(url, { ...init, dispatcher });
}

/** Why there is no token, in words that hold none of the stranger's: an issuer may echo what it was sent. */
function wordsOf(error: unknown): string {
  if (error instanceof oauth.ResponseBodyError) {
    const code = ERROR_CODE.test(error.error) ? error.error : 'an error';
    return `the token endpoint answered ${error.status} ${code}`;
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError) {
    return `the token endpoint answered ${error.status}`;
  }
  if (error instanceof oauth.OperationProcessingError) {
    return 'the token endpoint answered with something that is no token';
  }
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return `the token endpoint was not reached: ${messageOf(cause)}`;
}

async function withTimeout<T>(clock: Clock, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const cancel = clock.after(TIMEOUT_MS, () => controller.abort(new Error('no answer in time')));
  try {
    return await run(controller.signal);
  } finally {
    cancel();
  }
}
