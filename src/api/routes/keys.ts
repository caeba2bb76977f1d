import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { answers, answersCreated, Deleted, Nullable, ok } from '../answers.ts';
import { newApiKey, SCOPES } from '../api-key.ts';
import { isAddressRange } from '../door/addresses.ts';
import { keyOf } from '../door/door.ts';
import { KEY_RATE_PER_MINUTE } from '../door/rate-limits.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { ApiKey, KeyStore } from '../ports.ts';
import { ById, Reference, type RouteContext } from './route-context.ts';

const ROTATION_OVERLAP_MS = 24 * 3_600_000;

const SETTABLE = {
  scopes: Type.Optional(
    Type.Array(Type.String({ enum: [...SCOPES] }), {
      minItems: 1,
      maxItems: SCOPES.length,
      uniqueItems: true,
      description: 'absent when made: the scopes of the key that makes it',
    }),
  ),
  rate_per_minute: Type.Optional(
    Nullable(Type.Integer({ minimum: 1, maximum: 600, description: `null: ${KEY_RATE_PER_MINUTE}` })),
  ),
  ip_allow: Type.Optional(
    Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100, description: 'addresses or CIDRs' }),
  ),
  expires_at: Type.Optional(Nullable(Type.String({ format: 'date-time' }))),
};

const KeyWish = Type.Object(
  { name: Reference, test_mode: Type.Optional(Type.Boolean()), ...SETTABLE },
  { additionalProperties: false },
);

const KeyChange = Type.Object(
  { name: Type.Optional(Reference), ...SETTABLE },
  { additionalProperties: false, minProperties: 1 },
);

const Key = Type.Object({
  id: Type.String(),
  name: Type.String(),
  hint: Type.String({ description: 'to recognise it by' }),
  test_mode: Type.Boolean(),
  scopes: Type.Array(Type.String()),
  api_version: Type.String(),
  rate_per_minute: Type.Integer(),
  ip_allow: Type.Array(Type.String()),
  created_at: Type.String(),
  expires_at: Nullable(Type.String()),
  last_used_at: Nullable(Type.String()),
});

const FreshKey = Type.Interface([Key], { key: Type.String({ description: 'shown this once' }) });

const access = { scope: 'keys:manage' } as const;
const tags = ['API keys'];

/** API keys: a key can pass on only what it may do itself. */
export const keyRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { keys } = context.ports;

  app.route({
    method: 'POST',
    url: '/keys',
    config: { access },
    schema: { summary: 'Make a key', tags, body: KeyWish, response: answersCreated(FreshKey) },
    handler: async (request, reply) => {
      const made = await makeKey(keyOf(request), request.body, context);
      reply.code(201);
      return ok(request, made);
    },
  });

  app.route({
    method: 'GET',
    url: '/keys',
    config: { access },
    schema: { summary: 'List keys', tags, querystring: PagingQuery, response: answers(Type.Array(Key)) },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      return okPage(request, query, await keys.list(query), keyView);
    },
  });

  app.route({
    method: 'PATCH',
    url: '/keys/:id',
    config: { access },
    schema: { summary: 'Change a key', tags, params: ById, body: KeyChange, response: answers(Key) },
    handler: async (request) =>
      ok(request, await changeKey(keyOf(request), request.params.id, request.body, context)),
  });

  app.route({
    method: 'DELETE',
    url: '/keys/:id',
    config: { access },
    schema: { summary: 'Remove a key at once', tags, params: ById, response: answers(Deleted) },
    handler: async (request) => {
      const { id, workspaceId } = await requireKey(keyOf(request), request.params.id, keys);
      await keys.remove(workspaceId, id);
      context.directory.forget();
      return ok(request, { id, deleted: true as const });
    },
  });

  app.route({
    method: 'POST',
    url: '/keys/:id/rotate',
    config: { access },
    schema: {
      summary: 'Replace a key; the old one stays valid for 24 hours',
      tags,
      params: ById,
      response: answersCreated(FreshKey),
    },
    handler: async (request, reply) => {
      const rotated = await rotateKey(keyOf(request), request.params.id, context);
      reply.code(201);
      return ok(request, rotated);
    },
  });
};

async function makeKey(
  maker: ApiKey,
  wish: Static<typeof KeyWish>,
  { ports, directory, clock }: RouteContext,
): Promise<Static<typeof FreshKey>> {
  const { name, test_mode: testMode = maker.testMode, scopes = maker.scopes } = wish;
  if (maker.testMode && !testMode) {
    throw new VoiceError('permission_denied', 'a test key makes test keys only', { field: 'test_mode' });
  }
  requireScopes(maker, scopes);
  const { workspaceId } = maker;
  const settings = changeOf(wish, clock.unixMs());
  const { key, secret } = newApiKey({ ...settings, workspaceId, name, testMode, scopes }, clock);
  await ports.keys.create(key);
  directory.forget();
  return { ...keyView(key), key: secret };
}

async function changeKey(
  changer: ApiKey,
  id: string,
  wish: Static<typeof KeyChange>,
  { ports, directory, clock }: RouteContext,
): Promise<Static<typeof Key>> {
  const { workspaceId, scopes } = await requireKey(changer, id, ports.keys);
  requireScopes(changer, [...scopes, ...(wish.scopes ?? [])]);
  const changed = await ports.keys.update(workspaceId, id, changeOf(wish, clock.unixMs()));
  directory.forget();
  if (changed === undefined) throw gone(id);
  return keyView(changed);
}

async function rotateKey(
  rotator: ApiKey,
  id: string,
  { ports, directory, clock }: RouteContext,
): Promise<Static<typeof FreshKey>> {
  const old = await requireKey(rotator, id, ports.keys);
  requireScopes(rotator, old.scopes);
  const { workspaceId, name, testMode, scopes, apiVersion, ratePerMinute, ipAllow, expiresAt } = old;
  const wish = { workspaceId, name, testMode, scopes, apiVersion, ratePerMinute, ipAllow, expiresAt };
  const { key, secret } = newApiKey(wish, clock);
  await ports.keys.rotate(old.id, overlapEnd(old, clock.unixMs()), key);
  directory.forget();
  return { ...keyView(key), key: secret };
}

function overlapEnd({ expiresAt }: ApiKey, nowUnixMs: number): string {
  const overlapEndsUnixMs = nowUnixMs + ROTATION_OVERLAP_MS;
  const ownEndUnixMs = expiresAt === null ? Infinity : Date.parse(expiresAt);
  return new Date(Math.min(overlapEndsUnixMs, ownEndUnixMs)).toISOString();
}

// Else `keys:manage` alone would be every scope: one would make, or take over by rotation, a stronger key.
function requireScopes({ scopes }: ApiKey, wanted: readonly string[]): void {
  const missing = wanted.find((scope) => !scopes.includes(scope));
  if (missing === undefined) return;
  throw new VoiceError('permission_denied', `this key cannot pass on ${missing}, which it lacks`, {
    field: 'scopes',
  });
}

async function requireKey({ workspaceId, testMode }: ApiKey, id: string, keys: KeyStore): Promise<ApiKey> {
  const key = await keys.get(workspaceId, id);
  if (key === undefined || key.testMode !== testMode) throw gone(id);
  return key;
}

function gone(id: string): VoiceError {
  return new VoiceError('not_found', `there is no key ${id}`);
}

type Change = Parameters<KeyStore['update']>[2];

function changeOf(wish: Static<typeof KeyChange>, nowUnixMs: number): Change {
  const { name, scopes, rate_per_minute: ratePerMinute, ip_allow: ipAllow, expires_at: expiresAt } = wish;
  const wrong = ipAllow?.find((range) => !isAddressRange(range));
  if (wrong !== undefined) {
    throw new VoiceError('invalid_argument', `${wrong} is no address or CIDR`, { field: 'ip_allow' });
  }
  const expiresUnixMs = typeof expiresAt === 'string' ? Date.parse(expiresAt) : Infinity;
  if (!(expiresUnixMs > nowUnixMs)) {
    throw new VoiceError('invalid_argument', 'a key expires in the future', { field: 'expires_at' });
  }
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes }),
    ...(ratePerMinute !== undefined && { ratePerMinute }),
    ...(ipAllow !== undefined && { ipAllow }),
    ...(expiresAt !== undefined && {
      expiresAt: expiresAt === null ? null : new Date(expiresUnixMs).toISOString(),
    }),
  };
}

function keyView(key: ApiKey): Static<typeof Key> {
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    test_mode: key.testMode,
    scopes: [...key.scopes],
    api_version: key.apiVersion,
    rate_per_minute: key.ratePerMinute ?? KEY_RATE_PER_MINUTE,
    ip_allow: [...key.ipAllow],
    created_at: key.createdAt,
    expires_at: key.expiresAt,
    last_used_at: key.lastUsedAt,
  };
}
