import { openApi, type Api } from '../api/api.ts';
import type { Clock } from '../base/clock.ts';
import { Lifetime, type Closeable } from '../base/lifetime.ts';
import { isLoopback, mediaUrlOf, publicUrlOf } from '../config/addresses.ts';
import type { DataPaths } from '../config/data-dir.ts';
import type { Settings } from '../config/settings.ts';
import { readTls } from '../config/tls.ts';
import type { EndpointNotice } from '../delivery/breaker/health-record.ts';
import { openDelivery, type Delivery } from '../delivery/delivery.ts';
import { StreamHub } from '../delivery/stream-hub.ts';
import { CLIENT_DIALECTS } from '../dialect/client-registry.ts';
import { DIALECTS } from '../dialect/registry.ts';
import { AudioSocketTickets } from '../gateway/audiosocket/tickets.ts';
import { termsOf } from '../dialect/terms.ts';
import { openStore, type Store } from '../store/store.ts';
import type { ProviderControl } from '../providers/control/provider-control.ts';
import { AgentFailures } from './agent-failures.ts';
import { announcerOf, tellerOf, type Tell } from './audience.ts';
import type { HostCluster } from './cluster/host-cluster.ts';
import { openHostCluster, surroundingsOf } from './cluster/open-host-cluster.ts';
import { bootstrapKeys } from './bootstrap.ts';
import { ControlFigures } from './control-figures.ts';
import { Fleet } from './fleet.ts';
import { openHostRegistry } from './host-registry.ts';
import { HostInbound } from './inbound.ts';
import { openLink } from './link/open-link.ts';
import { HostNodes } from './nodes.ts';
import { endpointNotice, Notices, type Notice } from './notices.ts';
import { CallOwners } from './peers/call-owners.ts';
import { openNodePeers } from './peers/open-node-peers.ts';
import { openProviders } from './providers/open-providers.ts';
import type { HostPostCall } from './post-call/host-post-call.ts';
import { openPostCall } from './post-call/open-post-call.ts';
import { openQueues } from './queues/open-queues.ts';
import { HostRecordings } from './recordings/host-recordings.ts';
import { Retention } from './retention.ts';
import { ToolRequests } from './tools/tool-requests.ts';

/** What control says to the log; pino fits. */
export interface ControlLog {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
}

export interface ControlOptions {
  readonly settings: Settings;
  readonly paths: DataPaths;
  readonly clock: Clock;
  readonly log: ControlLog;
  readonly version: string;
}

/** The control process of a host: REST, store, hook delivery, streams. No call depends on it. */
export interface Control extends Closeable {
  readonly api: Api;
  /** The first key, when this start made it: shown once, stored only as its hash. */
  readonly firstKey: string | undefined;
  reload(): void;
}

/** Puts the control rooms together, and listens. */
export async function openControl(options: ControlOptions): Promise<Control> {
  const { settings, paths, clock, log } = options;
  const lifetime = new Lifetime();
  try {
    const store = lifetime.own(await openHostStore(options));
    const figures = lifetime.own(new ControlFigures(settings.region, clock));
    const firstKey = await bootstrapKeys({
      keys: store.keys,
      clock,
      apiKey: settings.apiKey,
      cliKeyFile: isLoopback(settings.host) ? paths.cliKeyFile : undefined,
    });
    // Told once the journal's audience is there; delivery itself is a part of it.
    const told: { announce?: (notice: Notice) => void } = {};
    const announceNotice = (notice: EndpointNotice): void => told.announce?.(endpointNotice(notice));
    const agents = new AgentFailures((notice) => told.announce?.(notice), clock);
    const fleet = lifetime.own(new Fleet({ store, clock, log }));
    const ways = { ...store, territory: fleet.territory };
    const delivery = lifetime.own(openHostDelivery(options, ways, figures, announceNotice));
    const streams = lifetime.own(new StreamHub({ journal: store.journal, clock, log }));
    lifetime.own(new Retention(store, clock, log));
    const nodes = new HostNodes(store.credentials, store.agents, log, (notice) => told.announce?.(notice));
    const registry = lifetime.own(openHostRegistry(options));
    const surroundings = surroundingsOf(settings);
    const cluster = lifetime.own(openHostCluster({ ...options, registry, surroundings }));
    const recordings = lifetime.own(openRecordings(options, store));
    const announce = announcerOf({ fleet, figures, recordings, agents });
    const inbound = lifetime.own(
      new HostInbound({ store, nodes, territory: fleet.territory, announce, clock, log }),
    );
    const edges = surroundings.home.providers;
    const providers = openProviders(options, { store, lifetime, edges });
    const tools = lifetime.own(openTools(options, store, inbound));
    const postCall = lifetime.own(openPostCall(options, { store, recordings, announce }));
    const queues = lifetime.own(openQueues({ ...options, store, nodes, fleet }));
    const desks = { inbound, providers, tools, recordings, postCall, queues, agents };
    const parts = { store, registry, cluster, nodes, fleet, delivery, streams, figures, ...desks };
    const tell = tellerOf(parts);
    const notices = new Notices({
      clock,
      log,
      journal: store.journal,
      region: settings.region,
      publish: (records) => tell(store.journal.append(records)),
    });
    told.announce = (notice) => notices.announce(notice);
    lifetime.own(notices);
    await fleet.join({ delivery, streams, nodes, inbound });
    const { link, sweep } = openLink(options, { ...parts, tell }, lifetime);
    const peers = openNodePeers({ ...options, runDir: paths.runDir, registry });
    if (peers !== undefined) lifetime.own(peers);
    const owners = new CallOwners({ link, registry, ...(peers === undefined ? {} : { peers }) });
    nodes.fit(link, owners);
    cluster.fit(() => link.nodes());
    recordings.start({ announce, isFollowing: (incarnation) => link.isFollowing(incarnation) });
    const uuids = lifetime.own(new AudioSocketTickets(options.paths.tokensDir, options.clock));
    const api = lifetime.own(await openHostApi(options, uuids, { ...parts, tell }));
    figures.watch({ ...parts, notices, link, sweep, peers, owners, api });
    await api.listen();
    // Deliveries of an earlier life go on as soon as somebody can see them go.
    await delivery.start();
    inbound.wake();
    postCall.wake();
    const reload = (): void => reloadTls(settings, api);
    return { api, firstKey, reload, close: () => lifetime.close() };
  } catch (error) {
    await lifetime.close();
    throw error;
  }
}

function openHostStore({ settings, paths, clock, log }: ControlOptions): Promise<Store> {
  const { databaseUrl, encryptionKeys } = settings;
  return openStore({ path: paths.storeFile, databaseUrl, clock, encryptionKeys, log });
}

function openHostDelivery(
  { settings, clock, log, version }: ControlOptions,
  { outbox, health, territory }: Pick<Store, 'outbox' | 'health'> & Pick<Fleet, 'territory'>,
  observer: ControlFigures,
  announce: (notice: EndpointNotice) => void,
): Delivery {
  const { egressAllow } = settings;
  return openDelivery({
    outbox,
    health,
    territory,
    announce,
    clock,
    settings: { egressAllow, userAgent: `Omnivoice/${version}` },
    observer,
    log,
  });
}

function reloadTls(settings: Settings, api: Api): void {
  const tls = readTls(settings);
  if (tls !== undefined) api.reloadTls(tls);
}

interface ApiParts {
  readonly store: Store;
  readonly nodes: HostNodes;
  readonly cluster: HostCluster;
  readonly delivery: Delivery;
  readonly streams: StreamHub;
  readonly figures: ControlFigures;
  readonly inbound: HostInbound;
  readonly recordings: HostRecordings;
  readonly providers: ProviderControl;
  readonly postCall: HostPostCall;
  readonly queues: ReturnType<typeof openQueues>;
  readonly tell: Tell;
}

function openRecordings({ settings, paths, clock, log }: ControlOptions, store: Store): HostRecordings {
  return new HostRecordings({
    directory: settings.recordingsDir ?? paths.recordingsDir,
    keys: settings.encryptionKeys,
    retentionDays: settings.recordingRetentionDays,
    publicUrl: publicUrlOf(settings),
    store: store.recordings,
    calls: store.calls,
    clock,
    log,
  });
}

/** Functions that are an agent's own, carried out over HTTP. */
function openTools(
  { settings, clock, version }: ControlOptions,
  { agents }: Store,
  { schemas }: HostInbound,
): ToolRequests {
  const { egressAllow } = settings;
  return new ToolRequests({ agents, schemas, clock, egressAllow, userAgent: `Omnivoice/${version}` });
}

function openHostApi(options: ControlOptions, uuids: AudioSocketTickets, parts: ApiParts): Promise<Api> {
  const { settings, clock, log } = options;
  const { store, nodes, cluster, delivery, streams, figures, inbound, providers } = parts;
  const tls = readTls(settings);
  return openApi({
    ports: store,
    nodes,
    cluster,
    providers,
    agents: {
      store: store.agents,
      dialects: CLIENT_DIALECTS,
      tell: parts.tell,
      apply: (view) => nodes.applyAgents(view),
      tryOut: (terms) => nodes.tryAgent(terms),
    },
    ...(settings.audiosocketPort === 0 ? {} : { audioSocketUuids: uuids }),
    recordings: parts.recordings,
    postCall: parts.postCall,
    queues: parts.queues,
    streams,
    journal: store.journal,
    delivery,
    inbound,
    clock,
    settings: {
      host: settings.host,
      port: settings.port,
      publicUrl: publicUrlOf(settings),
      mediaUrl: (node) => mediaUrlOf(settings, node === undefined ? undefined : Number(node)),
      mediaUrls: () => cluster.mediaUrls(),
      region: settings.region,
      dialects: termsOf(DIALECTS),
      signingSecrets: settings.signingSecret,
      trustedProxies: settings.trustedProxies,
      ...(tls === undefined ? {} : { tls }),
    },
    isReady: () => nodes.serving > 0,
    renderMetrics: () => figures.render(),
    answered: (request) => figures.answered(request),
    log,
  });
}
