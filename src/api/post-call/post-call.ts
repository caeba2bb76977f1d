import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { POST_CALL_SCHEMA } from '../../events/post-call-schema.ts';
import { answers, Nullable, ok } from '../answers.ts';
import { requireCall } from '../routes/calls.ts';
import { ById, type RouteContext } from '../routes/route-context.ts';
import type { ToldSegment } from './post-call-desk.ts';

const Segment = Type.Object({
  sequence: Type.Integer({ description: 'of the event that told it' }),
  at: Type.String(),
  leg_id: Nullable(Type.String()),
  speaker: Type.String(),
  text: Type.String(),
  start_ms: Nullable(Type.Number()),
  end_ms: Nullable(Type.Number()),
});

const Transcript = Type.Object({
  call_id: Type.String(),
  is_complete: Type.Boolean({ description: 'the call is over: nothing more is written down' }),
  segments: Type.Array(Segment),
  next_cursor: Nullable(Type.String()),
});

const Paging = Type.Object(
  {
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  { additionalProperties: false },
);

const Erased = Type.Object({ id: Type.String(), erased: Type.Literal(true) });

const LIMIT = 1_000;
/** Beneath the base of all routes. */
const POST_CALL_SCHEMA_PATH = '/schemas/post-call.json';
const tags = ['Calls'];

/** What is left of calls: their words, and how all of it is erased. */
export const postCallRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, { postCall, ports }) => {
  app.route({
    method: 'GET',
    url: '/calls/:id/transcript',
    config: { access: { scope: 'calls:read' } },
    schema: {
      summary: 'Read what was said, in the order it was written down; while the call runs, so far',
      tags,
      params: ById,
      querystring: Paging,
      response: answers(Transcript),
    },
    handler: async (request) => {
      const call = await requireCall(request, request.params.id, ports.calls);
      if (call.erased_at !== undefined) throw new VoiceError('not_found', 'this call was erased');
      const { cursor, limit = LIMIT } = request.query;
      const { segments, nextCursor } = await postCall.transcript(call, { cursor, limit });
      return ok(request, {
        call_id: call.id,
        is_complete: call.completed,
        segments: segments.map(segmentView),
        next_cursor: nextCursor,
      });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/calls/:id',
    config: { access: { scope: 'calls:write' } },
    schema: {
      summary: 'Erase recordings, transcript and numbers of a call that is over; ids and times stay',
      tags,
      params: ById,
      response: answers(Erased),
    },
    handler: async (request) => {
      const call = await requireCall(request, request.params.id, ports.calls);
      if (!call.completed) {
        throw new VoiceError('failed_precondition', 'this call is not over: hang up first');
      }
      await postCall.erase(call);
      return ok(request, { id: call.id, erased: true as const });
    },
  });

  app.get(POST_CALL_SCHEMA_PATH, { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/schema+json').send(POST_CALL_SCHEMA),
  );
};

function segmentView({ sequence, at, legId, speaker, text, start_ms, end_ms }: ToldSegment) {
  return { sequence, at, leg_id: legId, speaker, text, start_ms, end_ms };
}
