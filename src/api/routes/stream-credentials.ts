import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { CredentialVerify } from '../../events/commands.ts';
import { answers, answersCreated, Deleted, Nullable, ok } from '../answers.ts';
import { requireAgent } from '../built-in-agents.ts';
import { isAddressRange } from '../door/addresses.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { StoredCredential } from '../ports.ts';
import { ById, Reference, type RouteContext } from './route-context.ts';

const SECRET_BYTES = 32;

const Verify = Type.Object(
  {
    auth_token: Type.Optional(
      Type.String({ minLength: 1, maxLength: 256, description: 'with which the provider signs its upgrade' }),
    ),
    ip_allow: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 100 })),
  },
  { additionalProperties: false },
);

const Wish = Type.Object(
  {
    dialect: Type.String({ maxLength: 32 }),
    agent_id: Type.Optional(Nullable(Reference)),
    label: Type.Optional(Nullable(Reference)),
    verify: Type.Optional(Verify),
  },
  { additionalProperties: false },
);

const Credential = Type.Object({
  id: Type.String(),
  dialect: Type.String(),
  agent_id: Nullable(Type.String()),
  label: Nullable(Type.String()),
  test_mode: Type.Boolean(),
  verify: Type.Array(Type.String(), { description: 'what is checked beside the path' }),
  created_at: Type.String(),
});

const FreshCredential = Type.Interface([Credential], {
  url: Type.String({ description: 'what the provider connects to; shown this once' }),
  credential: Type.String(),
  twiml: Type.Optional(Type.String({ description: 'for Twilio: connects the call to this URL' })),
});

const access = { scope: 'voice:connect' } as const;
const tags = ['Voice'];

/** Stream credentials: the static URLs that providers connect to. */
export const credentialRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { credentials } = context.ports;
  const publish = publisher(context);

  app.route({
    method: 'POST',
    url: '/voice/stream-credentials',
    config: { access },
    schema: {
      summary: 'Make a provider URL; it works once this has answered',
      tags,
      body: Wish,
      response: answersCreated(FreshCredential),
    },
    handler: async (request, reply) => {
      const secret = context.clock.randomBytes(SECRET_BYTES).toString('base64url');
      const credential = credentialOf(request.body, secret, keyOf(request), context);
      await credentials.create(credential);
      try {
        await publish();
      } catch (error) {
        // Its secret was never told, so nobody could use or revoke it.
        await credentials.remove(credential.workspaceId, credential.id);
        throw error;
      }
      reply.code(201);
      return ok(request, freshView(credential, secret, context));
    },
  });

  app.route({
    method: 'GET',
    url: '/voice/stream-credentials',
    config: { access },
    schema: {
      summary: 'List stream credentials',
      tags,
      querystring: PagingQuery,
      response: answers(Type.Array(Credential)),
    },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      return okPage(request, query, await credentials.list(query), credentialView);
    },
  });

  app.route({
    method: 'DELETE',
    url: '/voice/stream-credentials/:id',
    config: { access },
    schema: {
      summary: 'Revoke a provider URL; it is refused once this has answered',
      tags,
      params: ById,
      response: answers(Deleted),
    },
    handler: async (request) => {
      const { id } = request.params;
      const { workspaceId, testMode } = keyOf(request);
      const isOurs = (await credentials.view()).credentials.some(
        (other) => other.id === id && other.workspaceId === workspaceId && other.testMode === testMode,
      );
      if (!isOurs || !(await credentials.remove(workspaceId, id))) {
        throw new VoiceError('not_found', `there is no stream credential ${id}`);
      }
      await publish();
      return ok(request, { id, deleted: true as const });
    },
  });
};

/** Hands the nodes the current view, one view at a time so that an older one never arrives last. */
function publisher({ ports, nodes }: RouteContext): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const publishNow = async (): Promise<void> => nodes.applyCredentials(await ports.credentials.view());
  return () => {
    last = last.then(publishNow, publishNow);
    return last;
  };
}

function credentialOf(
  wish: Static<typeof Wish>,
  secret: string,
  key: { readonly workspaceId: string; readonly testMode: boolean },
  { settings, clock }: RouteContext,
): StoredCredential {
  if (!settings.dialects.includes(wish.dialect)) {
    const known = settings.dialects.join(', ');
    throw new VoiceError('invalid_argument', `known dialects are ${known}`, { field: 'dialect' });
  }
  return {
    id: newId('sc', clock),
    secretHash: sha256Hex(secret),
    workspaceId: key.workspaceId,
    dialect: wish.dialect,
    agentId: requireAgent(wish.agent_id),
    testMode: key.testMode,
    label: wish.label ?? null,
    createdAt: new Date(clock.unixMs()).toISOString(),
    ...(wish.verify !== undefined && { verify: checkedVerify(wish.verify) }),
  };
}

function checkedVerify({ auth_token, ip_allow }: Static<typeof Verify>): CredentialVerify {
  const wrong = ip_allow?.find((range) => !isAddressRange(range));
  if (wrong !== undefined) {
    throw new VoiceError('invalid_argument', `${wrong} is no address or CIDR`, { field: 'verify.ip_allow' });
  }
  return { ...(auth_token !== undefined && { auth_token }), ...(ip_allow !== undefined && { ip_allow }) };
}

function credentialView(credential: StoredCredential): Static<typeof Credential> {
  return {
    id: credential.id,
    dialect: credential.dialect,
    agent_id: credential.agentId,
    label: credential.label,
    test_mode: credential.testMode,
    verify: Object.keys(credential.verify ?? {}),
    created_at: credential.createdAt,
  };
}

function freshView(
  credential: StoredCredential,
  secret: string,
  { settings }: RouteContext,
): Static<typeof FreshCredential> {
  const url = `${settings.mediaUrl().replace(/\/$/, '')}/media/${credential.dialect}/${secret}`;
  const view = { ...credentialView(credential), url, credential: secret };
  return credential.dialect === 'twilio' ? { ...view, twiml: twimlFor(url) } : view;
}

/** `<Connect><Stream>` is the bidirectional one (Twilio, TwiML `<Stream>`). */
function twimlFor(url: string): string {
  const escaped = url.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  const body = `<Response><Connect><Stream url="${escaped}"/></Connect></Response>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}
