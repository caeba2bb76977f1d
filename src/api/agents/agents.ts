import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Clock } from '../../base/clock.ts';
import { VoiceError } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { MIB } from '../../base/units.ts';
import type { AgentTerms } from '../../events/agents.ts';
import { answers, answersCreated, ok } from '../answers.ts';
import { keyOf } from '../door/door.ts';
import { okPage, pageQuery, PagingQuery } from '../lists.ts';
import { ById, Reference, type RouteContext } from '../routes/route-context.ts';
import type { AgentDesk, Publication, StoredAgent } from './agent-desk.ts';
import { publishedEvent } from './agent-events.ts';
import { AgentShape, AgentWish, RuntimeShape, TrialShape } from './agent-shapes.ts';
import { termsOf } from './agent-terms.ts';
import { httpToolViews } from './tool-shapes.ts';
import { httpToolsOf } from './tool-terms.ts';

const AGENTS_MAX = 500;
/** All published agents travel to a node in one message, which holds 8 MiB. */
const VIEW_BYTES_MAX = 6 * MIB;

const NOTHING_SHOWN = { http_tools: [] };

const tags = ['Agents'];
const reads = { access: { scope: 'agents:read' } } as const;
const writes = { access: { scope: 'agents:write' } } as const;

/** Agents: who answers calls. What is changed is a draft until it is published. */
export const agentRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { agents, clock } = context;
  const { store } = agents;

  app.route({
    method: 'POST',
    url: '/agents',
    config: writes,
    schema: {
      summary: 'Make an agent; it answers calls once it is published',
      tags,
      body: AgentWish,
      response: answersCreated(AgentShape),
    },
    handler: async (request, reply) => {
      const { workspaceId, testMode } = keyOf(request);
      if ((await store.count({ workspaceId })) >= AGENTS_MAX) {
        throw new VoiceError('failed_precondition', `a workspace has at most ${AGENTS_MAX} agents`);
      }
      const draft = await draftOf(request.body, undefined, context);
      const fresh = { version: 0, createdAt: isoNow(clock), published: null, publishedAt: null };
      const agent: StoredAgent = { id: newId('agt', clock), workspaceId, testMode, draft, ...fresh };
      await store.create(agent);
      reply.code(201);
      return ok(request, agentView(agent, NOTHING_SHOWN));
    },
  });

  app.route({
    method: 'GET',
    url: '/agents',
    config: reads,
    schema: {
      summary: 'List agents',
      tags,
      querystring: PagingQuery,
      response: answers(Type.Array(AgentShape)),
    },
    handler: async (request) => {
      const query = pageQuery(request, request.query);
      return okPage(request, query, await store.list(query), (agent) => agentView(agent));
    },
  });

  app.route({
    method: 'GET',
    url: '/agents/:id',
    config: reads,
    schema: { summary: 'Read one agent', tags, params: ById, response: answers(AgentShape) },
    handler: async (request) => ok(request, agentView(await requireOwn(request, request.params.id, agents))),
  });
};

/** The draft of an agent, and what calls know of it. */
export const agentDraftRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, context) => {
  const { agents } = context;
  const { store } = agents;
  const publish = publisher(context);

  app.route({
    method: 'PATCH',
    url: '/agents/:id',
    config: writes,
    schema: {
      summary: 'Change the draft of an agent; calls go on with what is published',
      tags,
      params: ById,
      body: AgentWish,
      response: answers(AgentShape),
    },
    handler: async (request) => {
      const agent = await requireOwn(request, request.params.id, agents);
      const draft = await draftOf(request.body, agent.draft, context);
      await store.redraft(agent.id, draft);
      return ok(request, agentView({ ...agent, draft }, agent.draft));
    },
  });

  app.route({
    method: 'POST',
    url: '/agents/:id/publish',
    config: writes,
    schema: {
      summary: 'Publish the draft: new calls are answered by it once this has answered',
      tags,
      params: ById,
      response: answers(AgentShape),
    },
    handler: async (request) => {
      const agent = await requireOwn(request, request.params.id, agents);
      await publish(agent);
      return ok(request, agentView(await requireOwn(request, agent.id, agents)));
    },
  });

  await agentUseRoutes(app, context);
};

/** An agent as calls would meet it. */
const agentUseRoutes: FastifyPluginAsyncTypebox<RouteContext> = async (app, { agents }) => {
  app.route({
    method: 'POST',
    url: '/agents/:id/test',
    config: writes,
    schema: {
      summary: 'Dial every backend of the draft once, without a call, and tell what came of each',
      tags,
      params: ById,
      response: answers(TrialShape),
    },
    handler: async (request) => {
      const { id, draft } = await requireOwn(request, request.params.id, agents);
      const backends = await agents.tryOut(draft);
      const shown = backends.map((trial) => ({ ...trial }));
      return ok(request, { agent_id: id, ok: shown.some((trial) => trial.ok), backends: shown });
    },
  });

  app.route({
    method: 'GET',
    url: '/runtime-config',
    config: reads,
    schema: {
      summary: 'What calls know of an agent now',
      tags,
      querystring: Type.Object({ agent_id: Reference }, { additionalProperties: false }),
      response: answers(RuntimeShape),
    },
    handler: async (request) => {
      const { agent_id } = request.query;
      const { published, version } = await requireOwn(request, agent_id, agents);
      if (published === null) throw new VoiceError('failed_precondition', `${agent_id} is not published`);
      return ok(request, { agent_id, version, ...termsView(published) });
    },
  });
};

function isoNow(clock: Pick<Clock, 'unixMs'>): string {
  return new Date(clock.unixMs()).toISOString();
}

/** Publishes one agent at a time, so that an older view never reaches the nodes last. */
function publisher({ agents: desk, clock, settings }: RouteContext): (agent: StoredAgent) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const { store } = desk;
  const publishNow = async (agent: StoredAgent): Promise<void> => {
    const { id, draft } = agent;
    const { agents } = await store.view();
    const others = agents.filter((other) => other.id !== id);
    if (Buffer.byteLength(JSON.stringify([...others, draft])) > VIEW_BYTES_MAX) {
      throw new VoiceError('failed_precondition', 'published agents are at most 6 MiB together');
    }
    const at = { clock, region: settings.region };
    const eventOf: Publication['eventOf'] = (place) => publishedEvent(agent, at, place);
    await desk.tell(store.publish({ id, terms: draft, publishedAt: isoNow(clock), eventOf }));
    await desk.apply(await store.view());
  };
  return (agent) => {
    const run = (): Promise<void> => publishNow(agent);
    const publishing = last.then(run, run);
    last = publishing.catch(() => undefined);
    return publishing;
  };
}

async function requireOwn(request: FastifyRequest, id: string, { store }: AgentDesk): Promise<StoredAgent> {
  const agent = await store.get(keyOf(request), id);
  if (agent !== undefined) return agent;
  throw new VoiceError('not_found', `there is no agent ${id}`);
}

async function draftOf(
  wish: AgentWish,
  before: AgentTerms | undefined,
  context: RouteContext,
): Promise<AgentTerms> {
  const { dialects } = context.agents;
  // The terms first: what is wrong with them costs nobody a look at a name or a schema.
  const draft = termsOf(wish, before, dialects);
  if (wish.http_tools === undefined) return draft;
  return { ...draft, http_tools: await httpToolsOf(wish.http_tools, before, context) };
}

/** `before`: the terms whose secrets were shown already. */
function agentView(agent: StoredAgent, before?: Pick<AgentTerms, 'http_tools'>): Static<typeof AgentShape> {
  const { id, testMode: test_mode, version, draft, published } = agent;
  return {
    id,
    test_mode,
    version,
    has_changes: JSON.stringify(draft) !== JSON.stringify(published),
    created_at: agent.createdAt,
    published_at: agent.publishedAt,
    ...termsView(draft, before),
  };
}

function termsView(terms: AgentTerms, before?: Pick<AgentTerms, 'http_tools'>) {
  const backends = terms.backends.map(({ api_key, ...backend }) => ({
    ...backend,
    has_api_key: api_key !== null,
  }));
  return { ...terms, tools: [...terms.tools], backends, http_tools: httpToolViews(terms, before) };
}
