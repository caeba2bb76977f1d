import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { API_VERSION, type Envelope } from '../../events/envelope.ts';
import { answers, answersCreated, Deleted, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { EndpointChange, StoredEndpoint } from '../ports.ts';
import { Type, type Static } from 'typebox';
import { Attempt, attemptView } from './hooks/delivery-shapes.ts';
import {
  Endpoint,
  EndpointChanges,
  endpointView,
  EndpointWish,
  FreshEndpoint,
  freshView,
  Rotation,
} from './hooks/endpoint-shapes.ts';
import { changeOf, endpointOf, switched } from './hooks/endpoint-wish.ts';
import { requireEndpoint } from './hooks/require-endpoint.ts';
import { rotated } from './hooks/rotation.ts';
import { ById, type RouteContext } from './route-context.ts';

const access = { scope: 'webhooks:manage' } as const;
const tags = ['Webhooks'];

/** Hook endpoints: made, listed, read, removed. */
export const webhookRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports, delivery } = context;

  app.route({
    method: 'POST',
    url: '/webhooks',
    config: { access },
    schema: {
      summary: 'Make a hook endpoint; its secret is shown this once',
      tags,
      body: EndpointWish,
      response: answersCreated(FreshEndpoint),
    },
    handler: async (request, reply) => {
      const endpoint = await makeEndpoint(request, request.body, context);
      reply.code(201);
      return ok(request, freshView(endpoint, await delivery.warningOf(endpoint.url)));
    },
  });

  app.route({
    method: 'GET',
    url: '/webhooks',
    config: { access },
    schema: {
      summary: 'List hook endpoints',
      tags,
      querystring: PagingQuery,
      response: answers(Type.Array(Endpoint)),
    },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      return okPage(request, query, await ports.endpoints.list(query), endpointView);
    },
  });

  app.route({
    method: 'GET',
    url: '/webhooks/:id',
    config: { access },
    schema: { summary: 'Read one hook endpoint', tags, params: ById, response: answers(Endpoint) },
    handler: async (request) =>
      ok(request, endpointView(await requireEndpoint(request, request.params.id, ports.endpoints))),
  });

  app.route({
    method: 'DELETE',
    url: '/webhooks/:id',
    config: { access },
    schema: {
      summary: 'Remove a hook endpoint, and what was still owed to it',
      tags,
      params: ById,
      response: answers(Deleted),
    },
    handler: async (request) => {
      const { id, workspaceId } = await requireEndpoint(request, request.params.id, ports.endpoints);
      await ports.endpoints.remove(workspaceId, id);
      await delivery.refreshEndpoints();
      return ok(request, { id, deleted: true as const });
    },
  });
};

/** Changing an endpoint and its keys. */
export const webhookChangeRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports, clock } = context;

  app.route({
    method: 'PATCH',
    url: '/webhooks/:id',
    config: { access },
    schema: {
      summary: 'Change a hook endpoint, from its next attempt on',
      tags,
      params: ById,
      body: EndpointChanges,
      response: answers(Endpoint),
    },
    handler: async (request) => {
      const known = await requireEndpoint(request, request.params.id, ports.endpoints);
      const change = changeOf(known, request.body, keyOf(request), clock);
      await checkAddresses({ ...known, ...change }, context);
      return ok(request, endpointView(await changeEndpoint(known, change, context)));
    },
  });

  app.route({
    method: 'POST',
    url: '/webhooks/:id/rotate-secret',
    config: { access },
    schema: {
      summary: 'Sign with new keys; the old ones sign as well for a while. They are shown this once',
      tags,
      params: ById,
      body: Type.Union([Rotation, Type.Null()]),
      response: answers(FreshEndpoint),
    },
    handler: async (request) => {
      const known = await requireEndpoint(request, request.params.id, ports.endpoints);
      const change = rotated(known, request.body ?? {}, clock);
      return ok(request, freshView(await changeEndpoint(known, change, context)));
    },
  });
};

/** Switching an endpoint on, and trying it out. */
export const webhookTrialRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports, delivery } = context;

  app.route({
    method: 'POST',
    url: '/webhooks/:id/enable',
    config: { access },
    schema: {
      summary: 'Switch an endpoint on again and send what was held for it',
      tags,
      params: ById,
      response: answers(Endpoint),
    },
    handler: async (request) => {
      const known = await requireEndpoint(request, request.params.id, ports.endpoints);
      return ok(request, endpointView(await changeEndpoint(known, switched(true), context)));
    },
  });

  app.route({
    method: 'POST',
    url: '/webhooks/:id/test',
    config: { access },
    schema: {
      summary: 'Send a signed endpoint.test event now and tell what came of it',
      tags,
      params: ById,
      response: answers(Attempt),
    },
    handler: async (request) => {
      const endpoint = await requireEndpoint(request, request.params.id, ports.endpoints);
      return ok(request, attemptView(await delivery.sendTest(endpoint, testEvent(endpoint, context))));
    },
  });
};

async function makeEndpoint(
  request: FastifyRequest,
  wish: Static<typeof EndpointWish>,
  context: RouteContext,
): Promise<StoredEndpoint> {
  const { ports, delivery, clock } = context;
  const endpoint = endpointOf(wish, keyOf(request), request.apiVersion, clock);
  await checkAddresses(endpoint, context);
  await ports.endpoints.create(endpoint);
  await delivery.refreshEndpoints();
  return endpoint;
}

/** The guard's word on every address the endpoint names. */
async function checkAddresses({ url, auth }: StoredEndpoint, { delivery }: RouteContext): Promise<void> {
  const named = [
    { field: 'url', address: url },
    ...(auth?.kind === 'oauth2' ? [{ field: 'auth.token_url', address: auth.tokenUrl }] : []),
  ];
  for (const { field, address } of named) {
    const refusal = await delivery.checkUrl(address);
    if (refusal !== undefined) throw new VoiceError(refusal.fault, refusal.detail, { field });
  }
}

async function changeEndpoint(
  { workspaceId, id }: StoredEndpoint,
  change: EndpointChange,
  { ports, delivery }: RouteContext,
): Promise<StoredEndpoint> {
  const changed = await ports.endpoints.update(workspaceId, id, change);
  if (changed === undefined) throw new VoiceError('not_found', `there is no webhook ${id}`);
  await delivery.refreshEndpoints();
  return changed;
}

/** What a try sends: of the endpoint's own mode, and never in the journal. */
function testEvent(endpoint: StoredEndpoint, { settings, clock }: RouteContext): Envelope {
  return {
    id: newId('evt', clock),
    type: 'endpoint.test',
    api_version: API_VERSION,
    created_at: new Date(clock.unixMs()).toISOString(),
    workspace_id: endpoint.workspaceId,
    resource: { type: 'endpoint', id: endpoint.id },
    sequence: 1,
    region: settings.region,
    test_mode: endpoint.testMode ?? false,
    data: { endpoint_id: endpoint.id, url: endpoint.url },
  };
}
