import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { answers, Nullable, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { QueueView } from '../queues/queue-desk.ts';
import type { RouteContext } from './route-context.ts';

const ByName = Type.Object({ name: Type.String({ minLength: 1, maxLength: 128 }) });

const Queue = Type.Object({
  name: Type.String(),
  members: Type.Array(
    Type.Object({
      id: Type.String(),
      label: Nullable(Type.String()),
      state: Type.String({ enum: ['away', 'ready', 'offered', 'accepting'] }),
      idle_ms: Nullable(Type.Integer({ description: 'since it was ready, or asked last' })),
    }),
  ),
  waiting: Type.Array(
    Type.Object({
      handover_id: Type.String(),
      call_id: Type.String(),
      state: Type.String({ enum: ['waiting', 'offered', 'accepting', 'claimed'] }),
      since: Type.String(),
    }),
    { description: 'longest first' },
  ),
});

const Joining = Type.Object(
  {
    label: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'shown in lists' })),
    ticket: Type.Optional(Type.String({ maxLength: 128, description: 'instead of a key, for browsers' })),
  },
  { additionalProperties: false },
);

const Ticket = Type.Object({ ticket: Type.String(), expires_at: Type.String() });
const tags = ['Queues'];
const SCOPE = 'calls:write';
const writes = { access: { scope: SCOPE } } as const;

/** Queues: who takes handovers, and what waits for somebody who does. */
export const queueRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { queues } = context;

  app.route({
    method: 'GET',
    url: '/queues',
    config: { access: { scope: 'calls:read' } },
    schema: {
      summary: 'List the queues somebody is in or something waits in, by name',
      tags,
      querystring: PagingQuery,
      response: answers(Type.Array(Queue)),
    },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      const all = await queues.list(keyOf(request));
      const first = query.cursor === undefined ? (query.page - 1) * query.limit : after(all, query.cursor);
      const items = all.slice(first, first + query.limit);
      const nextCursor = first + query.limit < all.length ? (items.at(-1)?.name ?? null) : null;
      return okPage(request, query, { items, total: all.length, nextCursor }, queueView);
    },
  });

  app.route({
    method: 'GET',
    url: '/queues/:name',
    config: { access: { scope: 'calls:read' } },
    schema: { summary: 'Look at one queue', tags, params: ByName, response: answers(Queue) },
    handler: async (request) => {
      const all = await queues.list(keyOf(request));
      const found = all.find(({ name }) => name === request.params.name);
      if (found === undefined) throw new VoiceError('not_found', 'nobody is in this queue and nothing waits');
      return ok(request, queueView(found));
    },
  });
};

/** How members come in. */
export const queueMemberRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { queues, members, sockets, tickets } = context;

  app.route({
    method: 'POST',
    url: '/queues/ticket',
    config: writes,
    schema: {
      summary: 'Get a ticket that lets one member join a queue within 60 seconds',
      tags,
      response: answers(Ticket),
    },
    handler: async (request) => {
      const { ticket, expiresUnixMs } = tickets.issue(keyOf(request));
      return ok(request, { ticket, expires_at: new Date(expiresUnixMs).toISOString() });
    },
  });

  app.route({
    method: 'GET',
    url: '/queues/:name/ws',
    // Without HEAD: it would be a member nobody hears.
    exposeHeadRoute: false,
    config: { access: { scope: SCOPE, takesTicket: true } },
    schema: {
      summary: 'Join a queue over a WebSocket, and be offered its calls',
      tags,
      params: ByName,
      querystring: Joining,
    },
    handler: async (request, reply) => {
      const key = keyOf(request);
      const { name } = request.params;
      const { label = null } = request.query;
      members.admit(key);
      queues.admit(key, name);
      const socket = await sockets.accept(request, reply);
      members.seat(key, SCOPE, socket, (wire) => {
        const seat = queues.join(key, name, { label, wire });
        wire.tell({ type: 'joined', queue: name, member_id: seat.id, state: 'away' });
        return seat;
      });
    },
  });
};

/** Names are in order: a queue that is gone by now still has its place. */
function after(all: readonly QueueView[], cursor: string): number {
  const next = all.findIndex(({ name }) => name > cursor);
  return next < 0 ? all.length : next;
}

function queueView({ name, members, waiting }: QueueView): Static<typeof Queue> {
  return { name, members: members.map((one) => ({ ...one })), waiting: waiting.map((one) => ({ ...one })) };
}
