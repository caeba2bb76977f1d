import type { FastifyRequest } from 'fastify';
import { Type, type Static, type TSchema } from 'typebox';
import { FAULTS, type FaultCode } from '../base/errors.ts';

/** The codes a REST answer may carry (contract.md §3). */
const ERROR_CODES = [
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'conflict',
  'payload_too_large',
  'failed_precondition',
  'unsupported_version',
  'rate_limited',
  'overloaded',
  'unavailable',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

// Faults of sockets and nodes, in the words REST clients were promised.
const SPOKEN_AS: { readonly [fault in Exclude<FaultCode, ErrorCode>]: ErrorCode } = {
  call_not_found: 'not_found',
  leg_replaced: 'conflict',
  frame_too_large: 'payload_too_large',
  too_many_messages: 'rate_limited',
  draining: 'unavailable',
  protocol_violation: 'invalid_argument',
  unsupported_format: 'failed_precondition',
  not_json: 'invalid_argument',
  handshake_timeout: 'unavailable',
  peer_stalled: 'unavailable',
  too_slow: 'unavailable',
};

/** Any fault of the house as a code of the contract, and its status. */
export function spokenFault(fault: FaultCode): { readonly code: ErrorCode; readonly status: number } {
  const code = fault in SPOKEN_AS ? SPOKEN_AS[fault as keyof typeof SPOKEN_AS] : (fault as ErrorCode);
  return { code, status: FAULTS[code].httpStatus };
}

/** A value that may be null: a list of types, since for a union the serialiser compiles a validator. */
export function Nullable<T extends TSchema & { type: string }>(schema: T) {
  return Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'] });
}

const PageMeta = Type.Object({
  page: Type.Integer(),
  limit: Type.Integer(),
  total: Nullable(Type.Integer({ description: 'null where counting would cost more than the page' })),
  next_cursor: Nullable(Type.String()),
});

export interface PageFigures {
  readonly page: number;
  readonly limit: number;
  readonly total: number | null;
  readonly next_cursor: string | null;
}

const Meta = Type.Object({
  request_id: Type.String(),
  rate_limit: Type.Optional(
    Type.Object({ remaining: Type.Integer(), reset: Type.Integer({ description: 'epoch seconds' }) }),
  ),
  page: Type.Optional(PageMeta),
  gap: Type.Optional(
    Type.Object(
      { from: Nullable(Type.Integer()), to: Nullable(Type.Integer()) },
      { description: 'events asked for that are no longer kept' },
    ),
  ),
});

const Failure = Type.Object({
  success: Type.Literal(false),
  error: Type.Object({
    code: Type.String({ enum: [...ERROR_CODES] }),
    message: Type.String(),
    field: Type.Optional(Type.String()),
  }),
  meta: Type.Object({ request_id: Type.String() }),
});

function Success<T extends TSchema>(data: T) {
  return Type.Object({ success: Type.Literal(true), data, meta: Meta });
}

/** The answers of a route that reads or does something. */
export function answers<T extends TSchema>(data: T) {
  return { 200: Success(data), '4xx': Failure, '5xx': Failure };
}

/** The answers of a route that makes something. */
export function answersCreated<T extends TSchema>(data: T) {
  return { 201: Success(data), '4xx': Failure, '5xx': Failure };
}

/** The answers of a route that has something begun. */
export function answersBegun<T extends TSchema>(data: T) {
  return { 202: Success(data), '4xx': Failure, '5xx': Failure };
}

interface Extras {
  readonly page?: PageFigures;
  readonly gap?: { readonly from: number | null; readonly to: number | null };
}

/** Wraps data in the envelope of contract.md §3. */
export function ok<T>(request: FastifyRequest, data: T, extras: Extras = {}) {
  const { rateStanding } = request;
  return {
    success: true as const,
    data,
    meta: {
      request_id: request.id,
      ...(rateStanding && {
        rate_limit: { remaining: rateStanding.remaining, reset: rateStanding.resetUnixS },
      }),
      ...extras,
    },
  };
}

/** The envelope of an error. */
export function failure(code: ErrorCode, message: string, requestId: string, field?: string) {
  return {
    success: false as const,
    error: field === undefined ? { code, message } : { code, message, field },
    meta: { request_id: requestId },
  };
}

/** What `DELETE` answers. */
export const Deleted = Type.Object({ id: Type.String(), deleted: Type.Literal(true) });
