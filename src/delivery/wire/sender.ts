import { Pool } from 'undici';
import type { AtMs, Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { Envelope } from '../../events/envelope.ts';
import { Payloads, type Payload } from '../formats/payload.ts';
import type { Authorization, Authorizer } from './authorizer.ts';
import { NO_CONNECT } from './connect-timings.ts';
import { guardedConnector, type NameResolver } from './connector.ts';
import { exchange, type ExchangeResult, type WireRequest } from './exchange.ts';
import { EgressBlocked, type EgressAllow } from './guard.ts';
import type { Attempt, AttemptTrigger, Endpoint, ErrorClass } from '../outbox.ts';
import { maskedHeaders, requestHeaders } from './request-headers.ts';
import { ResolveError } from './resolver.ts';
import { parseRetryAfter } from '../schedule.ts';

/** One event to be told to one endpoint, now. */
export interface HookRequest {
  readonly endpoint: Endpoint;
  readonly deliveryId: string;
  /** From 1. */
  readonly number: number;
  readonly trigger: AttemptTrigger;
  readonly envelope: Envelope;
  /** Events of the same resource that were given up, or stepped aside, and that the payload names. */
  readonly previousUndelivered?: readonly string[];
  /** What an earlier attempt sent: sent again, whatever a release makes of the envelope meanwhile. */
  readonly body?: string | null;
}

/** An attempt, and what only the lanes and the latency budget need to know of it. */
export interface SendResult {
  readonly attempt: Attempt;
  readonly body: Buffer;
  /** What a 429 or 503 asked for; null when it did not ask. */
  readonly retryAfterMs: number | null;
  readonly startedAtMs: AtMs;
  readonly sentAtMs: AtMs | null;
  readonly firstByteAtMs: AtMs | null;
  readonly doneAtMs: AtMs;
}

/** Counted since the start; `pools` is as of now. */
export interface SenderStats {
  attempts: number;
  /** Requests repeated because their idle connection had been closed under them. */
  staleSockets: number;
  pools: number;
}

/** Makes attempts. Never throws: what goes wrong is what the attempt says. */
export interface Sender {
  readonly stats: SenderStats;
  send(request: HookRequest): Promise<SendResult>;
  /** Lets go of the connections of an endpoint that is gone or moved. */
  forget(endpointId: string): void;
  close(): Promise<void>;
}

export interface HttpSenderOptions {
  readonly clock: Clock;
  readonly allow: EgressAllow;
  readonly resolver: NameResolver;
  readonly userAgent: string;
  /** Without one, endpoints that want OAuth2 are not sent to. */
  readonly authorizer?: Authorizer;
  readonly connectTimeoutMs?: number;
  readonly ca?: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
// Some answer 403 to a token that is over (delivery.md §3.9).
const TOKEN_REFUSED = [401, 403, 407];
const CONNECTIONS_MAX = 32;
// Long enough that a call's next event finds its socket warm; the server's own Keep-Alive hint shortens it.
const KEEP_ALIVE_MS = 30_000;

interface EndpointPool {
  readonly origin: string;
  readonly pool: Pool;
}

/** Attempts over HTTP: a pool of its own for each endpoint, so that nobody waits for another's sockets. */
export class HttpSender implements Sender {
  readonly stats: SenderStats = { attempts: 0, staleSockets: 0, pools: 0 };
  readonly #options: HttpSenderOptions;
  readonly #pools = new Map<string, EndpointPool>();
  readonly #payloads = new Payloads();

  constructor(options: HttpSenderOptions) {
    this.#options = options;
  }

  async send(request: HookRequest): Promise<SendResult> {
    const { clock } = this.#options;
    this.stats.attempts++;
    const startedAtMs = clock.nowMs();
    const startedUnixMs = clock.unixMs();
    const { endpoint } = request;
    const payload = this.#payloads.of(request);
    const { headers, result } = await this.#tryWithAuth(request, payload, startedUnixMs);
    const failure = failureOf(result, endpoint.success);
    const { sentAtMs, firstByteAtMs, doneAtMs, connect } = result;
    const attempt: Attempt = {
      id: newId('att', clock),
      deliveryId: request.deliveryId,
      number: request.number,
      trigger: request.trigger,
      startedAt: new Date(startedUnixMs).toISOString(),
      durationMs: doneAtMs - startedAtMs,
      timings: { ...connect, ttfbMs: firstByteAtMs === null ? null : firstByteAtMs - startedAtMs },
      url: endpoint.url.replace(/[?#].*$/s, ''),
      bodyRef: payload.ref,
      bodyBytes: payload.body.length,
      requestHeaders: maskedHeaders(headers, endpoint),
      resolvedAddress: result.resolvedAddress,
      status: result.status,
      responseHeaders: result.headers,
      responseBody: result.body,
      responseTruncated: result.isTruncated,
      errorClass: failure?.errorClass ?? null,
      errorDetail: failure?.detail ?? null,
    };
    const retryAfterMs = retryAfterOf(result, clock.unixMs());
    return { attempt, body: payload.body, retryAfterMs, startedAtMs, sentAtMs, firstByteAtMs, doneAtMs };
  }

  forget(endpointId: string): void {
    const held = this.#pools.get(endpointId);
    if (held === undefined) return;
    this.#pools.delete(endpointId);
    this.stats.pools = this.#pools.size;
    // What is under way on it may end in its own time.
    void held.pool.close();
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.stats.pools = 0;
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  /** Once; and once more within the attempt, with a new token, where the receiver refused the one we had. */
  async #tryWithAuth(request: HookRequest, { body }: Payload, nowUnixMs: number): Promise<Tried> {
    const { clock, userAgent, authorizer } = this.#options;
    const { endpoint } = request;
    const deadlineAtMs = clock.nowMs() + endpoint.timeoutMs;
    for (let isRenewed = false; ; isRenewed = true) {
      const authorization = await this.#authorizationFor(endpoint);
      if (authorization !== undefined && 'failure' in authorization) {
        const result = unsent(new NotAuthorized(authorization.failure), clock.nowMs());
        return { headers: {}, result };
      }
      const value = authorization?.value;
      const headers = requestHeaders(request, body, nowUnixMs, { userAgent, authorization: value });
      const result = await this.#exchange(endpoint, { headers, body }, deadlineAtMs - clock.nowMs());
      const isRefused = result.failure === null && TOKEN_REFUSED.includes(result.status ?? 0);
      if (!isRefused || value === undefined || endpoint.auth?.kind !== 'oauth2') return { headers, result };
      authorizer?.refused(endpoint, value);
      if (isRenewed || clock.nowMs() >= deadlineAtMs) return { headers, result };
    }
  }

  async #authorizationFor(endpoint: Endpoint): Promise<Authorization | undefined> {
    const { auth } = endpoint;
    if (auth === null) return undefined;
    if (auth.kind === 'basic') {
      const pair = Buffer.from(`${auth.username}:${auth.password}`, 'utf8').toString('base64');
      return { value: `Basic ${pair}` };
    }
    const { authorizer } = this.#options;
    return authorizer?.authorizationFor(endpoint) ?? { failure: 'nobody here asks for tokens' };
  }

  async #exchange(
    endpoint: Endpoint,
    { headers, body }: Pick<WireRequest, 'headers' | 'body'>,
    timeoutMs: number,
  ): Promise<ExchangeResult> {
    const { clock } = this.#options;
    const startedAtMs = clock.nowMs();
    const url = URL.parse(endpoint.url);
    if (url === null || !/^https?:$/.test(url.protocol))
      return unsent(new Error('not an HTTP URL'), startedAtMs);
    const request = { path: `${url.pathname}${url.search}`, headers, body };
    const pool = this.#poolOf(endpoint.id, url.origin);
    const first = await exchange(pool, request, timeoutMs, clock);
    const leftMs = timeoutMs - (clock.nowMs() - startedAtMs);
    if (!first.isStaleSocket || leftMs <= 0) return first;
    // The server closed an idle connection at the moment we used it. POST is not repeated by undici; we may,
    // once and within the same attempt, since receivers know an event by its id.
    this.stats.staleSockets++;
    return exchange(pool, request, leftMs, clock);
  }

  #poolOf(endpointId: string, origin: string): Pool {
    const held = this.#pools.get(endpointId);
    if (held?.origin === origin) return held.pool;
    this.forget(endpointId);
    const { allow, resolver, clock, ca, connectTimeoutMs: timeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const pool = new Pool(origin, {
      connections: CONNECTIONS_MAX,
      pipelining: 1,
      connect: guardedConnector({ allow, resolver, clock, timeoutMs, ...(ca === undefined ? {} : { ca }) }),
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    this.#pools.set(endpointId, { origin, pool });
    this.stats.pools = this.#pools.size;
    return pool;
  }
}

/** There was no token: nothing was sent. */
class NotAuthorized extends Error {
  override readonly name = 'NotAuthorized';
}

interface Tried {
  readonly headers: WireRequest['headers'];
  readonly result: ExchangeResult;
}

function unsent(failure: Error, doneAtMs: AtMs): ExchangeResult {
  const nothing = { sentAtMs: null, firstByteAtMs: null, resolvedAddress: null, status: null };
  const answer = { headers: {}, body: '', isTruncated: false, connect: NO_CONNECT };
  return { ...nothing, ...answer, doneAtMs, failure, isStaleSocket: false };
}

interface Failure {
  readonly errorClass: ErrorClass;
  readonly detail: string;
}

function failureOf(result: ExchangeResult, success: Endpoint['success']): Failure | null {
  const { failure, status } = result;
  if (failure === 'timeout') {
    const errorClass = result.sentAtMs === null ? 'timeout_connect' : 'timeout_response';
    return { errorClass, detail: 'the time allowed was over' };
  }
  if (failure !== null) return { errorClass: classOfError(failure), detail: describe(failure) };
  if (status === null) return { errorClass: 'other', detail: 'no status' };
  if (status === 200 || (success === '2xx' && status >= 200 && status < 300)) return null;
  return { errorClass: classOfStatus(status), detail: `HTTP ${status}` };
}

function classOfStatus(status: number): ErrorClass {
  if (status >= 300 && status < 400) return 'redirect';
  if (status >= 400 && status < 500) return 'http_4xx';
  return status >= 500 && status < 600 ? 'http_5xx' : 'http_other';
}

const CLASSES: { readonly [code: string]: ErrorClass } = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  ETIMEDOUT: 'timeout_connect',
  UND_ERR_CONNECT_TIMEOUT: 'timeout_connect',
  EPROTO: 'tls_error',
};
// OpenSSL's verdicts on certificates carry no common prefix; these are the words they are made of.
const TLS_CODE =
  /^(?:ERR_TLS|ERR_SSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA)/;

function classOfError(error: Error): ErrorClass {
  if (error instanceof EgressBlocked) return 'blocked';
  if (error instanceof ResolveError) return 'dns_error';
  if (error instanceof NotAuthorized) return 'auth_error';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (TLS_CODE.test(code)) return 'tls_error';
  return CLASSES[code] ?? 'other';
}

function describe(error: Error): string {
  // Happy eyeballs fails with one error per address and no message of its own.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error.message;
}

function retryAfterOf({ status, headers }: ExchangeResult, nowUnixMs: number): number | null {
  if (status !== 429 && status !== 503) return null;
  return parseRetryAfter(headers['retry-after'], nowUnixMs) ?? null;
}
