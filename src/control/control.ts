import { openApi, type Api } from '../api/api.ts';
import type { Clock } from '../base/clock.ts';
import { Lifetime, type Closeable } from '../base/lifetime.ts';
import { isLoopback, mediaUrlOf, publicUrlOf } from '../config/addresses.ts';
import type { Registry } from '../cluster/registry.ts';
import { costRatesOf } from '../config/cost-rates.ts';
import type { DataPaths } from '../config/data-dir.ts';
import type { Region } from '../config/region.ts';
import type { Settings } from '../config/settings.ts';
import { readTls } from '../config/tls.ts';
import type { EndpointNotice } from '../delivery/breaker/health-record.ts';
import { openDelivery, type Delivery } from '../delivery/delivery.ts';
import { StreamHub } from '../delivery/stream-hub.ts';
import { CLIENT_DIALECTS } from '../dialect/client-registry.ts';
import { DIALECTS } from '../dialect/registry.ts';
import { AudioSocketTickets } from '../gateway/audiosocket/tickets.ts';
import { termsOf } from '../dialect/terms.ts';
import type { AskResult, ProviderControlAsk } from '../events/asks.ts';
import type { CallView } from '../events/call-view.ts';
import { transcriptUrl } from '../events/completion.ts';
import type { EventRecord } from '../events/envelope.ts';
import type { CommittedEvent } from '../events/journal.ts';
import { openControlEnd, type ControlEnd } from '../link/control-end.ts';
import { openStore, type Store } from '../store/store.ts';
import { ProviderControl } from '../providers/control/provider-control.ts';
import { TransferTickets } from '../providers/control/transfer-tickets.ts';
import { AgentFailures } from './agent-failures.ts';
import { answeredBy } from './answered-asks.ts';
import type { HostCluster } from './cluster/host-cluster.ts';
import { openHostCluster, surroundingsOf } from './cluster/open-host-cluster.ts';
import { bootstrapKeys } from './bootstrap.ts';
import { ControlFigures } from './control-figures.ts';
import { Fleet } from './fleet.ts';
import { answeredFrom, openHostRegistry } from './host-registry.ts';
import { HostInbound } from './inbound.ts';
import { HostNodes } from './nodes.ts';
import { endpointNotice, Notices, type Notice } from './notices.ts';
import { OrphanSweep, type OrphanSweepOptions } from './orphans/orphan-sweep.ts';
import { CallOwners } from './peers/call-owners.ts';
import { openNodePeers } from './peers/open-node-peers.ts';
import { HttpProviderWire } from './provider-wire.ts';
import type { HostPostCall } from './post-call/host-post-call.ts';
import { openPostCall } from './post-call/open-post-call.ts';
import { openQueues } from './queues/open-queues.ts';
import { Reaper } from './reaper.ts';
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
    const { link, sweep } = openLink(options, parts, lifetime);
    const peers = openNodePeers({ ...options, runDir: paths.runDir, registry });
    if (peers !== undefined) lifetime.own(peers);
    const owners = new CallOwners({ link, registry, ...(peers === undefined ? {} : { peers }) });
    nodes.fit(link, owners);
    cluster.fit(() => link.nodes());
    recordings.start({ announce, isFollowing: (incarnation) => link.isFollowing(incarnation) });
    const uuids = lifetime.own(new AudioSocketTickets(options.paths.tokensDir, options.clock));
    const api = lifetime.own(await openHostApi(options, uuids, parts));
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

interface Parts {
  readonly store: Store;
  readonly registry: Registry;
  readonly nodes: HostNodes;
  readonly cluster: HostCluster;
  readonly fleet: Fleet;
  readonly delivery: Delivery;
  readonly streams: StreamHub;
  readonly figures: ControlFigures;
  readonly inbound: HostInbound;
  readonly recordings: HostRecordings;
  readonly providers: ProviderControl;
  readonly tools: ToolRequests;
  readonly postCall: HostPostCall;
  readonly queues: ReturnType<typeof openQueues>;
  readonly agents: AgentFailures;
}

type Tell = (committing: Promise<readonly CommittedEvent[]>) => Promise<readonly CommittedEvent[]>;

type Audience = Pick<Parts, 'fleet' | 'figures' | 'recordings' | 'agents'> & Partial<Pick<Parts, 'postCall'>>;

/** Tells everybody who waits for events. */
function announcerOf({
  fleet,
  figures,
  recordings,
  agents,
  postCall,
}: Audience): (events: readonly CommittedEvent[]) => void {
  return (events) => {
    figures.committed(events);
    fleet.committed(events);
    recordings.committed(events);
    agents.committed(events);
    postCall?.committed(events);
  };
}

/** Told in the very turn of the commit, whoever committed: readers learn of events in the journal's order. */
function tellerOf(audience: Audience): Tell {
  const announce = announcerOf(audience);
  return async (committing) => {
    const committed = await committing;
    announce(committed);
    return committed;
  };
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

/** What control does with calls at their providers. */
function openProviders(
  options: ControlOptions,
  { store, lifetime, edges }: Pick<Parts, 'store'> & { lifetime: Lifetime; edges: Region['providers'] },
): ProviderControl {
  const { settings, clock, log, version } = options;
  const userAgent = `Omnivoice/${version}`;
  const wire = lifetime.own(new HttpProviderWire({ clock, egressAllow: settings.egressAllow, userAgent }));
  const transfers = new TransferTickets(settings.signingSecret, clock);
  const publicUrl = publicUrlOf(settings);
  const accounts = store.credentials;
  return new ProviderControl({ accounts, edges, wire, clock, transfers, publicUrl, log });
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

async function orderedAt(providers: ProviderControl, ask: ProviderControlAsk): Promise<AskResult> {
  const refusal = await providers.carryOut(ask);
  if (refusal === undefined) return { ok: true, value: null };
  return { ok: false, fault: refusal.fault, detail: refusal.detail };
}

function openLink(
  options: ControlOptions,
  parts: Parts,
  lifetime: Lifetime,
): { readonly link: ControlEnd; readonly sweep: OrphanSweep } {
  const { paths, clock, log } = options;
  const { store, registry, fleet, nodes, figures, providers, tools, queues } = parts;
  const { journal } = store;
  const tell = tellerOf(parts);
  const publish = (records: readonly EventRecord[]): Promise<unknown> => tell(journal.append(records));
  const onLost = (call: CallView): void => figures.callLost(call);
  const postCall = {
    rates: costRatesOf(options.settings),
    transcriptUrl: (callId: string) => transcriptUrl(publicUrlOf(options.settings), callId),
  };
  const { resumeWindowMs, redisUrl } = options.settings;
  const reaper = lifetime.own(
    new Reaper({ journal, publish, onLost, postCall, registry, resumeWindowMs, clock, log }),
  );
  const opened = openControlEnd({
    runDir: paths.runDir,
    spoolsDir: paths.spoolDir,
    journal: {
      commit: (batch) => tell(journal.commit(batch)),
      cursorOf: (incarnation) => journal.cursorOf(incarnation),
      forgetCursor: (incarnation) => journal.forgetCursor(incarnation),
    },
    onConnected: (node) => nodes.welcome(node),
    onDisconnected: (node) => nodes.left(node),
    onAsk: answeredBy({
      provider_control: (ask) => orderedAt(providers, ask),
      agent_tool: (ask) => tools.answer(ask),
      registry: (ask) => answeredFrom(registry, ask),
      queue_handover: (ask, incarnation) => queues.answer(ask, incarnation),
    }),
    onNodeDead: (incarnation) => reaper.reap(incarnation),
    clock,
    log,
  });
  const link = lifetime.own(opened);
  const nodesHere = (): readonly string[] =>
    link.nodes().flatMap(({ incarnation, isConnected }) => (isConnected ? [incarnation] : []));
  const end: OrphanSweepOptions['end'] = (orphan) => reaper.endOrphan(orphan);
  const sweep = lifetime.own(new OrphanSweep({ registry, nodesHere, resumeWindowMs, end, clock, log }));
  // Where hosts share a store, who is not followed here may well live elsewhere: the sweep asks the registry.
  if (redisUrl === undefined) {
    reaper.watchForStrays((incarnation) => !fleet.isAlone || link.isFollowing(incarnation));
  }
  return { link, sweep };
}

function openHostApi(options: ControlOptions, uuids: AudioSocketTickets, parts: Parts): Promise<Api> {
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
      tell: tellerOf(parts),
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
