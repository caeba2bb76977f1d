import type { Server } from 'node:http';
import helmet from '@fastify/helmet';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import underPressure from '@fastify/under-pressure';
import Fastify, { type FastifyInstance } from 'fastify';
import { VoiceError } from '../base/errors.ts';
import { newId } from '../base/ids.ts';
import { isObject } from '../base/json.ts';
import { MIB } from '../base/units.ts';
import { clusterRoutes } from './cluster/cluster.ts';
import { drainNodeRoutes } from './cluster/drain-node.ts';
import { agentDraftRoutes, agentRoutes } from './agents/agents.ts';
import { postCallRoutes } from './post-call/post-call.ts';
import { recordingRoutes } from './recordings/recordings.ts';
import type { ApiOptions, ApiSettings, TlsPair } from './api-options.ts';
import { installDocumentation } from './documentation/documentation.ts';
import { installDoor } from './door/door.ts';
import { KeyDirectory } from './door/key-directory.ts';
import { FailureGuard, RateLimits } from './door/rate-limits.ts';
import { Tickets } from './door/tickets.ts';
import { answerBrokenRequest, answerFault, installFaults } from './faults.ts';
import { installIdempotency } from './idempotency.ts';
import { newInboundStats } from './inbound/inbound-gate.ts';
import { Listener } from './listener.ts';
import { LiveReaders } from './live/live-readers.ts';
import { QueueMembers } from './live/queue-members.ts';
import { EventSockets } from './live/socket.ts';
import { callCommandRoutes } from './routes/call-commands.ts';
import { handoverRoutes } from './routes/handovers.ts';
import { callRoutes } from './routes/calls.ts';
import { eventRoutes } from './routes/events.ts';
import { keyRoutes } from './routes/keys.ts';
import { inboundDetailRoutes, inboundRoutes } from './routes/inbound/inbound-webhooks.ts';
import { inboundReceiver } from './routes/inbound/receive.ts';
import { providerRoutes } from './routes/voice/provider-requests.ts';
import { transferRoutes } from './routes/voice/transfer-document.ts';
import { newProviderStats } from './routes/voice/provider-gate.ts';
import { queueMemberRoutes, queueRoutes } from './routes/queues.ts';
import { operationsRoutes } from './routes/operations.ts';
import type { RouteContext } from './routes/route-context.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { credentialRoutes } from './routes/stream-credentials.ts';
import { deadLetterRoutes, deliveryRoutes, recoveryRoutes } from './routes/hooks/deliveries.ts';
import { webhookChangeRoutes, webhookRoutes, webhookTrialRoutes } from './routes/webhooks.ts';
import { answerIn } from './versions.ts';

const BASE = '/api/v1';
const LOOP_DELAY_MAX_MS = 2_000;

/** The HTTP side of the control process, open. */
export interface Api {
  /** Starts to listen. */
  listen(): Promise<void>;
  /** The port it really listens on. */
  readonly port: number;
  /** New connections use the renewed certificate; those that are open go on. */
  reloadTls(pair: TlsPair): void;
  /** For tests and for pages that live beside the API. */
  readonly app: FastifyInstance;
  stats(): { readonly [name: string]: number };
  close(): Promise<void>;
}

/** Builds the API; nothing is listened to until `listen`. */
export async function openApi(options: ApiOptions): Promise<Api> {
  const { clock, settings, ports, streams } = options;
  const directory = new KeyDirectory(ports.keys, clock);
  const tickets = new Tickets(clock);
  const guard = new FailureGuard(clock);
  const limits = new RateLimits(clock);
  const readers = new LiveReaders({ streams, directory, clock });
  const members = new QueueMembers({ directory, clock });
  const sockets = new EventSockets(() => newId('req', clock));
  const listener = new Listener(settings.tls, clock);
  const app = fastifyOf(options, listener.server);

  installFaults(app, options.log);
  await installShields(app, settings);
  await installDocumentation(app, settings.publicUrl);
  installDoor(app, { directory, guard, limits, tickets });
  const repeated = installIdempotency(app, { store: ports.idempotency, clock, log: options.log });
  installVersions(app);
  const inboundStats = newInboundStats();
  const voiceStats = newProviderStats();
  const live = { tickets, readers, members, sockets };
  await installRoutes(app, { ...options, ...live, directory, inboundStats, voiceStats });
  await app.ready();
  sockets.listenTo(app);

  return {
    app,
    listen: async () => void (await app.listen({ host: settings.host, port: settings.port })),
    get port() {
      return listener.port;
    },
    reloadTls: (pair) => listener.reloadTls(pair),
    stats: () => ({
      ...prefixed('connection', listener.stats),
      ...prefixed('key', directory.stats),
      ...prefixed('authentication', guard.stats),
      ...prefixed('rate', limits.stats),
      ...prefixed('ticket', tickets.stats),
      ...prefixed('stream', { ...readers.stats, open: readers.open }),
      ...prefixed('member', members.stats),
      ...prefixed('idempotency', repeated),
      ...prefixed('inbound', inboundStats),
      ...prefixed('provider', voiceStats),
    }),
    close: async () => {
      readers.closeAll();
      members.closeAll();
      await listener.closing(() => app.close());
    },
  };
}

function prefixed(prefix: string, stats: { readonly [name: string]: number }) {
  return Object.fromEntries(
    Object.entries(stats).map(([name, value]) => [
      `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );
}

function fastifyOf({ clock, settings, log, answered }: ApiOptions, server: Server): FastifyInstance {
  const app = Fastify({
    serverFactory: (handler) => server.on('request', handler),
    logger: false,
    bodyLimit: MIB,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    genReqId: () => newId('req', clock),
    // While it closes, open connections are still answered as promised, not in fastify's own words.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void answerFault(error, request, reply, log),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, newId('req', clock)),
  });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // Many clients announce JSON and send nothing where there is nothing to say.
    if (body === '') done(null);
    else void parseJson(request, body as string, done);
  });
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  app.addHook('onResponse', async (request, reply) => {
    const { statusCode: status, elapsedTime: durationMs } = reply;
    answered?.({ method: request.method, status, durationMs });
    const { method, id, routeOptions } = request;
    // Whoever guesses at addresses is counted, and writes no line of ours.
    if (routeOptions.config.isInbound && status === 404) return;
    const fields = { request_id: id, method, route: routeOptions.url, status: reply.statusCode };
    log.debug({ ...fields, duration_ms: Math.round(reply.elapsedTime) }, 'answered');
  });
  return app;
}

async function installShields(app: FastifyInstance, { loopDelayMaxMs, tls }: ApiSettings): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // We speak for this host, not for its neighbours.
    strictTransportSecurity: tls === undefined ? false : { includeSubDomains: false },
  });
  await app.register(underPressure, {
    maxEventLoopDelay: loopDelayMaxMs ?? LOOP_DELAY_MAX_MS,
    pressureHandler: (request) => {
      // Health and figures are needed most when it is too much.
      const { access, isInbound } = request.routeOptions.config;
      if (access !== undefined || isInbound) throw new VoiceError('overloaded', 'too busy, try again');
    },
  });
}

function installVersions(app: FastifyInstance): void {
  app.addHook('preSerialization', async (request, _reply, answer: unknown) =>
    request.apiVersion !== null && isObject(answer) ? answerIn(request.apiVersion, answer) : answer,
  );
}

async function installRoutes(app: FastifyInstance, context: RouteContext): Promise<void> {
  await app.register(operationsRoutes, context);
  await app.register(inboundReceiver, context);
  // The address of the published pages: integrations written for them find it where it was.
  await app.register(sessionRoutes, { ...context, path: '/functions/v1/voice-runtime-session' });
  const inBase = { ...context, prefix: BASE };
  await app.register(providerRoutes, inBase);
  await app.register(transferRoutes, inBase);
  await app.register(sessionRoutes, { ...inBase, path: '/voice/sessions' });
  const resources = [
    credentialRoutes,
    callRoutes,
    callCommandRoutes,
    handoverRoutes,
    webhookRoutes,
    webhookChangeRoutes,
    webhookTrialRoutes,
    deliveryRoutes,
    deadLetterRoutes,
    recoveryRoutes,
    inboundRoutes,
    inboundDetailRoutes,
    keyRoutes,
    agentRoutes,
    agentDraftRoutes,
    recordingRoutes,
    postCallRoutes,
    queueRoutes,
    queueMemberRoutes,
    eventRoutes,
    clusterRoutes,
    drainNodeRoutes,
  ];
  for (const routes of resources) await app.register(routes, inBase);
  app.get(`${BASE}/openapi.json`, { schema: { hide: true } }, async () => app.swagger());
}
