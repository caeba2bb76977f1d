import type { CallCounts } from '../../call/call-counts.ts';
import type { MediaNode } from '../media-node.ts';
import type { NodeTapes } from '../recording/node-tapes.ts';

/** What each limit of a node held back, by the limit's name. */
export function limitHitsOf(node: MediaNode): { readonly [limit: string]: number } {
  const { spool, sounds } = node;
  return {
    ...doorLimits(node),
    ...agentLimits(node),
    frame_pool: node.media.poolStats.refusedTakes,
    frame_pool_size: node.media.poolStats.refusedReserves,
    spool_full: spool.refusedRecords,
    spool_held: spool.heldRecords,
    spool_writes_failed: spool.failedWrites + spool.shortWrites,
    spool_reserve_used: spool.releasedReserves,
    catch_up: node.pacer.metronomeStats.forgivenSteps,
    legs_not_paced: node.pacer.stats.failedTicks,
    leg_marks_emulated: node.groups.marks.emulated,
    leg_marks_stray: node.groups.marks.stray,
    sounds_opening: sounds.stats.busy,
    sounds_refused: sounds.stats.refused,
    sounds_forgotten: sounds.stats.evicted,
    status_link_busy: node.link?.stats.skippedStatuses ?? 0,
    link_commands: node.link?.stats.refusedCommands ?? 0,
    links_replaced: node.link?.stats.replacedConnections ?? 0,
    ...audioSocketLimits(node),
    ...recordingLimits(node.tapes),
    ...clusterLimits(node),
    ...callLimits(node.calls.counts),
    fork_dropped_frames: node.forks.stats.droppedFrames,
    snapshots_unreadable: node.calls.stats.unreadableSnapshots,
    queue_news_on_the_way: node.queues.stats.refused,
    queue_news_unheard: node.queues.stats.unheard,
    asks_refused: node.link?.stats.refusedQuestions ?? 0,
    asks_unanswered: node.link?.stats.unansweredQuestions ?? 0,
  };
}

/** Of whoever comes in over a WebSocket; zeros before the door is open. */
function doorLimits({ gateway, tokenStats }: MediaNode): { readonly [limit: string]: number } {
  const door = gateway?.stats;
  return {
    message_size: door?.oversizedMessages ?? 0,
    message_rate: door?.rateLimited ?? 0,
    first_message: door?.handshakeTimeouts ?? 0,
    upgrade_time: door?.upgradeTimeouts ?? 0,
    half_open_sockets: door?.halfOpenRefused ?? 0,
    tls_handshakes: door?.tlsFailures ?? 0,
    socket_stalled: door?.wedgedSockets ?? 0,
    socket_silent: door?.pingTimeouts ?? 0,
    socket_reads_paused: door?.pausedReads ?? 0,
    socket_violations: door?.protocolViolations ?? 0,
    socket_looks_late: door?.lateSweeps ?? 0,
    socket_promises_broken: door?.invariantFailures ?? 0,
    session_tokens: tokenStats?.refusedFull ?? 0,
    session_tokens_replayed: tokenStats?.replayed ?? 0,
    session_tokens_unwritten: tokenStats?.failed ?? 0,
    proof_nonces: gateway?.nonceStats.refusedFull ?? 0,
    proof_replayed: gateway?.nonceStats.replayed ?? 0,
    issuer_keys_failed: gateway?.issuerStats?.failed ?? 0,
    issuers_forgotten: gateway?.issuerStats?.forgotten ?? 0,
  };
}

/** Of AI backends, and of whatever else is dialled. */
function agentLimits({ dialler, agents, tools, publishedAgents }: MediaNode): {
  readonly [limit: string]: number;
} {
  const { stats } = dialler;
  const { counts } = publishedAgents;
  return {
    agent_message_size: stats.oversizedMessages,
    agent_message_rate: stats.rateLimited,
    agent_stalled: stats.wedgedSockets,
    agent_silent: stats.pingTimeouts,
    agent_reads_paused: stats.pausedReads,
    agent_violations: stats.protocolViolations,
    agent_looks_late: stats.lateSweeps,
    agent_promises_broken: stats.invariantFailures,
    agent_messages_spread: agents.stats.spreadMessages,
    agent_messages_hurried: agents.stats.hurriedMessages,
    agent_tools_at_once: counts.tools,
    agent_tools_late: counts.lateTools,
    agent_tools_untold: counts.untoldTools,
    agent_tools_forgotten: counts.forgottenTools,
    agent_history: counts.forgottenTurns,
    agent_history_unkept: counts.unkeptTurns,
    agent_utterances: counts.forgottenUtterances,
    agent_line_gap_frames: counts.overwrittenFrames,
    agent_tools_on_the_way: tools.stats.refused,
  };
}

/** Of what is kept of calls for other nodes, and of the links to them. */
function clusterLimits({ cluster, gateway }: MediaNode): { readonly [limit: string]: number } {
  const { counts, ends } = cluster.ownership;
  const { peerCounts: peers, registry } = cluster;
  return {
    snapshot_large: counts.snapshotsLarge,
    snapshot_too_large: counts.snapshotsTooLarge,
    calls_unrecorded: counts.unrecorded,
    takeover_time: cluster.takeovers.counts.outOfTime,
    snapshot_events: cluster.unkeptEvents,
    failover_gaps_unmeasured: cluster.gaps.unmeasured,
    leg_loss_causes_forgotten: cluster.fates.forgottenCauses,
    peers_gone_forgotten: cluster.links.forgottenSilent,
    snapshot_cut: cluster.cutSnapshots,
    registry_ends_dropped: ends.dropped,
    registry_unanswered: registry.counts.unanswered,
    registry_unasked: registry.counts.unasked,
    registry_unreadable: registry.counts.unreadable,
    registry_copies_unanswered: 'copyCounts' in registry ? registry.copyCounts.unanswered : 0,
    peer_connections: peers.turnedAway,
    peer_strangers: peers.strangers,
    peer_malformed: peers.malformed,
    peer_stalled: peers.stalled,
    peer_frames: peers.droppedFrames,
    peer_dials_failed: peers.failedDials,
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
    handover_summaries: counts.missingSummaries,
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
    audiosocket_stalled: stats?.wedgedSockets ?? 0,
    audiosocket_promises_broken: stats?.failures ?? 0,
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
