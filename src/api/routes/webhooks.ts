import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import type { Envelope } from '../../events/envelope.ts';
import { answers, answersCreated, Deleted, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { EndpointStore, StoredEndpoint } from '../ports.ts';
import { Type, type Static } from 'typebox';
import { ById, type RouteContext } from './route-context.ts';
import {
  Attempt,
  attemptView,
  Delivery,
  deliveryView,
  Endpoint,
  endpointOf,
  endpointView,
  EndpointWish,
  FreshEndpoint,
} from './webhook-shapes.ts';

const access = { scope: 'webhooks:manage' } as const;
const tags = ['Webhooks'];

/** Hook endpoints: made, read, listed, removed. */
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
      return ok(request, { ...endpointView(endpoint), secret: endpoint.secrets[0] ?? '' });
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

/** Trying an endpoint out, and what was sent to it. */
export const webhookReportRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { ports, delivery } = context;

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

  app.route({
    method: 'GET',
    url: '/webhooks/:id/deliveries',
    config: { access },
    schema: {
      summary: 'List what was and is to be sent to an endpoint, newest first',
      tags,
      params: ById,
      querystring: PagingQuery,
      response: answers(Type.Array(Delivery)),
    },
    handler: async (request) => {
      const { id, workspaceId } = await requireEndpoint(request, request.params.id, ports.endpoints);
      const query = pageQuery(request, request.query);
      const found = await ports.endpoints.deliveries(workspaceId, id, query);
      return okPage(request, query, found, deliveryView);
    },
  });
};

async function makeEndpoint(
  request: FastifyRequest,
  wish: Static<typeof EndpointWish>,
  { ports, delivery, clock }: RouteContext,
): Promise<StoredEndpoint> {
  const endpoint = endpointOf(wish, keyOf(request), request.apiVersion, clock);
  const refusal = await delivery.checkUrl(endpoint.url);
  if (refusal !== undefined) throw new VoiceError(refusal.fault, refusal.detail, { field: 'url' });
  await ports.endpoints.create(endpoint);
  await delivery.refreshEndpoints();
  return endpoint;
}

async function requireEndpoint(
  request: FastifyRequest,
  id: string,
  endpoints: EndpointStore,
): Promise<StoredEndpoint> {
  const { workspaceId, testMode } = keyOf(request);
  const endpoint = await endpoints.get(workspaceId, id);
  const isVisible = endpoint !== undefined && (endpoint.testMode === true) === testMode;
  if (!isVisible) throw new VoiceError('not_found', `there is no webhook ${id}`);
  return endpoint;
}

/** What a try sends: of the endpoint's own mode and version, and never in the journal. */
function testEvent(endpoint: StoredEndpoint, { settings, clock }: RouteContext): Envelope {
  return {
    id: newId('evt', clock),
    type: 'endpoint.test',
    api_version: endpoint.apiVersion,
    created_at: new Date(clock.unixMs()).toISOString(),
    workspace_id: endpoint.workspaceId,
    resource: { type: 'endpoint', id: endpoint.id },
    sequence: 1,
    region: settings.region,
    test_mode: endpoint.testMode ?? false,
    data: { endpoint_id: endpoint.id, url: endpoint.url },
  };
}
