import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { answers, Nullable, ok } from '../answers.ts';
import { ask, commandOf } from './call-commands.ts';
import { ById, type RouteContext } from './route-context.ts';

const ByHandover = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 64 }),
  hid: Type.String({ minLength: 1, maxLength: 64 }),
});

const Target = Type.Object(
  {
    type: Type.String({ enum: ['console', 'queue', 'ws', 'leg', 'phone'] }),
    to: Type.String({ minLength: 1, maxLength: 1024, description: 'a name, a leg, a URL or a number' }),
  },
  { additionalProperties: false },
);

const HandoverWanted = Type.Object(
  {
    target: Target,
    mode: Type.Optional(Type.String({ enum: ['cold', 'warm', 'whisper'], default: 'cold' })),
    reason: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 1024 }))),
    context: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    timeout_ms: Type.Optional(Type.Number({ minimum: 1_000, maximum: 600_000, default: 30_000 })),
    hold: Type.Optional(Type.String({ enum: ['music', 'silence', 'agent_keeps_talking'], default: 'music' })),
  },
  { additionalProperties: false },
);

const Started = Type.Object({
  handover_id: Type.String(),
  state: Type.String({ enum: ['offered', 'consulting', 'bridged'] }),
  mode: Type.String(),
  target: Target,
  context: Type.Record(Type.String(), Type.Unknown()),
  join: Type.Optional(
    Type.Object(
      {
        ws_url: Type.String(),
        token: Type.String({ description: 'good for one handshake within 5 minutes' }),
        expires_at: Type.String(),
      },
      { description: 'where the target joins by `omnivoice.v1`' },
    ),
  ),
});
const Answered = Type.Object({ handover_id: Type.String(), state: Type.String() });

const VERDICTS = {
  accept: 'The target takes the call',
  decline: 'The target does not take the call',
  complete: 'The consultation is over: the caller is joined with the target',
  cancel: 'The call goes back to whoever had it',
} as const;

const tags = ['Calls'];
const config = { access: { scope: 'calls:write' } } as const;

/** Handing the caller of a live call over, and what is said to that. */
export const handoverRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  app.route({
    method: 'POST',
    url: '/calls/:id/handover',
    config,
    schema: {
      summary: 'Hand the caller over; `transfer_success` or `transfer_failed` tells what came of it',
      tags,
      params: ById,
      body: HandoverWanted,
      response: answers(Started),
    },
    handler: async (request) => {
      const command = commandOf('hand_over', request.body);
      const started = await ask(request, context, request.params.id, command);
      return ok(request, started as Static<typeof Started>);
    },
  });

  for (const [verdict, summary] of Object.entries(VERDICTS)) {
    app.route({
      method: 'POST',
      url: `/calls/:id/handover/:hid/${verdict}`,
      config,
      schema: { summary, tags, params: ByHandover, response: answers(Answered) },
      handler: async (request) => {
        const { id, hid: handover_id } = request.params;
        const command = commandOf('answer_handover', { handover_id, verdict });
        return ok(request, (await ask(request, context, id, command)) as Static<typeof Answered>);
      },
    });
  }
};
