import type { FastifyPluginAsync } from 'fastify';
import type { RouteContext } from './route-context.ts';

/** What orchestrators and Prometheus ask: no key, no envelope, no documentation. */
export const operationsRoutes: FastifyPluginAsync<RouteContext> = async (app, { isReady, renderMetrics }) => {
  const schema = { hide: true };

  app.get('/healthz', { schema }, async () => ({ status: 'ok' }));

  app.get('/readyz', { schema }, async (_request, reply) => {
    const ready = isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not_ready' });
  });

  app.get('/metrics', { schema }, async (_request, reply) => {
    const { contentType, body } = await renderMetrics();
    return reply.header('content-type', contentType).send(body);
  });
};
