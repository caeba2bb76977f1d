import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import { isObject } from '../../base/json.ts';
import type { Access } from '../door/door.ts';
import { KNOWN_VERSIONS } from '../versions.ts';
import { EXAMPLES } from './examples.ts';

const BASE = '/api/v1';

const INTRODUCTION = `Realtime voice runtime: calls, hooks and live events.

Each request carries a key, \`Authorization: Bearer omf_live_…\`. Answers are \`{success, data, meta}\`,
refusals \`{success, error: {code, message, field?}, meta}\`. Lists take \`page\` and \`limit\`, or
\`cursor\`. A POST with an \`Idempotency-Key\` happens once within 24 hours. \`Omniflow-Version\` asks for
another version than the key's own: ${KNOWN_VERSIONS.join(', ')}. More is in docs/api.md of the checkout.`;

/** Collects the description of every route registered after it, and serves it at `/docs`. */
export async function installDocumentation(app: FastifyInstance, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => ({ url, schema: told(schema, url, route) }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Omnivoice',
        description: INTRODUCTION,
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

/** What a route's schema says, and beside it the scope it wants and a body to try. */
function told(schema: FastifySchema, url: string, { method, config }: RouteOptions): FastifySchema {
  const path = url.replace(BASE, '').replaceAll(/:(\w+)/g, '{$1}');
  const example = EXAMPLES[`${[method].flat()[0]} ${path}`];
  return {
    ...schema,
    ...(example !== undefined && isObject(schema.body) && { body: { ...schema.body, examples: [example] } }),
    ...wanted(config?.access),
  };
}

function wanted(access: Access | undefined): FastifySchema {
  if (access === undefined) return {};
  const scopes = [access.scope];
  return {
    description: `Wants the scope \`${access.scope}\`.`,
    security: [{ bearer: scopes }, { apiKey: scopes }],
  };
}
