import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { StreamCredential } from '../../events/commands.ts';
import { answers, answersCreated, Deleted, ok } from '../answers.ts';
import { requireAgent } from '../built-in-agents.ts';
import { requireCheckable, requireOptions, requireUsable, termsFor } from '../credential-terms.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { CredentialStore, StoredCredential } from '../ports.ts';
import { ById, type RouteContext } from './route-context.ts';
import {
  Credential,
  CredentialChange,
  credentialView,
  CredentialWish,
  FreshCredential,
  freshCredentialView,
} from './voice/credential-shapes.ts';

const SECRET_BYTES = 32;

interface KeyPlace {
  readonly workspaceId: string;
  readonly testMode: boolean;
}

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
      body: CredentialWish,
      response: answersCreated(FreshCredential),
    },
    handler: async (request, reply) => {
      const secret = context.clock.randomBytes(SECRET_BYTES).toString('base64url');
      const key = keyOf(request);
      const agentId = await requireAgent(request.body.agent_id, key, context.agents);
      const credential = { ...credentialOf(request.body, secret, key, context), agentId };
      await requireReachable(credential.control?.base_url, context);
      await credentials.create(credential);
      try {
        await publish();
      } catch (error) {
        // Its secret was never told, so nobody could use or revoke it.
        await credentials.remove(credential.workspaceId, credential.id);
        throw error;
      }
      reply.code(201);
      return ok(request, freshCredentialView(credential, secret, context));
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

  // The prefix of these routes holds for those already.
  await app.register(credentialChangeRoutes, { ...context, publish, prefix: '' });
};

type ChangeContext = RouteContext & { readonly publish: () => Promise<void> };

/** What becomes of a credential that is there. */
const credentialChangeRoutes: FastifyPluginAsyncTypebox<ChangeContext> = async (app, context) => {
  const { ports, publish } = context;
  const { credentials } = ports;

  app.route({
    method: 'PATCH',
    url: '/voice/stream-credentials/:id',
    config: { access },
    schema: {
      summary: 'Give a stream credential another REST account of its provider, or take it away',
      tags,
      params: ById,
      body: CredentialChange,
      response: answers(Credential),
    },
    handler: async (request) => {
      const { id } = request.params;
      const { control } = request.body;
      const key = keyOf(request);
      const { dialect } = await requireOwn(id, key, credentials);
      if (control !== null) requireUsable(control, dialect);
      await requireReachable(control?.base_url, context);
      const changed = await credentials.setControl(key.workspaceId, id, control);
      if (changed === undefined) throw notFound(id);
      await publish();
      return ok(request, credentialView(changed));
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
      const key = keyOf(request);
      await requireOwn(id, key, credentials);
      if (!(await credentials.remove(key.workspaceId, id))) throw notFound(id);
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

/** A key of the other mode or of another workspace has nothing to change or to revoke. */
async function requireOwn(
  id: string,
  key: KeyPlace,
  credentials: CredentialStore,
): Promise<StreamCredential> {
  const { workspaceId, testMode } = key;
  const ours = (await credentials.view()).credentials.find(
    (other) => other.id === id && other.workspaceId === workspaceId && other.testMode === testMode,
  );
  if (ours === undefined) throw notFound(id);
  return ours;
}

function notFound(id: string): VoiceError {
  return new VoiceError('not_found', `there is no stream credential ${id}`);
}

function credentialOf(
  wish: Static<typeof CredentialWish>,
  secret: string,
  key: KeyPlace,
  { settings, clock }: RouteContext,
): Omit<StoredCredential, 'agentId'> {
  const { verify, options, control } = wish;
  const terms = termsFor(wish.dialect, settings.dialects);
  if (verify !== undefined) requireCheckable(verify, terms);
  if (options !== undefined) requireOptions(options, terms);
  if (control !== undefined) requireUsable(control, wish.dialect);
  return {
    id: newId('sc', clock),
    secretHash: sha256Hex(secret),
    workspaceId: key.workspaceId,
    dialect: wish.dialect,
    testMode: key.testMode,
    label: wish.label ?? null,
    createdAt: new Date(clock.unixMs()).toISOString(),
    ...(verify !== undefined && { verify }),
    ...(options !== undefined && { options }),
    ...(control !== undefined && { control }),
  };
}

/** What hooks may not reach, the provider's API is not at either. */
async function requireReachable(url: string | undefined, { delivery }: RouteContext): Promise<void> {
  const refusal = url === undefined ? undefined : await delivery.checkUrl(url);
  if (refusal !== undefined)
    throw new VoiceError(refusal.fault, refusal.detail, { field: 'control.base_url' });
}
