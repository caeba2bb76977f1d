import { Type, type Static } from 'typebox';
import type { Attempt as SentAttempt } from '../../../delivery/outbox.ts';
import { writePayload } from '../../../delivery/formats/payload.ts';
import { Nullable } from '../../answers.ts';
import type { DeliveryRow, LoggedAttempt, StoredEndpoint, WholeDelivery } from '../../ports.ts';

const TextMap = Type.Record(Type.String(), Type.String());

const Timings = Type.Object(
  {
    dns: Nullable(Type.Number()),
    connect: Nullable(Type.Number()),
    tls: Nullable(Type.Number()),
    ttfb: Nullable(Type.Number({ description: 'to the first byte of the answer, from the start' })),
    total: Type.Number(),
  },
  { description: 'ms; null for what did not happen, as on a connection that was open' },
);

/** One request to an endpoint and what came of it. */
export const Attempt = Type.Object({
  id: Type.String(),
  delivery_id: Type.String(),
  delivered: Type.Boolean(),
  number: Type.Integer(),
  trigger: Type.String({ description: '`event`, `retry`, `test` or `manual`' }),
  started_at: Type.String(),
  duration_ms: Type.Number(),
  timings_ms: Timings,
  method: Type.Literal('POST'),
  url: Type.String({ description: 'without its query' }),
  request_headers: TextMap,
  request_body_ref: Type.String({ description: 'event/format/version' }),
  request_body_bytes: Type.Integer(),
  resolved_address: Nullable(Type.String()),
  status: Nullable(Type.Integer()),
  response_headers: TextMap,
  response_body: Type.String({ description: 'the first 16 KiB' }),
  response_truncated: Type.Boolean(),
  error_class: Nullable(Type.String()),
  error_detail: Nullable(Type.String()),
  next_attempt_at: Nullable(Type.String()),
});

/** One event owed to one endpoint. */
export const Delivery = Type.Object({
  id: Type.String(),
  webhook_id: Type.String(),
  event_id: Type.String({ description: 'what it goes by: its `webhook-id`' }),
  event_type: Type.String(),
  resource_id: Nullable(Type.String()),
  state: Type.String({ description: '`pending`, `retrying`, `held`, `delivered` or `dead`' }),
  trigger: Type.String({ description: '`event`, or `manual` for a replay' }),
  replayed_as: Nullable(Type.String({ description: 'the delivery that replayed it last' })),
  attempts: Type.Integer(),
  created_at: Type.String(),
  settled_at: Nullable(Type.String()),
  next_attempt_at: Nullable(Type.String()),
  last_status: Nullable(Type.Integer()),
  last_error: Nullable(Type.String()),
});

/** A delivery with every attempt, and with the body that was sent. */
export const DeliveryLog = Type.Interface([Delivery], {
  request_body: Nullable(Type.String()),
  attempt_log: Type.Array(Attempt),
});

/** What `POST /deliveries/{id}/replay` takes. */
export const ReplayOptions = Type.Object(
  {
    as_new_event: Type.Optional(
      Type.Boolean({
        description: 'under a new `webhook-id`, so that a receiver that knows the old one takes it',
      }),
    ),
  },
  { additionalProperties: false },
);

export function attemptView(attempt: SentAttempt | LoggedAttempt): Static<typeof Attempt> {
  const { dnsMs: dns, connectMs: connect, tlsMs: tls, ttfbMs: ttfb } = attempt.timings;
  return {
    id: attempt.id,
    delivery_id: attempt.deliveryId,
    delivered: attempt.errorClass === null,
    number: attempt.number,
    trigger: attempt.trigger,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    timings_ms: { dns, connect, tls, ttfb, total: attempt.durationMs },
    method: 'POST',
    url: attempt.url,
    request_headers: attempt.requestHeaders,
    request_body_ref: attempt.bodyRef,
    request_body_bytes: attempt.bodyBytes,
    resolved_address: attempt.resolvedAddress,
    status: attempt.status,
    response_headers: attempt.responseHeaders,
    response_body: attempt.responseBody,
    response_truncated: attempt.responseTruncated,
    error_class: attempt.errorClass,
    error_detail: attempt.errorDetail,
    next_attempt_at: 'nextAttemptAt' in attempt ? attempt.nextAttemptAt : null,
  };
}

export function deliveryView(row: DeliveryRow): Static<typeof Delivery> {
  return {
    id: row.id,
    webhook_id: row.endpointId,
    event_id: row.eventId,
    event_type: row.eventType,
    resource_id: row.resourceId,
    state: row.state,
    trigger: row.isManual ? 'manual' : 'event',
    replayed_as: row.replayedAs,
    attempts: row.attempts,
    created_at: row.createdAt,
    settled_at: row.settledAt,
    next_attempt_at: row.nextAttemptAt,
    last_status: row.lastStatus,
    last_error: row.lastError,
  };
}

export function deliveryLogView(
  row: WholeDelivery,
  endpoint: StoredEndpoint,
  attempts: readonly LoggedAttempt[],
): Static<typeof DeliveryLog> {
  return {
    ...deliveryView(row),
    request_body: bodyOf(row, endpoint),
    attempt_log: attempts.map(attemptView),
  };
}

function bodyOf(
  { envelope, sentBody, previousUndelivered }: WholeDelivery,
  dress: StoredEndpoint,
): string | null {
  if (sentBody !== null || envelope === null) return sentBody;
  return writePayload(envelope, dress, previousUndelivered).body.toString();
}
