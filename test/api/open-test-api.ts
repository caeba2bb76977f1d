import { openApi, type Api } from '../../src/api/api.ts';
import { newApiKey, type KeyWish } from '../../src/api/api-key.ts';
import type { ApiOptions, ApiSettings } from '../../src/api/api-options.ts';
import type { ApiKey } from '../../src/api/ports.ts';
import { systemClock } from '../../src/base/clock.ts';
import { refuse } from '../../src/base/errors.ts';
import { StreamHub } from '../../src/delivery/stream-hub.ts';
import { DIALECTS } from '../../src/dialect/registry.ts';
import { termsOf } from '../../src/dialect/terms.ts';
import type { Endpoint } from '../../src/delivery/outbox.ts';
import type { CallView } from '../../src/events/call-view.ts';
import type { Envelope } from '../../src/events/envelope.ts';
import type { Command, CommandResult, CredentialView } from '../../src/events/commands.ts';
import { CLIENT_DIALECTS } from '../../src/dialect/client-registry.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import type { AgentView } from '../../src/events/agents.ts';
import { HostQueues } from '../../src/control/queues/host-queues.ts';
import { FakeAgents } from '../fakes/agent-store.ts';
import { FakeCluster } from '../fakes/cluster-desk.ts';
import { FakePorts } from '../fakes/api-ports.ts';
import { FakePostCall } from '../fakes/post-call-desk.ts';
import { FakeRecordings } from '../fakes/recording-desk.ts';
import { FakeClock } from '../fakes/clock.ts';
import { LiveJournal } from '../fakes/live-journal.ts';

export const SIGNING_SECRET = new TextEncoder().encode('a signing secret of thirty-two bytes');

/** The media nodes, as a test wants them to behave. */
export class FakeNodes {
  serving = 1;
  readonly commands: Command[] = [];
  readonly views: CredentialView[] = [];
  result: CommandResult = { ok: true, value: null };
  failure: Error | undefined;

  async command(_call: CallView, command: Command): Promise<CommandResult> {
    this.commands.push(command);
    return this.result;
  }

  readonly drained: string[] = [];

  async drain(incarnation: string): Promise<CommandResult> {
    this.drained.push(incarnation);
    return this.result;
  }

  async applyCredentials(view: CredentialView): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.views.push(view);
  }
}

/** Everything a test of the API holds on to. */
export interface TestApi {
  readonly api: Api;
  readonly clock: FakeClock;
  readonly ports: FakePorts;
  readonly nodes: FakeNodes;
  readonly agents: FakeAgents;
  /** Views of agents that nodes were given. */
  readonly agentViews: AgentView[];
  /** What was told of agents. */
  readonly agentEvents: CommittedEvent[];
  readonly journal: LiveJournal;
  readonly recordings: FakeRecordings;
  readonly postCall: FakePostCall;
  readonly queues: HostQueues;
  readonly cluster: FakeCluster;
  readonly logged: object[];
  refreshes: number;
  ready: boolean;
  /** Makes a key in the store; the secret. */
  key(wish?: Partial<KeyWish>): string;
  /** One request with the full key, or with the headers given. */
  request(method: string, url: string, body?: unknown, headers?: Headers): Promise<Answer>;
}

type Headers = { readonly [name: string]: string };

export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: unknown };
  readonly text: string;
  /** Whatever JSON came: what it holds is what each test is about. */
  readonly body: ReturnType<typeof JSON.parse>;
}

/** An API over fakes, on virtual time. */
export async function openTestApi(
  settings: Partial<ApiSettings> = {},
  options: Partial<ApiOptions> = {},
): Promise<TestApi> {
  const clock = new FakeClock();
  const ports = new FakePorts();
  const nodes = new FakeNodes();
  const journal = new LiveJournal();
  const logged: object[] = [];
  const log = (fields: object): void => void logged.push(fields);
  const streams = new StreamHub({ journal, clock: systemClock, log: { info: log, warn: log, error: log } });
  journal.published = (committed) => streams.publish(committed);
  const agents = new FakeAgents();
  const recordings = new FakeRecordings();
  const postCall = new FakePostCall();
  const agentViews: AgentView[] = [];
  const agentEvents: CommittedEvent[] = [];
  const queues = new HostQueues({ clock, command: (_, command) => nodes.command(callView(), command) });
  const cluster = new FakeCluster(() => nodes.serving);
  const test = {
    clock,
    ports,
    nodes,
    agents,
    agentViews,
    agentEvents,
    journal,
    logged,
    recordings,
    postCall,
    queues,
    cluster,
    refreshes: 0,
    ready: true,
  };
  const key = (wish: Partial<KeyWish> = {}): string => {
    const made = newApiKey({ workspaceId: 'ws_default', name: 'test', ...wish }, clock);
    ports.allKeys.set(made.key.id, made.key);
    return made.secret;
  };
  const full = key();
  const whole: TestApi = Object.assign(test, {
    key,
    api: await openApi({
      ports,
      nodes,
      cluster,
      agents: {
        store: agents,
        dialects: CLIENT_DIALECTS,
        tell: async (committing) => void agentEvents.push(...(await committing)),
        apply: async (view) => void agentViews.push(view),
        tryOut: async ({ backends }) =>
          backends.map(({ name, dialect }, index) => ({
            name,
            dialect,
            ok: index > 0,
            error: index > 0 ? null : 'rejected',
            detail: null,
            ready_ms: null,
            first_audio_ms: null,
          })),
      },
      recordings,
      postCall,
      queues,
      streams,
      journal,
      delivery: {
        checkUrl: async (url: string) =>
          url.includes('169.254') ? refuse('failed_precondition', 'link-local') : undefined,
        warningOf: async (url: string) => (url.includes('nowhere') ? 'nowhere does not resolve' : undefined),
        resend: () => undefined,
        refreshEndpoints: async () => void whole.refreshes++,
        sendTest: async (endpoint: Endpoint, { type }: Envelope) => attemptTo(endpoint, type),
      },
      inbound: {
        schemas: { compile: async () => ({ type: 'valid' }), check: async () => ({ type: 'valid' }) },
        announce: () => undefined,
        wake: () => undefined,
      },
      clock,
      settings: {
        host: '127.0.0.1',
        port: 0,
        publicUrl: 'http://127.0.0.1:8080',
        mediaUrl: () => 'ws://127.0.0.1:8081',
        region: 'local',
        dialects: termsOf(DIALECTS),
        signingSecrets: [SIGNING_SECRET],
        trustedProxies: [],
        loopDelayMaxMs: 0,
        ...settings,
      },
      isReady: () => whole.ready,
      renderMetrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'omnivoice_calls 1\n' }),
      log: { debug: () => undefined, warn: log, error: log },
      ...options,
    }),
    request: async (method: string, url: string, body?: unknown, headers?: Headers): Promise<Answer> => {
      const answer = await whole.api.app.inject({
        method: method as 'GET',
        url,
        headers: headers ?? { authorization: `Bearer ${full}` },
        ...(body !== undefined && { payload: body as object }),
      });
      const text = answer.payload;
      const isJson = text !== '' && String(answer.headers['content-type']).includes('json');
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text,
        body: isJson ? JSON.parse(text) : {},
      };
    },
  });
  return whole;
}

function attemptTo(endpoint: Endpoint, type: string) {
  return {
    id: 'att_1',
    deliveryId: 'dlv_1',
    number: 1,
    trigger: 'test' as const,
    startedAt: '2026-11-20T12:00:00.000Z',
    durationMs: 12.5,
    timings: { dnsMs: 1, connectMs: 2, tlsMs: 3, ttfbMs: 11 },
    url: endpoint.url,
    bodyRef: 'evt_1/omnivoice/2025-11-01',
    bodyBytes: 300,
    requestHeaders: { 'x-omniflow-event': type, 'x-url': endpoint.url },
    resolvedAddress: '203.0.113.7',
    status: 200,
    responseHeaders: {},
    responseBody: 'ok',
    responseTruncated: false,
    errorClass: null,
    errorDetail: null,
  };
}

/** A call as the store tells it. */
export function callView(change: Partial<CallView> = {}): CallView {
  return {
    id: 'call_1',
    workspace_id: 'ws_default',
    test_mode: false,
    region: 'local',
    node: '0',
    incarnation: 'inc_1',
    state: 'active',
    head: {
      call_id: 'call_1',
      direction: 'inbound',
      from: '+15550100',
      to: '+15550199',
      agent_id: 'echo',
      conversation_id: 'conv_1',
      lead_id: null,
      contact_id: null,
      metadata: { campaign: 'spring' },
      started_at: '2026-11-20T12:00:00.000Z',
    },
    ended_at: null,
    end_reason: null,
    completed: false,
    sequence: 3,
    legs: [],
    timeline: [{ sequence: 1, type: 'call_started', at: '2026-11-20T12:00:00.000Z' }],
    quality: { mos: 4.3 },
    cost: null,
    ...change,
  };
}

export function keyNamed(ports: FakePorts, name: string): ApiKey {
  return [...ports.allKeys.values()].find((key) => key.name === name)!;
}
