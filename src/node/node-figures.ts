import { FAULTS, type FaultCode } from '../base/errors.ts';
import type { CallCounts } from '../call/call-counts.ts';
import type { Call } from '../call/call.ts';
import type { Settings } from '../config/settings.ts';
import { CALL_END_REASONS, type CallEndReason } from '../events/catalogue.ts';
import type { DrainFigures } from '../telemetry/drain-metrics.ts';
import { openNodeMetrics, type NodeMetrics, type SetupResult } from '../telemetry/node-metrics.ts';
import { kindOf, PROVIDERS } from './leg-groups.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegWindow } from '../leg/leg-quality.ts';
import type { LineObserver } from './line.ts';
import type { MediaNode } from './media-node.ts';
import type { NodeTapes } from './recording/node-tapes.ts';

const NOTHING_YET = Object.fromEntries(Object.keys(FAULTS).map((fault) => [fault, 0])) as Record<
  FaultCode,
  number
>;

/** What of a node `/metrics` shows, read when somebody asks. */
export function openNodeFigures(node: MediaNode, settings: Settings, version: string): NodeMetrics {
  return openNodeMetrics({
    region: settings.region,
    version,
    mode: settings.redisUrl === undefined ? 'single' : 'cluster',
    capLegs: settings.nodeCapLegs,
    providers: PROVIDERS,
    endReasons: CALL_END_REASONS,
    sources: {
      state: () => (node.isCutOff && node.status.state === 'serving' ? 'isolated' : node.status.state),
      cluster: () => ({ ...node.cluster.figures, surrenderedCalls: node.calls.stats.surrenderedCalls }),
      clusterTimings: node.cluster.timings,
      drain: () => drainOf(node),
      calls: () => node.calls.size,
      legGroups: node.groups.all,
      admission: () => node.admission.stats,
      limits: () => limitsOf(node),
      rejected: () => node.gateway?.stats.refusedByFault ?? NOTHING_YET,
      dials: () => node.dialler.stats.dialsByResult,
      closed: () => node.gateway?.stats.closedByFault ?? NOTHING_YET,
      spoolSizeBytes: () => node.status.spoolBytes,
      spoolFreeBytes: () => Math.max(0, settings.spoolBytesMax - node.status.spoolBytes),
    },
  });
}

function drainOf({ leaving, targets, cluster }: MediaNode): DrainFigures {
  const { told, toldAgain, withoutPlace, providers, cutOff } = leaving.counts;
  const { carried, heard, dropped, waitingDropped, cutShort, refused } = cluster.tails.counts;
  return {
    told: { first: told, again: toldAgain },
    withoutPlace,
    providers,
    cutOff,
    dialsRefused: targets.counts.refused,
    tails: { carried, heard, dropped, waiting_dropped: waitingDropped },
    tailsCut: cutShort + refused,
  };
}

/** What each limit of a node held back, by the limit's name. */
function limitsOf(node: MediaNode): { readonly [limit: string]: number } {
  const door = node.gateway?.stats;
  const { spool } = node;
  const agents = node.dialler.stats;
  const { counts } = node.publishedAgents;
  return {
    message_size: door?.oversizedMessages ?? 0,
    message_rate: door?.rateLimited ?? 0,
    first_message: door?.handshakeTimeouts ?? 0,
    upgrade_time: door?.upgradeTimeouts ?? 0,
    half_open_sockets: door?.halfOpenRefused ?? 0,
    socket_stalled: door?.wedgedSockets ?? 0,
    socket_silent: door?.pingTimeouts ?? 0,
    agent_message_size: agents.oversizedMessages,
    agent_message_rate: agents.rateLimited,
    agent_stalled: agents.wedgedSockets,
    agent_silent: agents.pingTimeouts,
    proof_nonces: node.gateway?.nonceStats.refusedFull ?? 0,
    proof_replayed: node.gateway?.nonceStats.replayed ?? 0,
    issuer_keys_failed: node.gateway?.issuerStats?.failed ?? 0,
    issuers_forgotten: node.gateway?.issuerStats?.forgotten ?? 0,
    frame_pool: node.media.poolStats.refusedTakes,
    frame_pool_size: node.media.poolStats.refusedReserves,
    agent_messages_spread: node.agents.stats.spreadMessages,
    agent_messages_hurried: node.agents.stats.hurriedMessages,
    spool_full: spool.refusedRecords,
    spool_held: spool.heldRecords,
    catch_up: node.pacer.metronomeStats.forgivenSteps,
    status_link_busy: node.link?.stats.skippedStatuses ?? 0,
    ...audioSocketLimits(node),
    ...recordingLimits(node.tapes),
    ...clusterLimits(node),
    ...callLimits(node.calls.counts),
    fork_dropped_frames: node.forks.stats.droppedFrames,
    snapshots_unreadable: node.calls.stats.unreadableSnapshots,
    agent_tools_at_once: counts.tools,
    agent_tools_untold: counts.untoldTools,
    agent_tools_forgotten: counts.forgottenTools,
    agent_history: counts.forgottenTurns,
    agent_history_unkept: counts.unkeptTurns,
    agent_utterances: counts.forgottenUtterances,
    agent_line_gap_frames: counts.overwrittenFrames,
    agent_tools_on_the_way: node.tools.stats.refused,
    queue_news_on_the_way: node.queues.stats.refused,
    queue_news_unheard: node.queues.stats.unheard,
    asks_refused: node.link?.stats.refusedQuestions ?? 0,
    asks_unanswered: node.link?.stats.unansweredQuestions ?? 0,
  };
}

/** Of what is kept of calls for other nodes, and of the links to them. */
function clusterLimits({ cluster, gateway }: MediaNode): { readonly [limit: string]: number } {
  const { counts, ends } = cluster.ownership;
  const { peerCounts: peers, registry } = cluster;
  return {
    snapshot_large: counts.snapshotsLarge,
    snapshot_too_large: counts.snapshotsTooLarge,
    snapshot_events: cluster.unkeptEvents,
    failover_gaps_unmeasured: cluster.gaps.unmeasured,
    leg_loss_causes_forgotten: cluster.fates.forgottenCauses,
    snapshot_cut: cluster.cutSnapshots,
    registry_ends_dropped: ends.dropped,
    registry_unanswered: registry.counts.unanswered,
    registry_unasked: registry.counts.unasked,
    registry_copies_unanswered: 'copyCounts' in registry ? registry.copyCounts.unanswered : 0,
    peer_connections: peers.turnedAway,
    peer_strangers: peers.strangers,
    peer_malformed: peers.malformed,
    peer_stalled: peers.stalled,
    peer_questions_refused: peers.refusedQuestions,
    peer_questions_unanswered: peers.unansweredQuestions,
    arriving_messages: gateway?.stats.waitingDropped ?? 0,
  };
}

function callLimits(counts: CallCounts): { readonly [limit: string]: number } {
  return {
    mix_ring_frames: counts.unmixedFrames,
    handover_briefing: counts.untoldSegments,
    handover_briefing_unkept: counts.unkeptSegments,
    handover_offer: counts.shortenedOffers,
    agent_items: counts.forgottenItems,
    marks: counts.forgottenMarks,
    call_timeline: counts.untimedEvents,
    call_transcript: counts.forgottenSegments,
    call_members: counts.forgottenMembers,
  };
}

/** Of the TCP door for Asterisk; zeros where it is not open. */
function audioSocketLimits({ audioSocketStats: stats }: MediaNode): { readonly [limit: string]: number } {
  return {
    audiosocket_connections: stats?.refusedFull ?? 0,
    audiosocket_wrong_uuid: stats?.refusedUuids ?? 0,
    audiosocket_legs: stats?.refusedLegs ?? 0,
    audiosocket_protocol: stats?.protocolViolations ?? 0,
    audiosocket_message_rate: stats?.rateLimited ?? 0,
    audiosocket_time: stats?.timeouts ?? 0,
  };
}

function recordingLimits({ stats }: Pick<NodeTapes, 'stats'>): { readonly [limit: string]: number } {
  const { disk_full, disk_too_slow, too_large, io_error } = stats.failedByReason;
  return {
    recording_disk_full: disk_full,
    recording_disk_too_slow: disk_too_slow,
    recording_too_large: too_large,
    recording_io_error: io_error,
    recording_refused: stats.refused,
    recording_frames_without_place: stats.lostFrames,
  };
}

/** Whoever measures a node: its door, its lines, its calls. */
export interface NodeObserver extends LineObserver {
  refused(provider: string, fault: FaultCode): void;
  readonly ponged: (provider: string, roundTripMs: number) => void;
  callEnded(call: Call, reason: CallEndReason): void;
  /** Stretches of ten seconds that are over. */
  linesObserved(windows: Iterable<{ readonly leg: Leg; readonly window: LegWindow }>): void;
}

const SETUP_RESULT_OF: { readonly [K in FaultCode]?: SetupResult } = {
  unauthenticated: 'auth',
  permission_denied: 'auth',
  overloaded: 'capacity',
  unavailable: 'capacity',
  draining: 'capacity',
  rate_limited: 'capacity',
  handshake_timeout: 'timeout',
  internal: 'upstream',
};

/** Feeds the figures from the door, lines and calls. */
export function observerOf(figures: () => NodeMetrics): NodeObserver {
  return {
    refused: (provider, fault) =>
      figures().callSetUp({ provider, dir: 'inbound', result: SETUP_RESULT_OF[fault] ?? 'protocol' }),
    ponged: (provider, roundTripMs) => figures().ponged(provider, roundTripMs),
    turnedAround: (leg, turnaroundMs) => figures().turnaround[kindOf(leg.role)].observeMs(turnaroundMs),
    setUp: (leg, { caller }, setupMs) =>
      figures().callSetUp({
        provider: leg.dialectName,
        dir: caller.direction,
        result: 'ok',
        durationSeconds: setupMs / 1000,
      }),
    linesObserved: (windows) => {
      for (const { leg, window } of windows) {
        figures().lineObserved({
          provider: leg.dialectName,
          jitterSeconds: window.jitterMs / 1000,
          bufferSeconds: window.bufferMs / 1000,
          rFactor: window.report?.rFactor,
          silentSides: window.silentSides,
        });
      }
    },
    callEnded: (call, reason) =>
      figures().callEnded({
        provider: call.roster.all[0]?.party.dialectName ?? 'native',
        reason,
        durationSeconds: call.durationMs / 1000,
      }),
  };
}
