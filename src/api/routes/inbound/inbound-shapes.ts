import { Type, type Static } from 'typebox';
import { ACTION_NAMES } from '../../../records/inbound/actions.ts';
import type { InboundHook, Overlapping } from '../../../records/inbound/inbound-hook.ts';
import { INBOUND_STATES, type LoggedCall } from '../../../records/inbound/inbound-store.ts';
import { HMAC_ALGORITHMS, HMAC_ENCODINGS } from '../../../records/inbound/signature.ts';
import { Nullable } from '../../answers.ts';

const Pointer = Type.String({ maxLength: 256, description: 'JSON pointer (RFC 6901) into the body' });
const AnyJson = Type.Record(Type.String(), Type.Unknown());
const PUBLISHED_RATE = 300;

const MappedField = Type.Object(
  {
    pointer: Type.Optional(Pointer),
    default: Type.Optional(Type.Unknown({ description: 'where the body has nothing there' })),
    value: Type.Optional(Type.Unknown({ description: 'fixed, instead of a pointer' })),
  },
  { additionalProperties: false },
);

const Action = Type.Object(
  {
    type: Type.String({ maxLength: 64, description: ACTION_NAMES.join(', ') }),
    args: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 32 })),
  },
  { additionalProperties: false },
);

const Signature = Type.Object(
  {
    header: Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9-]+$' }),
    secret: Type.Optional(
      Type.String({ minLength: 16, maxLength: 512, description: 'made here where it is not given' }),
    ),
    algorithm: Type.Optional(
      Type.Unsafe<(typeof HMAC_ALGORITHMS)[number]>({ type: 'string', enum: [...HMAC_ALGORITHMS] }),
    ),
    encoding: Type.Optional(
      Type.Unsafe<(typeof HMAC_ENCODINGS)[number]>({ type: 'string', enum: [...HMAC_ENCODINGS] }),
    ),
    prefix: Type.Optional(Type.String({ maxLength: 32, description: 'before the digest, as `sha256=`' })),
  },
  { additionalProperties: false, description: 'HMAC of the raw body; without it the token is all' },
);

const OwnAnswer = Type.Object(
  {
    status: Type.Optional(Type.Integer({ enum: [200, 201, 202, 204] })),
    body: Type.Optional(Type.Union([AnyJson, Type.String({ maxLength: 4_096 }), Type.Null()])),
  },
  { additionalProperties: false },
);

const Resource = Type.Object(
  {
    type: Type.Optional(Type.String({ pattern: '^[a-z][a-z_]{0,31}$', description: 'default `inbound`' })),
    id_pointer: Type.Optional(Pointer),
  },
  { additionalProperties: false, description: 'what published events are about' },
);

/** What `POST /inbound-webhooks` takes. */
export const InboundWish = Type.Object(
  {
    name: Type.Optional(Nullable(Type.String({ maxLength: 128 }))),
    resource: Type.Optional(Resource),
    schema: Type.Optional(
      Nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'JSON Schema of the body' })),
    ),
    mapping: Type.Optional(Type.Record(Type.String(), MappedField, { maxProperties: 64 })),
    actions: Type.Array(Action, { minItems: 1, maxItems: 8 }),
    dedupe_pointer: Type.Optional(Nullable(Pointer)),
    signature: Type.Optional(Nullable(Signature)),
    rate_per_minute: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 6_000, description: `default ${PUBLISHED_RATE}` }),
    ),
    response: Type.Optional(Nullable(OwnAnswer)),
  },
  { additionalProperties: false },
);

export const RATE_PER_MINUTE_DEFAULT = PUBLISHED_RATE;

/** What the rotations take. */
export const InboundRotation = Type.Object(
  {
    secret: Type.Optional(
      Type.String({ minLength: 16, maxLength: 512, description: 'of the signature only' }),
    ),
    overlap_s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        description: 'how long the old one is good as well; a day',
      }),
    ),
  },
  { additionalProperties: false },
);

const Alive = Type.Array(Type.Object({ retires_at: Nullable(Type.String()) }), {
  description: 'newest first; more than one while a rotation overlaps',
});

/** A hook as the outside sees it. */
export const Inbound = Type.Object({
  id: Type.String(),
  name: Nullable(Type.String()),
  test_mode: Type.Boolean(),
  resource: Type.Object({ type: Type.String(), id_pointer: Nullable(Type.String()) }),
  schema: Nullable(AnyJson),
  mapping: Type.Record(Type.String(), MappedField),
  actions: Type.Array(Type.Object({ type: Type.String(), args: AnyJson })),
  dedupe_pointer: Nullable(Type.String()),
  signature: Nullable(
    Type.Object({
      header: Type.String(),
      algorithm: Type.String(),
      encoding: Type.String(),
      prefix: Type.String(),
      secrets: Alive,
    }),
  ),
  tokens: Alive,
  rate_per_minute: Type.Integer(),
  response: Nullable(Type.Object({ status: Type.Integer(), body: Type.Unknown() })),
  created_at: Type.String(),
});

/** A hook with what is shown this once. */
export const FreshInbound = Type.Interface([Inbound], {
  url: Type.Optional(Type.String({ description: 'what the sender calls; whoever has it may call' })),
  signature_secret: Type.Optional(Type.String()),
});

/** A call in the log of a hook. */
export const InboundCallView = Type.Object({
  id: Type.String(),
  inbound_webhook_id: Type.String(),
  state: Type.String({ enum: [...INBOUND_STATES] }),
  received_at: Type.String(),
  tries: Type.Integer(),
  next_try_at: Nullable(Type.String()),
  error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
});

export function inboundView(hook: InboundHook): Static<typeof Inbound> {
  const { signature, resource, answer } = hook;
  return {
    id: hook.id,
    name: hook.name,
    test_mode: hook.testMode,
    resource: { type: resource.type, id_pointer: resource.idPointer },
    schema: hook.schema === null ? null : (JSON.parse(hook.schema) as Record<string, unknown>),
    mapping: { ...hook.mapping },
    actions: hook.actions.map(({ type, args }) => ({ type, args: { ...args } })),
    dedupe_pointer: hook.dedupePointer,
    signature: signature === null ? null : { ...signature.terms, secrets: aliveOf(signature.secrets) },
    tokens: aliveOf(hook.tokens),
    rate_per_minute: hook.ratePerMinute,
    response: answer === null ? null : { status: answer.status, body: answer.body },
    created_at: hook.createdAt,
  };
}

export function inboundCallView(call: LoggedCall): Static<typeof InboundCallView> {
  return {
    id: call.id,
    inbound_webhook_id: call.hookId,
    state: call.state,
    received_at: call.receivedAt,
    tries: call.tries,
    next_try_at: call.nextTryAt,
    error: call.errorCode === null ? null : { code: call.errorCode, message: call.errorDetail ?? '' },
  };
}

function aliveOf(secrets: readonly Overlapping<string>[]): { retires_at: string | null }[] {
  return secrets.map(({ untilUnixMs }) => ({
    retires_at: untilUnixMs === null ? null : new Date(untilUnixMs).toISOString(),
  }));
}
