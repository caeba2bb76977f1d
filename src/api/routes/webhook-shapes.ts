import { Type, type Static } from 'typebox';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { Attempt as SentAttempt } from '../../delivery/outbox.ts';
import { checkHeaders } from '../../delivery/wire/request-headers.ts';
import { RETRY_POLICY_DEFAULT, retryDelaysMsOf } from '../../delivery/schedule.ts';
import { isValidSecret, newSecret } from '../../delivery/wire/signature.ts';
import { CALL_EVENT_TYPES, isSelected, OPERATOR_EVENT_TYPES } from '../../events/catalogue.ts';
import { API_VERSION } from '../../events/envelope.ts';
import { Nullable } from '../answers.ts';
import type { ApiKey, DeliveryRow, StoredEndpoint } from '../ports.ts';
import { Reference } from './route-context.ts';

const TIMEOUT_MS_DEFAULT = 10_000;
const KNOWN_TYPES: readonly string[] = [...CALL_EVENT_TYPES, ...OPERATOR_EVENT_TYPES];

const Ordering = Type.Unsafe<'strict' | 'none'>({ type: 'string', enum: ['strict', 'none'] });

/** What `POST /webhooks` takes (contract.md §4.1). */
export const EndpointWish = Type.Object(
  {
    url: Type.String({ minLength: 1, maxLength: 2_048 }),
    events: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 100,
      description: 'types, families as in `call.*`, or `*`',
    }),
    secret: Type.Optional(Type.String({ description: '`whsec_` and 24 to 64 bytes in base64' })),
    format: Type.Optional(Type.Literal('omnivoice')),
    ordering: Type.Optional(Ordering),
    retry_policy: Type.Optional(
      Type.Union([Type.String({ maxLength: 16 }), Type.Array(Type.Number(), { minItems: 1, maxItems: 50 })], {
        description: '`24h`, `30m`, `omniai`, or an own list of delays in seconds',
      }),
    ),
    timeout_ms: Type.Optional(Type.Integer({ minimum: 500, maximum: 30_000 })),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    agent_id: Type.Optional(Nullable(Reference)),
    test_mode: Type.Optional(
      Nullable(Type.Boolean({ description: 'null: both modes; absent: the mode of the key' })),
    ),
  },
  { additionalProperties: false },
);

/** An endpoint as the outside sees it. */
export const Endpoint = Type.Object({
  id: Type.String(),
  url: Type.String(),
  events: Type.Array(Type.String()),
  format: Type.String(),
  ordering: Ordering,
  retry_policy: Type.String(),
  retry_delays_s: Type.Array(Type.Number()),
  timeout_ms: Type.Integer(),
  headers: Type.Record(Type.String(), Type.String(), { description: 'names only; values are secrets' }),
  agent_id: Nullable(Type.String()),
  test_mode: Nullable(Type.Boolean()),
  enabled: Type.Boolean(),
  api_version: Type.String(),
  created_at: Type.String(),
});

/** An endpoint just made. */
export const FreshEndpoint = Type.Interface([Endpoint], { secret: Type.String() });

const TextMap = Type.Record(Type.String(), Type.String());

/** One request to an endpoint and what came of it. */
export const Attempt = Type.Object({
  id: Type.String(),
  delivery_id: Type.String(),
  delivered: Type.Boolean(),
  number: Type.Integer(),
  trigger: Type.String(),
  started_at: Type.String(),
  duration_ms: Type.Number(),
  request_headers: TextMap,
  resolved_address: Nullable(Type.String()),
  status: Nullable(Type.Integer()),
  response_headers: TextMap,
  response_body: Type.String(),
  error_class: Nullable(Type.String()),
  error_detail: Nullable(Type.String()),
});

/** One event owed to one endpoint. */
export const Delivery = Type.Object({
  id: Type.String(),
  event_id: Type.String(),
  event_type: Type.String(),
  state: Type.String(),
  attempts: Type.Integer(),
  created_at: Type.String(),
  next_attempt_at: Nullable(Type.String()),
  last_status: Nullable(Type.Integer()),
  last_error: Nullable(Type.String()),
});

/** The endpoint somebody wishes for, with everything checked that needs no network. */
export function endpointOf(
  wish: Static<typeof EndpointWish>,
  key: ApiKey,
  apiVersion: string | null,
  clock: Pick<Clock, 'unixMs' | 'randomBytes'>,
): StoredEndpoint {
  const policy = wish.retry_policy ?? RETRY_POLICY_DEFAULT;
  return {
    id: newId('whk', clock),
    workspaceId: key.workspaceId,
    url: wish.url,
    events: checkedEvents(wish.events),
    agentId: wish.agent_id ?? null,
    testMode: checkedMode(wish.test_mode, key),
    secrets: [checkedSecret(wish.secret ?? newSecret(clock))],
    ordering: wish.ordering ?? 'strict',
    retryDelaysMs: checkedDelaysMs(policy),
    timeoutMs: wish.timeout_ms ?? TIMEOUT_MS_DEFAULT,
    headers: checkedHeaders(wish.headers ?? {}),
    enabled: true,
    format: 'omnivoice',
    retryPolicy: typeof policy === 'string' ? policy : 'own',
    apiVersion: apiVersion ?? API_VERSION,
    createdAt: new Date(clock.unixMs()).toISOString(),
  };
}

export function endpointView(endpoint: StoredEndpoint): Static<typeof Endpoint> {
  return {
    id: endpoint.id,
    url: endpoint.url,
    events: [...endpoint.events],
    format: endpoint.format,
    ordering: endpoint.ordering,
    retry_policy: endpoint.retryPolicy,
    retry_delays_s: endpoint.retryDelaysMs.map((delayMs) => delayMs / 1000),
    timeout_ms: endpoint.timeoutMs,
    headers: Object.fromEntries(Object.keys(endpoint.headers).map((name) => [name, '***'])),
    agent_id: endpoint.agentId,
    test_mode: endpoint.testMode,
    enabled: endpoint.enabled,
    api_version: endpoint.apiVersion,
    created_at: endpoint.createdAt,
  };
}

export function attemptView(attempt: SentAttempt): Static<typeof Attempt> {
  return {
    id: attempt.id,
    delivery_id: attempt.deliveryId,
    delivered: attempt.errorClass === null,
    number: attempt.number,
    trigger: attempt.trigger,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    request_headers: attempt.requestHeaders,
    resolved_address: attempt.resolvedAddress,
    status: attempt.status,
    response_headers: attempt.responseHeaders,
    response_body: attempt.responseBody,
    error_class: attempt.errorClass,
    error_detail: attempt.errorDetail,
  };
}

export function deliveryView(row: DeliveryRow): Static<typeof Delivery> {
  return {
    id: row.id,
    event_id: row.eventId,
    event_type: row.eventType,
    state: row.state,
    attempts: row.attempts,
    created_at: row.createdAt,
    next_attempt_at: row.nextAttemptAt,
    last_status: row.lastStatus,
    last_error: row.lastError,
  };
}

// A filter that no event can pass is a typing error, found now instead of by silence.
function checkedEvents(filters: readonly string[]): readonly string[] {
  const dead = filters.find((filter) => !KNOWN_TYPES.some((type) => isSelected(type, [filter])));
  if (dead === undefined) return filters;
  throw new VoiceError('invalid_argument', `no event is called ${dead}`, { field: 'events' });
}

function checkedMode(testMode: boolean | null | undefined, key: ApiKey): boolean | null {
  if (testMode === undefined) return key.testMode;
  // null takes live events too: a live key's to give. An endpoint of the other mode could not be seen again.
  if (key.testMode ? testMode === true : testMode !== true) return testMode;
  const mode = key.testMode ? 'test' : 'live';
  throw new VoiceError('permission_denied', `this key makes ${mode} webhooks only`, { field: 'test_mode' });
}

function checkedSecret(secret: string): string {
  if (isValidSecret(secret)) return secret;
  throw new VoiceError('invalid_argument', 'a secret is whsec_ and 24 to 64 bytes in base64', {
    field: 'secret',
  });
}

function checkedDelaysMs(policy: string | readonly number[]): readonly number[] {
  const delaysMs = retryDelaysMsOf(policy);
  if (delaysMs !== undefined) return delaysMs;
  throw new VoiceError('invalid_argument', 'a retry policy is 24h, 30m, omniai or a list of seconds', {
    field: 'retry_policy',
  });
}

function checkedHeaders(headers: { readonly [name: string]: string }): { readonly [name: string]: string } {
  const refusal = checkHeaders(headers);
  if (refusal === undefined) return headers;
  throw new VoiceError(refusal.fault, refusal.detail, { field: 'headers' });
}
