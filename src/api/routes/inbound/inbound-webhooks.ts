import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../../base/errors.ts';
import { sha256Hex } from '../../../base/secret.ts';
import { rotated, type InboundHook } from '../../../records/inbound/inbound-hook.ts';
import { INBOUND_STATES, type InboundState } from '../../../records/inbound/inbound-store.ts';
import { answers, answersCreated, Deleted, ok } from '../../answers.ts';
import { keyOf } from '../../door/door.ts';
import { okPage, pageQuery, PAGING, PagingQuery } from '../../lists.ts';
import { requireUsable } from '../../inbound/usable-schema.ts';
import { ById, type RouteContext } from '../route-context.ts';
import {
  FreshInbound,
  Inbound,
  InboundCallView,
  inboundCallView,
  InboundRotation,
  inboundView,
  InboundWish,
} from './inbound-shapes.ts';
import { hookOf, newToken } from './inbound-wish.ts';

const HOOKS_MAX = 500;
const OVERLAP_S_DEFAULT = 86_400;

const access = { scope: 'webhooks:manage' } as const;
const tags = ['Inbound webhooks'];

const Log = Type.Object(
  {
    ...PAGING,
    state: Type.Optional(Type.Unsafe<InboundState>({ type: 'string', enum: [...INBOUND_STATES] })),
  },
  { additionalProperties: false },
);

/** Inbound hooks: made, listed, read, removed. */
export const inboundRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports } = context;

  app.route({
    method: 'POST',
    url: '/inbound-webhooks',
    config: { access },
    schema: {
      summary: 'Make an address that others may call; it and its secret are shown this once',
      tags,
      body: InboundWish,
      response: answersCreated(FreshInbound),
    },
    handler: async (request, reply) => {
      const { hook, token, signatureSecret } = await makeHook(request, request.body, context);
      reply.code(201);
      return ok(request, {
        ...inboundView(hook),
        url: urlOf(hook, token, context),
        ...(signatureSecret !== undefined && { signature_secret: signatureSecret }),
      });
    },
  });

  app.route({
    method: 'GET',
    url: '/inbound-webhooks',
    config: { access },
    schema: {
      summary: 'List inbound hooks',
      tags,
      querystring: PagingQuery,
      response: answers(Type.Array(Inbound)),
    },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      return okPage(request, query, await ports.inbound.list(query), inboundView);
    },
  });

  app.route({
    method: 'GET',
    url: '/inbound-webhooks/:id',
    config: { access },
    schema: { summary: 'Read one inbound hook', tags, params: ById, response: answers(Inbound) },
    handler: async (request) => ok(request, inboundView(requireHook(request, request.params.id, context))),
  });

  app.route({
    method: 'DELETE',
    url: '/inbound-webhooks/:id',
    config: { access },
    schema: {
      summary: 'Remove an inbound hook, its log, and what it had still to do',
      tags,
      params: ById,
      response: answers(Deleted),
    },
    handler: async (request) => {
      const { id } = requireHook(request, request.params.id, context);
      await ports.inbound.remove(id);
      return ok(request, { id, deleted: true as const });
    },
  });
};

/** The log of an inbound hook, and its keys. */
export const inboundDetailRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports, clock } = context;

  app.route({
    method: 'GET',
    url: '/inbound-webhooks/:id/deliveries',
    config: { access },
    schema: {
      summary: 'What came in, newest first: accepted calls, and the last that were refused',
      tags,
      params: ById,
      querystring: Log,
      response: answers(Type.Array(InboundCallView)),
    },
    handler: async (request) => {
      const { id: hookId } = requireHook(request, request.params.id, context);
      const query = pageQuery(request, request.query);
      const { state } = request.query;
      const page = await ports.inbound.log({ ...query, hookId, ...(state !== undefined && { state }) });
      return okPage(request, query, page, inboundCallView);
    },
  });

  app.route({
    method: 'POST',
    url: '/inbound-webhooks/:id/rotate-token',
    config: { access },
    schema: {
      summary: 'Make a new address; the old one is good for another day, or as long as you say',
      tags,
      params: ById,
      body: InboundRotation,
      response: answers(FreshInbound),
    },
    handler: async (request) => {
      const known = requireHook(request, request.params.id, context);
      const token = newToken(clock);
      const hook = { ...known, tokens: rotated(known.tokens, sha256Hex(token), overlapOf(request.body)) };
      await ports.inbound.update(hook);
      return ok(request, { ...inboundView(hook), url: urlOf(hook, token, context) });
    },
  });

  app.route({
    method: 'POST',
    url: '/inbound-webhooks/:id/rotate-secret',
    config: { access },
    schema: {
      summary: 'Change what the sender signs with; the old secret is good for another day, or as you say',
      tags,
      params: ById,
      body: InboundRotation,
      response: answers(FreshInbound),
    },
    handler: async (request) => {
      const known = requireHook(request, request.params.id, context);
      if (known.signature === null) throw new VoiceError('failed_precondition', 'this hook is not signed');
      const secret = request.body.secret ?? newToken(clock);
      const secrets = rotated(known.signature.secrets, secret, overlapOf(request.body));
      const hook: InboundHook = { ...known, signature: { ...known.signature, secrets } };
      await ports.inbound.update(hook);
      return ok(request, { ...inboundView(hook), signature_secret: secret });
    },
  });

  const overlapOf = ({ overlap_s: overlapS = OVERLAP_S_DEFAULT }: Static<typeof InboundRotation>) => ({
    nowUnixMs: clock.unixMs(),
    overlapMs: overlapS * 1000,
  });
};

async function makeHook(request: FastifyRequest, wish: Static<typeof InboundWish>, context: RouteContext) {
  const { ports, inbound, clock, inboundStats } = context;
  const key = keyOf(request);
  if ((await ports.inbound.count(key.workspaceId)) >= HOOKS_MAX) {
    inboundStats.hooksRefused++;
    throw new VoiceError('failed_precondition', `a workspace has at most ${HOOKS_MAX} inbound webhooks`);
  }
  const fresh = hookOf(wish, key, clock);
  const { id, schema } = fresh.hook;
  if (schema !== null) await requireUsable({ key: id, text: schema }, 'schema', inbound);
  await ports.inbound.create(fresh.hook);
  return fresh;
}

function requireHook(request: FastifyRequest, id: string, { ports }: RouteContext): InboundHook {
  const { workspaceId, testMode } = keyOf(request);
  const hook = ports.inbound.find(id);
  if (hook?.workspaceId === workspaceId && hook.testMode === testMode) return hook;
  throw new VoiceError('not_found', `there is no inbound webhook ${id}`);
}

function urlOf({ id }: InboundHook, token: string, { settings }: RouteContext): string {
  return `${settings.publicUrl.replace(/\/$/, '')}/in/${id}/${token}`;
}
