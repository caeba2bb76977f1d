import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import type { StreamQuery } from '../../delivery/streams.ts';
import type { Envelope as EventEnvelope } from '../../events/envelope.ts';
import type { JournalEntry, JournalQuery } from '../../events/journal.ts';
import { answers, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { wireOf } from '../live/socket.ts';
import { openSse } from '../live/sse.ts';
import { pageQuery, PAGING } from '../lists.ts';
import { Reference, type RouteContext } from './route-context.ts';

// Pages are found by walking: whoever wants more takes the cursor, which is found by index.
const WALKED_ENTRIES_MAX = 10_000;

const Envelope = Type.Object({
  id: Type.String(),
  type: Type.String(),
  api_version: Type.String(),
  created_at: Type.String(),
  workspace_id: Type.String(),
  resource: Type.Object({ type: Type.String(), id: Type.String() }),
  sequence: Type.Integer(),
  region: Type.String(),
  test_mode: Type.Boolean(),
  data: Type.Record(Type.String(), Type.Unknown()),
});

const FILTERS = {
  types: Type.Optional(
    Type.String({ maxLength: 2_048, description: 'comma-separated: types, families as in `call.*`, `*`' }),
  ),
  call_id: Type.Optional(Reference),
  agent_id: Type.Optional(Reference),
};

const History = Type.Object({ ...PAGING, ...FILTERS }, { additionalProperties: false });

const Live = Type.Object(
  {
    ...FILTERS,
    from: Type.Optional(Type.String({ maxLength: 128, description: 'cursor of the last event seen' })),
    ticket: Type.Optional(Type.String({ maxLength: 128, description: 'instead of a key, for browsers' })),
  },
  { additionalProperties: false },
);

const Ticket = Type.Object({ ticket: Type.String(), expires_at: Type.String() });
const tags = ['Events'];

/** What happened: as history, and live over SSE or WebSocket. */
export const eventRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { journal, tickets, readers, sockets, clock } = context;

  app.route({
    method: 'GET',
    url: '/events',
    config: { access: { scope: 'events:read' } },
    schema: {
      summary: 'Read the history of events, oldest first',
      tags,
      querystring: History,
      response: answers(Type.Array(Envelope)),
    },
    handler: async (request) => history(request, request.query, journal),
  });

  app.route({
    method: 'POST',
    url: '/events/ticket',
    config: { access: { scope: 'events:read' } },
    schema: {
      summary: 'Get a ticket that opens one live stream within 60 seconds',
      tags,
      response: answers(Ticket),
    },
    handler: async (request) => {
      const { ticket, expiresUnixMs } = tickets.issue(keyOf(request));
      return ok(request, { ticket, expires_at: new Date(expiresUnixMs).toISOString() });
    },
  });

  // Without HEAD: it would hold a stream open that carries nothing.
  const live = {
    exposeHeadRoute: false,
    config: { access: { scope: 'events:read', takesTicket: true } },
  } as const;

  app.route({
    method: 'GET',
    url: '/events/stream',
    ...live,
    schema: {
      summary: 'Follow events as server-sent events; resumes with Last-Event-ID or from',
      tags,
      querystring: Live,
      produces: ['text/event-stream'],
    },
    handler: async (request, reply) => {
      const query = await streamQuery(request, request.query, journal);
      readers.admit(keyOf(request));
      readers.follow(keyOf(request), query, openSse(reply, query.from, clock));
    },
  });

  app.route({
    method: 'GET',
    url: '/events/ws',
    ...live,
    schema: { summary: 'Follow events over a WebSocket; resumes with from', tags, querystring: Live },
    handler: async (request, reply) => {
      const query = await streamQuery(request, request.query, journal);
      readers.admit(keyOf(request));
      const socket = await sockets.accept(request, reply);
      readers.follow(keyOf(request), query, wireOf(socket, query.from, clock));
    },
  });
};

/** What a reader asked for; one who did not say from where starts at the end, and is told where that is. */
async function streamQuery(
  request: FastifyRequest,
  query: Static<typeof Live>,
  journal: RouteContext['journal'],
): Promise<StreamQuery & { readonly from: string }> {
  const { workspaceId, testMode } = keyOf(request);
  const lastEventId = request.headers['last-event-id'];
  const from = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : query.from;
  if (from !== undefined) positionIn(from, 'from');
  return {
    workspaceId,
    testMode,
    types: typesOf(query.types),
    callId: query.call_id ?? null,
    agentId: query.agent_id ?? null,
    from: from ?? `${journal.epoch}-${(await journal.bounds()).last}`,
  };
}

function typesOf(types: string | undefined): string[] {
  return (types ?? '')
    .split(',')
    .map((type) => type.trim())
    .filter((type) => type !== '');
}

/** A cursor is `<epoch>-<n>` (contract.md §8). */
function positionIn(cursor: string, field: string): { readonly epoch: string; readonly position: number } {
  const found = /^(.+)-(\d{1,15})$/.exec(cursor);
  if (found === null) throw new VoiceError('invalid_argument', 'the cursor is not one of ours', { field });
  return { epoch: found[1] ?? '', position: Number(found[2]) };
}

interface Start {
  /** Exclusive. */
  readonly after: number;
  readonly gap?: { readonly from: number | null; readonly to: number | null };
}

async function history(
  request: FastifyRequest,
  query: Static<typeof History>,
  journal: RouteContext['journal'],
) {
  const { workspaceId, testMode, page, limit, cursor } = pageQuery(request, query);
  const { after, gap } = await startOf(cursor, journal);
  const read: JournalQuery = {
    workspaceId,
    testMode,
    ...(query.types !== undefined && { types: typesOf(query.types) }),
    ...(query.call_id !== undefined && { resourceId: query.call_id }),
    ...(query.agent_id !== undefined && { agentId: query.agent_id }),
    after,
    limit,
  };
  const entries = await pageIn(journal, read, cursor === undefined ? page : 1);
  const last = entries.at(-1);
  const next = last === undefined ? null : `${journal.epoch}-${last.position}`;
  return ok(
    request,
    entries.map(({ envelope }) => envelopeView(envelope)),
    {
      page: { page, limit, total: null, next_cursor: next },
      ...(gap !== undefined && { gap }),
    },
  );
}

/** Where a cursor leads, and what between it and there is no longer kept. */
async function startOf(cursor: string | undefined, journal: RouteContext['journal']): Promise<Start> {
  if (cursor === undefined) return { after: 0 };
  const { epoch, position } = positionIn(cursor, 'cursor');
  if (epoch !== journal.epoch) return { after: 0, gap: { from: null, to: null } };
  const { first } = await journal.bounds();
  if (position + 1 >= first) return { after: position };
  return { after: position, gap: { from: position + 1, to: first - 1 } };
}

async function pageIn(
  journal: RouteContext['journal'],
  query: JournalQuery,
  page: number,
): Promise<readonly JournalEntry[]> {
  if (page * query.limit > WALKED_ENTRIES_MAX) {
    throw new VoiceError('invalid_argument', 'so far back only the cursor leads', { field: 'page' });
  }
  let entries = await journal.read(query);
  for (let walked = 1; walked < page && entries.length > 0; walked++) {
    const last = entries.length < query.limit ? undefined : entries.at(-1);
    entries = last === undefined ? [] : await journal.read({ ...query, after: last.position });
  }
  return entries;
}

function envelopeView(envelope: EventEnvelope): Static<typeof Envelope> {
  return { ...envelope, resource: { ...envelope.resource }, data: { ...envelope.data } };
}
