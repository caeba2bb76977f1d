import { Type, type Static } from 'typebox';
import { HOOK_FORMATS, type EndpointAuth, type SigningKeys } from '../../../delivery/outbox.ts';
import { publicKeyOf } from '../../../delivery/wire/signature.ts';
import { API_VERSIONS } from '../../../events/envelope.ts';
import { Nullable } from '../../answers.ts';
import type { StoredEndpoint } from '../../ports.ts';
import { Reference } from '../route-context.ts';

/** Stands where a secret is; sent back it means: as it was. */
export const MASK = '***';

/** A string that is one of a few words. */
function OneOf<Word extends string>(words: readonly Word[], description?: string) {
  return Type.Unsafe<Word>({ type: 'string', enum: [...words], ...(description && { description }) });
}

const Ordering = OneOf(['strict', 'bounded', 'none']);
const Success = OneOf(['2xx', 'only_200'], 'which statuses mean that it arrived');

const Signatures = Type.Object(
  {
    omniflow: Type.Optional(
      Type.Unsafe<'hex' | 'base64' | null>({
        type: ['string', 'null'],
        enum: ['hex', 'base64', null],
        description: 'encoding of `X-Omniflow-Signature`; null: not sent',
      }),
    ),
    voiceoi: Type.Optional(Type.Boolean({ description: 'send `X-VOICEOI-SIGNATURE`' })),
    secret_header: Type.Optional(
      Nullable(
        Type.String({ minLength: 1, maxLength: 64, description: 'header for the shared secret itself' }),
      ),
    ),
    ed25519: Type.Optional(Type.Boolean({ description: 'add a `v1a` entry to `webhook-signature`' })),
  },
  { additionalProperties: false, description: 'beside Standard Webhooks, which is always there' },
);

/** Basic or OAuth2 client credentials; which fields go together is checked by hand, with better words. */
const Auth = Type.Object(
  {
    type: OneOf(['basic', 'oauth2']),
    username: Type.Optional(Type.String({ maxLength: 256 })),
    password: Type.Optional(Type.String({ maxLength: 1_024 })),
    token_url: Type.Optional(Type.String({ maxLength: 2_048 })),
    client_id: Type.Optional(Type.String({ maxLength: 512 })),
    client_secret: Type.Optional(Type.String({ maxLength: 4_096 })),
    scope: Type.Optional(Nullable(Type.String({ maxLength: 1_024 }))),
    audience: Type.Optional(Nullable(Type.String({ maxLength: 1_024 }))),
    client_auth: Type.Optional(OneOf(['basic', 'post'], 'where the client secret goes; default `basic`')),
  },
  { additionalProperties: false },
);

export type AuthWish = Static<typeof Auth>;

const RetryPolicy = Type.Union(
  [Type.String({ maxLength: 16 }), Type.Array(Type.Number(), { minItems: 1, maxItems: 50 })],
  { description: '`24h`, `30m`, `omniai`, or an own list of delays in seconds' },
);

const CHANGEABLE = {
  ordering: Type.Optional(Ordering),
  hold_s: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 60,
      description: 'with `bounded`: how long a head may hold its lane',
    }),
  ),
  retry_policy: Type.Optional(RetryPolicy),
  timeout_ms: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 30_000 })),
  success: Type.Optional(Success),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  auth: Type.Optional(Nullable(Auth)),
  signatures: Type.Optional(Signatures),
  agent_id: Type.Optional(Nullable(Reference)),
  test_mode: Type.Optional(
    Nullable(Type.Boolean({ description: 'null: both modes; absent: the mode of the key' })),
  ),
  enabled: Type.Optional(Type.Boolean({ description: 'switched off, events are held for it, not dropped' })),
  description: Type.Optional(Nullable(Type.String({ maxLength: 512 }))),
};

const Url = Type.String({ minLength: 1, maxLength: 2_048 });
const Events = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
  minItems: 1,
  maxItems: 100,
  description: 'types, families as in `call.*`, or `*`',
});

const SharedSecret = Type.String({
  minLength: 8,
  maxLength: 256,
  description: 'what `X-Omniflow-Signature` and the like are keyed with; default: the text of `secret`',
});
const Secret = Type.String({ description: '`whsec_` and 24 to 64 bytes in base64' });

/** What `POST /webhooks` takes (contract.md §4.1). */
export const EndpointWish = Type.Object(
  {
    url: Url,
    events: Events,
    secret: Type.Optional(Secret),
    shared_secret: Type.Optional(SharedSecret),
    format: Type.Optional(OneOf(HOOK_FORMATS)),
    api_version: Type.Optional(OneOf(API_VERSIONS, 'of its payloads, for good')),
    ...CHANGEABLE,
  },
  { additionalProperties: false },
);

/** What `PATCH /webhooks/{id}` takes: all but secrets, format and version. */
export const EndpointChanges = Type.Object(
  { url: Type.Optional(Url), events: Type.Optional(Events), ...CHANGEABLE },
  { additionalProperties: false },
);

/** What `POST /webhooks/{id}/rotate-secret` takes. */
export const Rotation = Type.Object(
  {
    secret: Type.Optional(Secret),
    shared_secret: Type.Optional(SharedSecret),
    overlap_s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        description: 'how long the old keys sign as well; default a day; 0 ends them all at once',
      }),
    ),
  },
  { additionalProperties: false },
);

const Key = Type.Object({
  hint: Type.String({ description: 'the end of the secret, to know it by' }),
  retires_at: Nullable(Type.String()),
});

/** An endpoint as the outside sees it. */
export const Endpoint = Type.Object({
  id: Type.String(),
  url: Type.String(),
  events: Type.Array(Type.String()),
  format: OneOf(HOOK_FORMATS),
  ordering: Ordering,
  hold_s: Nullable(Type.Number()),
  retry_policy: Type.String(),
  retry_delays_s: Type.Array(Type.Number()),
  timeout_ms: Type.Integer(),
  success: Success,
  headers: Type.Record(Type.String(), Type.String(), { description: 'names only; values are secrets' }),
  auth: Nullable(Auth),
  signatures: Signatures,
  keys: Type.Array(Key, { description: 'newest first; more than one while a rotation overlaps' }),
  public_keys: Type.Array(Type.String(), { description: '`whpk_…` to verify `v1a` entries with' }),
  agent_id: Nullable(Type.String()),
  test_mode: Nullable(Type.Boolean()),
  enabled: Type.Boolean(),
  disabled_reason: Nullable(Type.String()),
  description: Nullable(Type.String()),
  api_version: Type.String(),
  created_at: Type.String(),
});

/** An endpoint with new keys: shown this once. */
export const FreshEndpoint = Type.Interface([Endpoint], {
  secret: Type.String(),
  shared_secret: Nullable(Type.String()),
  warnings: Type.Optional(Type.Array(Type.String())),
});

export function endpointView(endpoint: StoredEndpoint): Static<typeof Endpoint> {
  const { signatures, keys, retiringKeys } = endpoint;
  const retiring = retiringKeys.map((old) => ({
    hint: hintOf(old.symmetric),
    retires_at: new Date(old.untilUnixMs).toISOString(),
  }));
  return {
    id: endpoint.id,
    url: endpoint.url,
    events: [...endpoint.events],
    format: endpoint.format,
    ordering: endpoint.ordering,
    hold_s: endpoint.ordering === 'bounded' ? endpoint.holdMs / 1000 : null,
    retry_policy: endpoint.retryPolicy,
    retry_delays_s: endpoint.retryDelaysMs.map((delayMs) => delayMs / 1000),
    timeout_ms: endpoint.timeoutMs,
    success: endpoint.success,
    headers: Object.fromEntries(Object.keys(endpoint.headers).map((name) => [name, MASK])),
    auth: authView(endpoint.auth),
    signatures: {
      omniflow: signatures.omniflow,
      voiceoi: signatures.voiceoi,
      secret_header: signatures.secretHeader,
      ed25519: signatures.ed25519,
    },
    keys: [{ hint: hintOf(keys.symmetric), retires_at: null }, ...retiring],
    public_keys: signatures.ed25519 ? publicKeysOf([keys, ...retiringKeys]) : [],
    agent_id: endpoint.agentId,
    test_mode: endpoint.testMode,
    enabled: endpoint.enabled,
    disabled_reason: endpoint.disabledReason,
    description: endpoint.description,
    api_version: endpoint.apiVersion,
    created_at: endpoint.createdAt,
  };
}

export function freshView(endpoint: StoredEndpoint, warning?: string): Static<typeof FreshEndpoint> {
  const { symmetric, shared } = endpoint.keys;
  const warnings = warning === undefined ? {} : { warnings: [warning] };
  return { ...endpointView(endpoint), secret: symmetric, shared_secret: shared, ...warnings };
}

function authView(auth: EndpointAuth | null): AuthWish | null {
  if (auth === null) return null;
  if (auth.kind === 'basic') return { type: 'basic', username: auth.username, password: MASK };
  const { tokenUrl, clientId, scope, audience, clientAuth } = auth;
  const client = { token_url: tokenUrl, client_id: clientId, client_secret: MASK, client_auth: clientAuth };
  return { type: 'oauth2', ...client, scope, audience };
}

function hintOf(secret: string): string {
  return `…${secret.slice(-4)}`;
}

function publicKeysOf(keys: readonly SigningKeys[]): string[] {
  return keys.flatMap(({ asymmetric }) => (asymmetric === null ? [] : publicKeyOf(asymmetric)));
}
