import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { KNOWN_VERSIONS } from './versions.ts';

/** Collects the description of every route registered after it, and serves it at `/docs`. */
export async function installDocumentation(app: FastifyInstance, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Omnivoice',
        description: 'Realtime voice runtime: calls, hooks and live events.',
        version: KNOWN_VERSIONS[0] ?? '',
      },
      servers: [{ url: publicUrl }],
      externalDocs: {
        description: 'JSON Schema of the post-call payload: data of call_completed and call_analyzed',
        url: `${publicUrl}/api/v1/schemas/post-call.json`,
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        },
      },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { docExpansion: 'list' },
  });
}
