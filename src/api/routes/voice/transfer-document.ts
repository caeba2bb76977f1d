import type { FastifyPluginAsync } from 'fastify';
import { languageOf } from '../../../providers/answers/languages.ts';
import { queryOf } from '../../../providers/answers/webhook.ts';
import type { RouteContext } from '../route-context.ts';
import { ProviderGate } from './provider-gate.ts';

/** Nothing of what a provider says here is read. */
const BODY_BYTES_MAX = 65_536;

/**
 * Where a provider fetches the document that sends a call to a telephone: at the address it was told over
 * REST, by the ticket in it (docs/providers/control.md).
 */
export const transferRoutes: FastifyPluginAsync<RouteContext> = async (app, context) => {
  const { ports, clock, providers, voiceStats: stats } = context;
  const gate = new ProviderGate({ credentials: ports.credentials, clock, stats });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.route({
    method: ['GET', 'POST'],
    url: '/voice/transfer',
    bodyLimit: BODY_BYTES_MAX,
    config: { isInbound: true },
    schema: { hide: true },
    handler: async ({ raw, ip }, reply) => {
      const query = raw.url?.split('?', 2)[1] ?? '';
      const document = await gate.find(ip, async () => {
        const ticket = providers?.transfers?.take(queryOf({ query })['ticket'] ?? '');
        return ticket === undefined ? undefined : languageOf(ticket.dialect)?.dial?.(ticket);
      });
      return reply.header('cache-control', 'no-store').type(document.contentType).send(document.text);
    },
  });
};
