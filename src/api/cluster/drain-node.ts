import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { answersBegun, ok } from '../answers.ts';
import { ById, type RouteContext } from '../routes/route-context.ts';

const Draining = Type.Object({
  id: Type.String(),
  state: Type.Literal('draining', { description: 'how far it is, `GET /cluster` tells' }),
});

/** Has a node leave, whichever host it is on. Asked again it changes nothing. */
export const drainNodeRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, { cluster, nodes }) => {
  app.route({
    method: 'POST',
    url: '/nodes/:id/drain',
    config: { access: { scope: 'ops' } },
    schema: {
      summary: 'Drain a node: it takes nothing new, its calls move to others, and a new life takes its place',
      tags: ['Cluster'],
      params: ById,
      response: answersBegun(Draining),
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      if (!cluster.view().nodes.some((node) => node.id === id)) {
        throw new VoiceError('not_found', 'no node has this id; GET /cluster has them');
      }
      const result = await nodes.drain(id);
      if (!result.ok) throw new VoiceError(result.fault, result.detail);
      reply.code(202);
      return ok(request, { id, state: 'draining' as const });
    },
  });
};
