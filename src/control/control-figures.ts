import type { Clock } from '../base/clock.ts';
import type { Api } from '../api/api.ts';
import type { Closeable } from '../base/lifetime.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { AttemptFinished, DeliveryObserver, HookSent } from '../delivery/observer.ts';
import { ERROR_CLASSES } from '../delivery/outbox.ts';
import type { StreamHub } from '../delivery/stream-hub.ts';
import { EVENT_CLASSES, isBuiltIn } from '../events/catalogue.ts';
import type { RegistryCounts } from '../cluster/registry-counts.ts';
import type { CallView } from '../events/call-view.ts';
import type { CommittedEvent } from '../events/journal.ts';
import type { ControlEnd } from '../link/control-end.ts';
import type { ConnectedNode } from '../link/node-lifeline.ts';
import { PROVIDERS } from '../node/leg-groups.ts';
import type { ProviderControl } from '../providers/control/provider-control.ts';
import type { Store } from '../store/store.ts';
import type { AgentFailures } from './agent-failures.ts';
import type { HostCluster } from './cluster/host-cluster.ts';
import type { Fleet } from './fleet.ts';
import type { HostInbound } from './inbound.ts';
import type { OrphanSweep } from './orphans/orphan-sweep.ts';
import type { Notices } from './notices.ts';
import type { CallOwners } from './peers/call-owners.ts';
import type { NodePeers } from './peers/node-peers.ts';
import type { HostPostCall } from './post-call/host-post-call.ts';
import type { HostRecordings } from './recordings/host-recordings.ts';
import type { FleetQueues } from './queues/fleet-queues.ts';
import type { HostQueues } from './queues/host-queues.ts';
import type { ToolRequests } from './tools/tool-requests.ts';
import { hookLimits } from './figures/hook-limits.ts';
import { storeLimits } from './figures/store-limits.ts';
import { aggregate, type NodeSnapshot } from '../telemetry/aggregate.ts';
import { newTakeoverCounts, type TakeoverCounts } from '../telemetry/cluster-metrics.ts';
import { openControlMetrics, type ControlMetrics } from '../telemetry/control-metrics.ts';
import { EXPOSITION_CONTENT_TYPE, expositionOf, type Snapshot } from '../telemetry/exposition.ts';

/** What control's figures are read from. */
export interface ControlParts {
  readonly store: Store;
  readonly fleet: Pick<Fleet, 'stats'>;
  readonly registry: { readonly counts: RegistryCounts };
  readonly delivery: Delivery;
  readonly streams: StreamHub;
  readonly link: ControlEnd;
  readonly sweep: Pick<OrphanSweep, 'stats'>;
  readonly owners: Pick<CallOwners, 'stats'>;
  /** Absent where there are no other hosts. */
  readonly peers: Pick<NodePeers, 'stats' | 'counts'> | undefined;
  readonly inbound: Pick<HostInbound, 'schemas' | 'runner'>;
  readonly providers: Pick<ProviderControl, 'stats' | 'forgotten' | 'transfers'>;
  readonly tools: Pick<ToolRequests, 'stats' | 'forgottenOrigins'>;
  readonly recordings: Pick<HostRecordings, 'stats'>;
  readonly postCall: Pick<HostPostCall, 'runner' | 'summaries'>;
  readonly queues: Pick<HostQueues, 'stats'> & Partial<Pick<FleetQueues, 'mail' | 'asking'>>;
  readonly notices: Pick<Notices, 'stats'>;
  readonly agents: Pick<AgentFailures, 'stats'>;
  readonly cluster: Pick<HostCluster, 'stats'>;
  readonly api: Pick<Api, 'stats'>;
}

/** What each limit of control held back, by the limit's name. */
function limitsOf(parts: ControlParts): { readonly [limit: string]: number } {
  const { store, delivery, streams, link, inbound, providers, api, recordings } = parts;
  const asked = api.stats();
  return {
    key_rate: asked['rateRefusedByKey'] ?? 0,
    workspace_rate: asked['rateRefusedByWorkspace'] ?? 0,
    failed_authentications: asked['authenticationTurnedAway'] ?? 0,
    tickets: asked['ticketRefused'] ?? 0,
    connections: asked['connectionRefused'] ?? 0,
    connections_idle: asked['connectionIdleEnded'] ?? 0,
    connections_not_accepted: asked['connectionAcceptsFailed'] ?? 0,
    connections_not_shaken: asked['connectionHandshakesFailed'] ?? 0,
    stream_readers: (asked['streamRefused'] ?? 0) + streams.stats.refused,
    stream_too_slow: (asked['streamTooSlow'] ?? 0) + streams.stats.tooSlow,
    stream_gaps: streams.stats.gaps,
    stream_replays_failed: streams.stats.replayFailures,
    ...storeLimits(store.stats),
    ...hookLimits(delivery.stats),
    commits_failed: link.stats.failedCommits,
    registry_calls: parts.registry.counts.droppedRecords,
    registry_answers_missing: parts.registry.counts.unanswered + parts.registry.counts.unasked,
    key_uses_unnoted: asked['keyUseNotesFailed'] ?? 0,
    node_asks: link.stats.refusedAsks,
    node_commands: link.stats.refusedQuestions,
    node_commands_unanswered: link.stats.unansweredQuestions,
    provider_orders_waiting: providers.stats.refused,
    provider_orders_blocked: providers.stats.blocked,
    provider_orders_failed: providers.stats.failed,
    provider_orders_repeated: providers.stats.repeated,
    provider_accounts_forgotten: providers.forgotten,
    provider_transfer_tickets: providers.transfers.stats.refusedFull,
    notices_waiting: parts.notices.stats.refused,
    notices_failed: parts.notices.stats.failed,
    agent_failures_held_back: parts.agents.stats.heldBack,
    agent_failures_forgotten: parts.agents.stats.forgotten,
    recording_events_missed: recordings.stats.missedEvents,
    recordings_mended: recordings.stats.mended,
    recordings_lost: recordings.stats.lost,
    ...ownerLimits(parts),
    placements_refused: parts.cluster.stats.refused,
    placements_abroad: parts.cluster.stats.placedAbroad,
    cluster_looks_unanswered: parts.cluster.stats.unanswered,
    ...fleetLimits(parts.fleet),
    ...toolLimits(parts.tools),
    ...postCallLimits(parts.postCall),
    ...queueLimits(parts.queues, asked),
    ...providerLimits(asked),
    ...inboundLimits(asked, inbound, store.stats.inbound.refusedForgotten),
  };
}

/** What came of calls whose owner was long gone. */
function orphansOf(stats: OrphanSweep['stats'] | undefined): TakeoverCounts {
  const { settled = 0, undecided = 0, failures = 0 } = stats ?? {};
  return { ...newTakeoverCounts(), ok: settled, unavailable: undecided + failures };
}

/** Of commands to calls, whichever host they are on. */
function ownerLimits({ owners, peers, sweep }: Pick<ControlParts, 'owners' | 'peers' | 'sweep'>): {
  readonly [limit: string]: number;
} {
  return {
    orphans_failed: sweep.stats.failures,
    orphans_left_to_others: sweep.stats.leftToOthers,
    orphans_overdue: sweep.stats.overdue,
    call_owners_away: owners.stats.ownersAway,
    call_commands_asked_again: owners.stats.askedAgain,
    host_questions: peers?.stats.refused ?? 0,
    host_questions_unreached: peers?.stats.unreached ?? 0,
    host_questions_refused: peers?.counts.refusedQuestions ?? 0,
    host_questions_unanswered: peers?.counts.unansweredQuestions ?? 0,
    host_links: peers?.counts.turnedAway ?? 0,
    host_links_failed: peers?.counts.failedDials ?? 0,
    host_links_malformed: peers?.counts.malformed ?? 0,
    host_links_stalled: peers?.counts.stalled ?? 0,
  };
}

function postCallLimits({ runner, summaries }: ControlParts['postCall']): {
  readonly [limit: string]: number;
} {
  return {
    analyses_held: runner.stats.held,
    analyses_failed: runner.stats.failures,
    analyser_retries: runner.stats.retries,
    analyser_given_up: runner.stats.gaveUp,
    analysis_transcripts_cut: runner.stats.cutTranscripts,
    summary_overruns: summaries.stats.overruns,
    summary_crashes: summaries.stats.crashes,
  };
}

/** What sharing a database cost; all at nought for who is alone on it. */
function fleetLimits({ stats: { leases, feed, notices } }: ControlParts['fleet']): {
  readonly [limit: string]: number;
} {
  return {
    partition_lapses: leases?.lapses ?? 0,
    partition_beats_failed: leases?.failedBeats ?? 0,
    partitions_lost: leases?.lost ?? 0,
    fleet_events_unread: feed?.readFailures ?? 0,
    fleet_own_events_in_memory: feed?.forgottenOwn ?? 0,
    fleet_notices_lost: notices?.lost ?? 0,
  };
}

function queueLimits(
  { stats, mail, asking }: ControlParts['queues'],
  asked: { readonly [name: string]: number },
): { readonly [limit: string]: number } {
  return {
    queues: stats.refusedQueues,
    queue_members: stats.refusedMembers,
    queue_waiting: stats.refusedWaiting,
    queue_waiting_lapsed: stats.lapsed,
    queue_offers_unanswered: stats.unanswered,
    queue_accepted_too_late: stats.tooLate,
    queue_letters_refused: mail?.stats.refused ?? 0,
    queue_letters_stale: mail?.stats.stale ?? 0,
    queue_letters_unreadable: mail?.unreadable ?? 0,
    queue_letters_unread: mail?.stats.forgotten ?? 0,
    queue_letters_failed: mail?.stats.failures ?? 0,
    queue_questions_refused: asking?.refusedQuestions ?? 0,
    queue_questions_unanswered: asking?.unansweredQuestions ?? 0,
    queue_sockets: asked['memberRefused'] ?? 0,
    queue_messages: asked['memberTooManyMessages'] ?? 0,
    queue_members_too_slow: asked['memberTooSlow'] ?? 0,
  };
}

function toolLimits({ stats, forgottenOrigins }: ControlParts['tools']): {
  readonly [limit: string]: number;
} {
  return {
    agent_tools_under_way: stats.refused,
    agent_tool_arguments: stats.wrongArguments,
    agent_tools_blocked: stats.blocked,
    agent_tools_failed: stats.failed,
    agent_tool_time: stats.timeouts,
    agent_tool_result_size: stats.tooLarge,
    agent_tool_origins_forgotten: forgottenOrigins,
  };
}

function providerLimits(asked: { readonly [name: string]: number }): { readonly [limit: string]: number } {
  return {
    provider_wrong_credential: asked['providerWrongCredential'] ?? 0,
    provider_turned_away: asked['providerTurnedAway'] ?? 0,
    provider_wrong_proof: asked['providerWrongProof'] ?? 0,
    provider_replayed: asked['providerReplayed'] ?? 0,
    provider_nonces: asked['providerNoncesForgotten'] ?? 0,
    provider_rate: asked['providerRateLimited'] ?? 0,
    provider_body_size: asked['providerTooLarge'] ?? 0,
    provider_rounds: asked['providerGivenUp'] ?? 0,
    provider_unknown_status: asked['providerUnknownStatus'] ?? 0,
    provider_hang_ups_failed: asked['providerHangUpFailed'] ?? 0,
    provider_restarts_failed: asked['providerRestartFailed'] ?? 0,
    provider_buckets: asked['providerBucketsForgotten'] ?? 0,
  };
}

function inboundLimits(
  asked: { readonly [name: string]: number },
  { schemas, runner }: ControlParts['inbound'],
  forgotten: number,
): { readonly [limit: string]: number } {
  return {
    inbound_wrong_token: asked['inboundWrongToken'] ?? 0,
    inbound_rate: asked['inboundRateLimited'] ?? 0,
    inbound_under_way: asked['inboundBusy'] ?? 0,
    inbound_body_size: asked['inboundTooLarge'] ?? 0,
    inbound_not_json: asked['inboundNotJson'] ?? 0,
    inbound_depth: asked['inboundTooDeep'] ?? 0,
    inbound_polluting_keys: asked['inboundPollutes'] ?? 0,
    inbound_wrong_signature: asked['inboundWrongSignature'] ?? 0,
    inbound_schema_refused: asked['inboundSchemaRefused'] ?? 0,
    inbound_schema_unavailable: asked['inboundSchemaUnavailable'] ?? 0,
    inbound_schema_overruns: schemas.stats.overruns,
    inbound_schema_crashes: schemas.stats.crashes,
    inbound_schema_barred: schemas.stats.barred,
    inbound_schema_waiting: schemas.stats.refused,
    inbound_action_refused: (asked['inboundActionRefused'] ?? 0) + runner.stats.refused,
    inbound_action_given_up: runner.stats.gaveUp,
    inbound_event_size: asked['inboundEventTooLarge'] ?? 0,
    inbound_duplicates: asked['inboundDuplicates'] ?? 0,
    inbound_without_key: asked['inboundWithoutKey'] ?? 0,
    inbound_not_logged: asked['inboundNotLogged'] ?? 0,
    inbound_log_forgotten: forgotten,
    inbound_hooks: asked['inboundHooksRefused'] ?? 0,
  };
}

/** The figures of the whole host: control's own, and every node's with its number. */
export class ControlFigures implements DeliveryObserver, Closeable {
  readonly #metrics: ControlMetrics;
  readonly #clock: Clock;
  #parts: ControlParts | undefined;
  #oldestAgeSeconds = 0;

  constructor(region: string, clock: Clock) {
    this.#clock = clock;
    this.#metrics = openControlMetrics({
      region,
      eventClasses: EVENT_CLASSES,
      errorClasses: ERROR_CLASSES,
      providers: PROVIDERS,
      sources: {
        limits: () => (this.#parts === undefined ? {} : limitsOf(this.#parts)),
        hookBacklog: () => this.#parts?.delivery.stats.entries ?? 0,
        outboxOldestAgeSeconds: () => this.#oldestAgeSeconds,
        eventGaps: () => this.#parts?.store.stats.journal.sequenceGaps ?? 0,
        streams: () => this.#parts?.streams.readers ?? 0,
        nodesLinked: () => this.#linked().length,
        orphans: () => orphansOf(this.#parts?.sweep.stats),
      },
    });
  }

  watch(parts: ControlParts): void {
    this.#parts = parts;
  }

  committed(events: readonly CommittedEvent[]): void {
    for (const event of events) this.#metrics.eventCommitted(event);
  }

  /**
   * A commit of a node's events, measured to its end; one that fails is not. It is the same promise: whoever
   * waits for another one hears of it turns later, and of events in another order than the journal's.
   */
  timed<T>(committing: Promise<T>): Promise<T> {
    const startedAtMs = this.#clock.nowMs();
    const isOver = (): void => this.#metrics.committed(this.#clock.nowMs() - startedAtMs);
    committing.then(isOver, () => {});
    return committing;
  }

  hookSent(sent: HookSent): void {
    this.#metrics.hookSent(sent);
  }

  attemptFinished(finished: AttemptFinished): void {
    this.#metrics.attemptFinished(finished);
  }

  answered(request: { method: string; status: number; durationMs: number }): void {
    this.#metrics.requestAnswered(request);
  }

  /** A call that the reaper ended: its node can no longer count it. */
  callLost(call: CallView): void {
    const onLines = call.legs.filter((leg) => leg.disconnected_at === null && !isBuiltIn(leg.dialect));
    const legs = onLines.map(({ dialect }) => dialect);
    this.#metrics.callLost({ provider: call.legs[0]?.dialect ?? '', legs });
  }

  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    const nodes = await Promise.all(this.#linked().map((node) => this.#ask(node)));
    this.#oldestAgeSeconds = await this.#readOldestAge();
    const body = expositionOf(aggregate(await this.#metrics.snapshot(), nodes.flat()));
    return { contentType: EXPOSITION_CONTENT_TYPE, body };
  }

  async close(): Promise<void> {
    await this.#metrics.close();
  }

  #linked(): readonly ConnectedNode[] {
    return this.#parts?.link.nodes().filter(({ isConnected }) => isConnected) ?? [];
  }

  /** Of the delivery that has waited longest, tried or not: nothing is excluded. */
  async #readOldestAge(): Promise<number> {
    const [oldest] = (await this.#parts?.store.outbox.unfinished({ position: 0, id: '' }, 1)) ?? [];
    if (oldest === undefined) return 0;
    return Math.max(0, (this.#clock.unixMs() - Date.parse(oldest.envelope.created_at)) / 1000);
  }

  /** A node that does not answer in time is missing from this scrape, and only from this one. */
  async #ask({ incarnation, hello }: ConnectedNode): Promise<readonly NodeSnapshot[]> {
    const result = await this.#parts?.link.command(incarnation, { name: 'read_metrics' });
    return result?.ok === true ? [{ node: hello.node, snapshot: result.value as Snapshot }] : [];
  }
}
