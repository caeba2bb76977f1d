import type { Kysely, Selectable } from 'kysely';
import type { Attempt, AttemptOutcome, AttemptTimings, AttemptTrigger } from '../../delivery/outbox.ts';
import type { LoggedAttempt } from '../../api/ports.ts';
import { Compiled, slot } from '../compiled.ts';
import type { Schema } from '../schema.ts';

type Columns = keyof Schema['attempts'];

/** Writes one attempt to the log. */
export function attemptStatement(db: Kysely<Schema>): Compiled<Columns> {
  return new Compiled<Columns>(
    db.insertInto('attempts').values({
      id: slot('id'),
      delivery_id: slot('delivery_id'),
      number: slot('number'),
      trigger_name: slot('trigger_name'),
      started_at: slot('started_at'),
      duration_ms: slot('duration_ms'),
      request_headers: slot('request_headers'),
      resolved_address: slot('resolved_address'),
      status: slot('status'),
      response_headers: slot('response_headers'),
      response_body: slot('response_body'),
      error_class: slot('error_class'),
      error_detail: slot('error_detail'),
      url: slot('url'),
      timings: slot('timings'),
      body_ref: slot('body_ref'),
      body_bytes: slot('body_bytes'),
      response_truncated: slot('response_truncated'),
      next_attempt_unix_ms: slot('next_attempt_unix_ms'),
    }),
  );
}

/** Keeps what the first failed attempt of a delivery sent. */
export function bodyStatement(db: Kysely<Schema>): Compiled<keyof Schema['sent_bodies']> {
  return new Compiled(
    db
      .insertInto('sent_bodies')
      .values({ delivery_id: slot('delivery_id'), body: slot('body') })
      .onConflict((conflict) => conflict.column('delivery_id').doNothing()),
  );
}

/** What `attemptStatement` is run with. */
export function attemptValues(attempt: Attempt, { nextAttemptUnixMs }: AttemptOutcome) {
  return {
    id: attempt.id,
    delivery_id: attempt.deliveryId,
    number: attempt.number,
    trigger_name: attempt.trigger,
    started_at: attempt.startedAt,
    duration_ms: attempt.durationMs,
    request_headers: JSON.stringify(attempt.requestHeaders),
    resolved_address: attempt.resolvedAddress,
    status: attempt.status,
    response_headers: withoutNul(JSON.stringify(attempt.responseHeaders)),
    response_body: withoutNul(attempt.responseBody),
    error_class: attempt.errorClass,
    error_detail: attempt.errorDetail === null ? null : withoutNul(attempt.errorDetail),
    url: attempt.url,
    timings: JSON.stringify(attempt.timings),
    body_ref: attempt.bodyRef,
    body_bytes: attempt.bodyBytes,
    response_truncated: attempt.responseTruncated,
    next_attempt_unix_ms: nextAttemptUnixMs,
  };
}

/** Every attempt of one delivery, first to last. */
export async function attemptsOf(db: Kysely<Schema>, deliveryId: string): Promise<readonly LoggedAttempt[]> {
  const rows = await db
    .selectFrom('attempts')
    .selectAll()
    .where('delivery_id', '=', deliveryId)
    .orderBy('number')
    .execute();
  return rows.map(attemptOf);
}

function attemptOf(row: Selectable<Schema['attempts']>): LoggedAttempt {
  return {
    id: row.id,
    deliveryId: row.delivery_id,
    number: row.number,
    trigger: row.trigger_name as AttemptTrigger,
    startedAt: row.started_at,
    durationMs: row.duration_ms,
    timings: { ...NO_TIMINGS, ...(JSON.parse(row.timings) as Partial<AttemptTimings>) },
    url: row.url,
    bodyRef: row.body_ref,
    bodyBytes: row.body_bytes,
    requestHeaders: JSON.parse(row.request_headers) as Attempt['requestHeaders'],
    resolvedAddress: row.resolved_address,
    status: row.status,
    responseHeaders: JSON.parse(row.response_headers) as Attempt['responseHeaders'],
    responseBody: row.response_body,
    responseTruncated: Boolean(row.response_truncated),
    errorClass: row.error_class as Attempt['errorClass'],
    errorDetail: row.error_detail,
    nextAttemptAt:
      row.next_attempt_unix_ms === null ? null : new Date(row.next_attempt_unix_ms).toISOString(),
  };
}

// Rows of the first schema measured nothing.
const NO_TIMINGS: AttemptTimings = { dnsMs: null, connectMs: null, tlsMs: null, ttfbMs: null };

// PostgreSQL refuses NUL in text, and a stranger wrote this.
function withoutNul(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
