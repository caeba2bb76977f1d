import { FAULTS, type FaultCode } from '../base/errors.ts';
import type { Call } from '../call/call.ts';
import type { Settings } from '../config/settings.ts';
import { CALL_END_REASONS, type CallEndReason } from '../events/catalogue.ts';
import type { DrainFigures } from '../telemetry/drain-metrics.ts';
import { openNodeMetrics, type NodeMetrics, type SetupResult } from '../telemetry/node-metrics.ts';
import { limitHitsOf } from './figures/limit-hits.ts';
import { kindOf, PROVIDERS } from './leg-groups.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegWindow } from '../leg/leg-quality.ts';
import type { LineObserver } from './line.ts';
import type { MediaNode } from './media-node.ts';

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
      limits: () => limitHitsOf(node),
      rejected: () => node.gateway?.stats.refusedByFault ?? NOTHING_YET,
      dials: () => node.dialler.stats.dialsByResult,
      closed: () => node.gateway?.stats.closedByFault ?? NOTHING_YET,
      spoolSizeBytes: () => node.status.spoolBytes,
      spoolFreeBytes: () => Math.max(0, settings.spoolBytesMax - node.status.spoolBytes),
    },
  });
}

function drainOf({ leaving, targets, cluster }: MediaNode): DrainFigures {
  const { told, toldAgain, withoutPlace, fetched, providers, cutOff } = leaving.counts;
  const { counts: lines } = leaving.lines;
  const { counts: home } = cluster.farCallers;
  const { carried, heard, dropped, waitingDropped, cutShort, refused } = cluster.tails.counts;
  return {
    told: { first: told, again: toldAgain },
    ownersTold: { first: lines.told, again: lines.toldAgain },
    fetched,
    calledHome: { told: home.told, ...home.providers },
    withoutPlace,
    providers,
    cutOff,
    dialsRefused: targets.counts.refused,
    tails: { carried, heard, dropped, waiting_dropped: waitingDropped },
    tailsCut: cutShort + refused,
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
