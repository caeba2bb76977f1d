import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { VoiceError } from '../../../base/errors.ts';
import type { DeliveryState } from '../../../delivery/outbox.ts';
import { answers, ok } from '../../answers.ts';
import { keyOf } from '../../door/door.ts';
import { okPage, pageQuery, PAGING } from '../../lists.ts';
import type { DeadLetterQuery, WholeDelivery } from '../../ports.ts';
import { ById, type RouteContext } from '../route-context.ts';
import { Delivery, DeliveryLog, deliveryLogView, deliveryView, ReplayOptions } from './delivery-shapes.ts';
import { REPLAYS_MAX, replay, replayRange } from './replays.ts';
import { requireEndpoint } from './require-endpoint.ts';

const access = { scope: 'webhooks:manage' } as const;
const tags = ['Webhooks'];
const STATES: readonly DeliveryState[] = ['pending', 'retrying', 'delivered', 'dead'];

const Instant = Type.String({ maxLength: 40, description: 'ISO 8601' });
const RANGE = {
  since: Type.Optional(Instant),
  until: Type.Optional(Instant),
};
const OfDeliveries = Type.Object(
  { ...PAGING, state: Type.Optional(Type.Unsafe<DeliveryState>({ type: 'string', enum: [...STATES] })) },
  { additionalProperties: false },
);
const OfDeadLetters = Type.Object(
  { ...PAGING, ...RANGE, webhook_id: Type.Optional(Type.String({ maxLength: 64 })) },
  { additionalProperties: false },
);
const Recovery = Type.Object(
  { since: Instant, until: Type.Optional(Instant) },
  { additionalProperties: false, description: 'when they were given up' },
);
const DeadLetterReplay = Type.Object(
  {
    ids: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 1_000 })),
    webhook_id: Type.Optional(Type.String({ maxLength: 64 })),
    ...RANGE,
    as_new_event: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, description: '`ids`, or a range by when they were given up' },
);
const Replayed = Type.Object({
  replayed: Type.Integer(),
  more: Type.Boolean({ description: `one request replays ${REPLAYS_MAX} at most: ask again` }),
});
const OneReplayed = Type.Object({ id: Type.String(), replay_of: Type.String(), event_id: Type.String() });

/** What was sent, attempt by attempt, and sending it again. */
export const deliveryRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports } = context;

  app.route({
    method: 'GET',
    url: '/webhooks/:id/deliveries',
    config: { access },
    schema: {
      summary: 'List what was and is to be sent to an endpoint, newest first',
      tags,
      params: ById,
      querystring: OfDeliveries,
      response: answers(Type.Array(Delivery)),
    },
    handler: async (request) => {
      const { id: endpointId } = await requireEndpoint(request, request.params.id, ports.endpoints);
      const { state, ...paging } = request.query;
      const query = pageQuery(request, paging);
      const found = await ports.deliveries.list({
        ...query,
        endpointId,
        ...(state !== undefined && { state }),
      });
      return okPage(request, query, found, deliveryView);
    },
  });

  app.route({
    method: 'GET',
    url: '/deliveries/:id',
    config: { access },
    schema: {
      summary: 'Read one delivery with its body and every attempt',
      tags,
      params: ById,
      response: answers(DeliveryLog),
    },
    handler: async (request) => {
      const row = await requireDelivery(request, request.params.id, context);
      const endpoint = await requireEndpoint(request, row.endpointId, ports.endpoints);
      return ok(request, deliveryLogView(row, endpoint, await ports.deliveries.attempts(row.id)));
    },
  });

  app.route({
    method: 'POST',
    url: '/deliveries/:id/replay',
    config: { access },
    schema: {
      summary: 'Send a delivery again, outside the order of its call',
      tags,
      params: ById,
      body: Type.Union([ReplayOptions, Type.Null()]),
      response: answers(OneReplayed),
    },
    handler: async (request) => {
      const row = await requireDelivery(request, request.params.id, context);
      const [id] = await replay([row.id], request.body?.as_new_event ?? false, context);
      const made = id === undefined ? undefined : await ports.deliveries.get(keyOf(request), id);
      if (id === undefined || made === undefined) {
        throw new VoiceError('failed_precondition', `the event of ${row.id} is no longer kept`);
      }
      return ok(request, { id, replay_of: row.id, event_id: made.eventId });
    },
  });
};

/** What was given up, and sending it again. */
export const deadLetterRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports } = context;

  app.route({
    method: 'GET',
    url: '/dead-letters',
    config: { access },
    schema: {
      summary: 'List what was given up and not replayed, newest first',
      tags,
      querystring: OfDeadLetters,
      response: answers(Type.Array(Delivery)),
    },
    handler: async (request) => {
      const { webhook_id: endpointId, since, until, ...paging } = request.query;
      const range = rangeOf(request, { since, until }, context);
      if (endpointId !== undefined) await requireEndpoint(request, endpointId, ports.endpoints);
      const query = {
        ...pageQuery(request, paging),
        ...range,
        ...(endpointId !== undefined && { endpointId }),
      };
      return okPage(request, query, await ports.deliveries.deadLetters(query), deliveryView);
    },
  });

  app.route({
    method: 'POST',
    url: '/dead-letters/replay',
    config: { access },
    schema: {
      summary: 'Send dead letters again, by their ids or by a range of time',
      tags,
      body: DeadLetterReplay,
      response: answers(Replayed),
    },
    handler: async (request) => {
      const { ids, webhook_id: endpointId, since, until, as_new_event: asNewEvent = false } = request.body;
      if (ids !== undefined) {
        for (const id of ids) await requireDelivery(request, id, context);
        return ok(request, { replayed: (await replay(ids, asNewEvent, context)).length, more: false });
      }
      if (since === undefined) {
        throw new VoiceError('invalid_argument', 'name ids, or since when', { field: 'since' });
      }
      if (endpointId !== undefined) await requireEndpoint(request, endpointId, ports.endpoints);
      const range = {
        ...rangeOf(request, { since, until }, context),
        ...(endpointId !== undefined && { endpointId }),
      };
      return ok(request, await replayRange(range, asNewEvent, context));
    },
  });
};

/** Sending again what one endpoint failed to take. */
export const recoveryRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports } = context;

  app.route({
    method: 'POST',
    url: '/webhooks/:id/recover',
    config: { access },
    schema: {
      summary: 'Send again what an endpoint failed to take in a range of time',
      tags,
      params: ById,
      body: Recovery,
      response: answers(Replayed),
    },
    handler: async (request) => {
      const { id: endpointId } = await requireEndpoint(request, request.params.id, ports.endpoints);
      return ok(
        request,
        await replayRange({ ...rangeOf(request, request.body, context), endpointId }, false, context),
      );
    },
  });
};

/** The range a request asks for, in instants. */
function rangeOf(
  request: FastifyRequest,
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  { clock }: RouteContext,
): Omit<DeadLetterQuery, 'page' | 'limit'> {
  const { workspaceId, testMode } = keyOf(request);
  return {
    workspaceId,
    testMode,
    ...(since !== undefined && { sinceUnixMs: instantOf('since', since) }),
    // Up to this very moment: what dies while a range is replayed is not part of it.
    untilUnixMs: until === undefined ? clock.unixMs() + 1 : instantOf('until', until),
  };
}

async function requireDelivery(
  request: FastifyRequest,
  id: string,
  { ports }: RouteContext,
): Promise<WholeDelivery> {
  const row = await ports.deliveries.get(keyOf(request), id);
  if (row === undefined) throw new VoiceError('not_found', `there is no delivery ${id}`);
  return row;
}

function instantOf(field: string, text: string): number {
  const unixMs = Date.parse(text);
  if (!Number.isNaN(unixMs)) return unixMs;
  throw new VoiceError('invalid_argument', `${text} is no instant, as in 2026-11-20T12:00:00Z`, { field });
}
