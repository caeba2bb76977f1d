import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { sha256Hex } from '../../base/secret.ts';
import type { StreamCredential } from '../../events/commands.ts';
import { answers, answersCreated, Deleted, Nullable, ok } from '../answers.ts';
import { requireAgent } from '../built-in-agents.ts';
import { requireCheckable, requireOptions, requireUsable, termsFor } from '../credential-terms.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import type { CredentialStore, StoredCredential } from '../ports.ts';
import { languageOf } from '../../providers/answers/languages.ts';
import { readyConfiguration } from '../ready-configuration.ts';
import { ById, Reference, type RouteContext } from './route-context.ts';

const SECRET_BYTES = 32;

interface KeyPlace {
  readonly workspaceId: string;
  readonly testMode: boolean;
}

const Secret = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description }));

const Verify = Type.Object(
  {
    auth_token: Secret('with which the provider signs its upgrade (Twilio, Plivo)'),
    signature_secret: Secret('signs the upgrade (Vonage: signature secret; Genesys: client secret, base64)'),
    api_key: Secret('sent as it is in a header of the protocol (Genesys: X-API-KEY; Telnyx: its auth token)'),
    public_key: Secret('checks what the provider signs of its webhooks (Telnyx: Ed25519, base64)'),
    audience: Secret('for whom the provider’s own JWT must be (Azure: the resource’s immutable id)'),
    keys_url: Type.Optional(
      Type.String({
        maxLength: 1024,
        pattern: '^https?://[^\\s]+$',
        description: 'where the keys of that JWT are, when not at the provider’s public address',
      }),
    ),
    bearer: Secret('`Authorization: Bearer …`'),
    basic: Type.Optional(
      Type.Object(
        // RFC 7617 §2: the first colon ends the user's name.
        {
          username: Type.String({ maxLength: 256, pattern: '^[^:]+$' }),
          password: Type.String({ minLength: 1, maxLength: 256 }),
        },
        { additionalProperties: false, description: '`Authorization: Basic …`' },
      ),
    ),
    ip_allow: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 100 })),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'how the provider proves itself; all must hold',
  },
);

const Options = Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 64 }), {
  maxProperties: 32,
  description: 'unconfirmed facts of the protocol’s wire (docs/dialects.md), where they are not its defaults',
});

const Control = Type.Object(
  {
    base_url: Type.Optional(Type.String({ maxLength: 1024, pattern: '^https?://[^\\s]+$' })),
    account: Type.String({ minLength: 1, maxLength: 256 }),
    secret: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  {
    additionalProperties: false,
    description: 'the provider’s REST account: hang-up, phone transfer, redirect',
  },
);

const Wish = Type.Object(
  {
    dialect: Type.String({ maxLength: 32 }),
    agent_id: Type.Optional(Nullable(Reference)),
    label: Type.Optional(Nullable(Reference)),
    verify: Type.Optional(Verify),
    options: Type.Optional(Options),
    control: Type.Optional(Control),
  },
  { additionalProperties: false },
);

const Change = Type.Object({ control: Nullable(Control) }, { additionalProperties: false });

const Credential = Type.Object({
  id: Type.String(),
  dialect: Type.String(),
  agent_id: Nullable(Type.String()),
  label: Nullable(Type.String()),
  test_mode: Type.Boolean(),
  verify: Type.Array(Type.String(), { description: 'what is checked beside the path' }),
  options: Type.Record(Type.String(), Type.String()),
  control: Nullable(Type.Object({ base_url: Nullable(Type.String()), account: Type.String() })),
  created_at: Type.String(),
});

const FreshCredential = Type.Interface([Credential], {
  url: Type.String({ description: 'what the provider connects to; shown this once' }),
  credential: Type.String(),
  answer_url: Type.Optional(
    Type.String({ description: 'what the provider asks when a call comes in; shown this once' }),
  ),
  status_url: Type.Optional(Type.String({ description: 'where the provider tells what became of a call' })),
  configuration: Type.Optional(
    Type.Object(
      { kind: Type.String(), text: Type.String() },
      { description: 'what the provider is given: TwiML, TeXML, NCCO …; secrets are in it, shown this once' },
    ),
  ),
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
      body: Change,
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
  wish: Static<typeof Wish>,
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

function credentialView(credential: StoredCredential): Static<typeof Credential> {
  const { control } = credential;
  return {
    id: credential.id,
    dialect: credential.dialect,
    agent_id: credential.agentId,
    label: credential.label,
    test_mode: credential.testMode,
    verify: Object.keys(credential.verify ?? {}),
    options: credential.options ?? {},
    control: control === undefined ? null : { base_url: control.base_url ?? null, account: control.account },
    created_at: credential.createdAt,
  };
}

function freshView(
  credential: StoredCredential,
  secret: string,
  { settings }: RouteContext,
): Static<typeof FreshCredential> {
  const url = `${settings.mediaUrl().replace(/\/$/, '')}/media/${credential.dialect}/${secret}`;
  const configuration = readyConfiguration(credential.dialect, url, credential);
  const asked = askedUrls(credential.dialect, secret, settings);
  const view = { ...credentialView(credential), url, credential: secret, ...asked };
  if (configuration === undefined) return view;
  const twiml = credential.dialect === 'twilio' ? { twiml: configuration.text } : {};
  return { ...view, configuration, ...twiml };
}

/** Where a provider that asks for a document finds it. */
function askedUrls(dialect: string, secret: string, { publicUrl }: RouteContext['settings']) {
  if (languageOf(dialect) === undefined) return {};
  const urlOf = (what: string): string =>
    `${publicUrl.replace(/\/$/, '')}/api/v1/voice/${what}/${dialect}/${secret}`;
  return { answer_url: urlOf('answer'), status_url: urlOf('status') };
}
