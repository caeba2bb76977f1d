import { FAULTS, type FaultCode } from '../base/errors.ts';
import type { Call } from '../call/call.ts';
import type { Settings } from '../config/settings.ts';
import { DIALECTS } from '../dialect/registry.ts';
import { CALL_END_REASONS, type CallEndReason } from '../events/catalogue.ts';
import { openNodeMetrics, type NodeMetrics } from '../telemetry/node-metrics.ts';
import { kindOf } from './leg-groups.ts';
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
    mode: 'single',
    capLegs: settings.nodeCapLegs,
    providers: DIALECTS.map(({ name }) => name),
    endReasons: CALL_END_REASONS,
    sources: {
      state: () => node.status.state,
      calls: () => node.calls.size,
      legGroups: node.groups.all,
      rejected: () => node.gateway?.stats.refusedByFault ?? NOTHING_YET,
      closed: () => node.gateway?.stats.closedByFault ?? NOTHING_YET,
      spoolSizeBytes: () => node.status.spoolBytes,
      spoolFreeBytes: () => Math.max(0, settings.spoolBytesMax - node.status.spoolBytes),
    },
  });
}

/** Feeds the figures from lines and calls. */
export function observerOf(
  figures: () => NodeMetrics,
): LineObserver & { callEnded(call: Call, reason: CallEndReason): void } {
  return {
    turnedAround: (leg, turnaroundMs) => figures().turnaround[kindOf(leg.role)].observeMs(turnaroundMs),
    setUp: (leg, { caller }, setupMs) =>
      figures().callSetUp({
        provider: leg.dialectName,
        dir: caller.direction,
        result: 'ok',
        durationSeconds: setupMs / 1000,
      }),
    callEnded: (call, reason) =>
      figures().callEnded({
        provider: call.legs[0]?.dialectName ?? 'native',
        reason,
        durationSeconds: call.durationMs / 1000,
      }),
  };
}
