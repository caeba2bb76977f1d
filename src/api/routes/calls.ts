import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import type { CallView } from '../../events/call-view.ts';
import { answers, Nullable, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PAGING } from '../lists.ts';
import type { CallStore } from '../ports.ts';
import { ById, Reference, type RouteContext } from './route-context.ts';

const State = Type.String({ enum: ['ringing', 'active', 'ending', 'ended'] });
const Direction = Type.String({ enum: ['inbound', 'outbound'] });

const Leg = Type.Object({
  leg_id: Type.String(),
  role: Type.String(),
  dialect: Type.String(),
  codec: Nullable(Type.String()),
  connected_at: Type.String(),
  disconnected_at: Nullable(Type.String()),
  reason: Nullable(Type.String()),
});

const TimelineEntry = Type.Object({
  sequence: Type.Integer(),
  type: Type.String(),
  at: Type.String(),
  leg_id: Type.Optional(Type.String()),
});

const Listed = Type.Object({
  id: Type.String(),
  state: State,
  direction: Direction,
  from: Nullable(Type.String()),
  to: Nullable(Type.String()),
  agent_id: Nullable(Type.String()),
  conversation_id: Type.String(),
  lead_id: Nullable(Type.String()),
  contact_id: Nullable(Type.String()),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  test_mode: Type.Boolean(),
  started_at: Type.String(),
  ended_at: Nullable(Type.String()),
  end_reason: Nullable(Type.String()),
  node: Type.String(),
  region: Type.String(),
});

const Call = Type.Interface([Listed], {
  legs: Type.Array(Leg),
  timeline: Type.Array(TimelineEntry),
  quality: Type.Record(Type.String(), Type.Unknown()),
  cost: Nullable(Type.Record(Type.String(), Type.Unknown())),
  erased_at: Nullable(Type.String({ description: 'when numbers, words and recordings were erased' })),
});

const Filters = Type.Object(
  {
    ...PAGING,
    state: Type.Optional(State),
    direction: Type.Optional(Direction),
    agent_id: Type.Optional(Reference),
    from: Type.Optional(Reference),
    to: Type.Optional(Reference),
  },
  { additionalProperties: false },
);

const tags = ['Calls'];

/** Calls, live and ended. */
export const callRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, { ports }) => {
  app.route({
    method: 'GET',
    url: '/calls',
    config: { access: { scope: 'calls:read' } },
    schema: {
      summary: 'List calls, newest first',
      tags,
      querystring: Filters,
      response: answers(Type.Array(Listed)),
    },
    handler: async (request) => {
      const { agent_id: agentId, state, direction, from, to } = request.query;
      const filters = definedOnly({ agentId, state, direction, from, to });
      const query = { ...pageQuery(request, request.query), ...filters };
      return okPage(request, query, await ports.calls.list(query), listedView);
    },
  });

  app.route({
    method: 'GET',
    url: '/calls/:id',
    config: { access: { scope: 'calls:read' } },
    schema: { summary: 'Read one call', tags, params: ById, response: answers(Call) },
    handler: async (request) =>
      ok(request, callView(await requireCall(request, request.params.id, ports.calls))),
  });
};

/** The call as this key may see it. */
export async function requireCall(request: FastifyRequest, id: string, calls: CallStore): Promise<CallView> {
  const { workspaceId, testMode } = keyOf(request);
  const call = await calls.get(workspaceId, id);
  if (call === undefined || call.test_mode !== testMode) {
    throw new VoiceError('not_found', `there is no call ${id}`);
  }
  return call;
}

type Defined<T> = { [name in keyof T]?: Exclude<T[name], undefined> };

function definedOnly<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function listedView(call: CallView): Static<typeof Listed> {
  const { call_id: _, ...head } = call.head;
  return {
    id: call.id,
    state: call.state,
    ...head,
    test_mode: call.test_mode,
    ended_at: call.ended_at,
    end_reason: call.end_reason,
    node: call.node,
    region: call.region,
  };
}

function callView(call: CallView): Static<typeof Call> {
  return {
    ...listedView(call),
    legs: [...call.legs],
    timeline: [...call.timeline],
    quality: call.quality,
    cost: call.cost,
    erased_at: call.erased_at ?? null,
  };
}
