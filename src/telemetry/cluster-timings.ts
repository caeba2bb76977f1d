import type { Registry } from 'prom-client';
import { Bins } from './bins.ts';
import { readBins } from './scrape.ts';

/** Why a call's lines were without an owner: it died, hung or left, or a client changed its node itself. */
const FAILOVER_CAUSES = ['crash', 'hang', 'drain', 'client'] as const;
export type FailoverCause = (typeof FAILOVER_CAUSES)[number];

/** Why a leg was without a line: its own connection broke or was changed, or its call's owner was lost. */
export const LINE_LOSS_CAUSES = ['connection', ...FAILOVER_CAUSES] as const;
export type LineLossCause = (typeof LINE_LOSS_CAUSES)[number];

/** What is asked of Redis, in classes. */
const REDIS_COMMANDS = ['beat', 'claim', 'save', 'end', 'find', 'sweep'] as const;
export type RedisCommand = (typeof REDIS_COMMANDS)[number];

// The targets of a failover are edges: 40, 100, 400 and 700 ms, 1.2 s in the next one, 3 s.
const FAILOVER_SECONDS = [0.02, 0.04, 0.06, 0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3, 5, 10, 30];
/** Beyond 300 ms a command is given up. */
const REDIS_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.3];
const PEER_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** How long things take between a node and the others. */
export class ClusterTimings {
  readonly failoverGap: Readonly<Record<FailoverCause, Bins>> = {
    crash: new Bins(FAILOVER_SECONDS),
    hang: new Bins(FAILOVER_SECONDS),
    drain: new Bins(FAILOVER_SECONDS),
    client: new Bins(FAILOVER_SECONDS),
  };
  readonly redisCommand: Readonly<Record<RedisCommand, Bins>> = {
    beat: new Bins(REDIS_SECONDS),
    claim: new Bins(REDIS_SECONDS),
    save: new Bins(REDIS_SECONDS),
    end: new Bins(REDIS_SECONDS),
    find: new Bins(REDIS_SECONDS),
    sweep: new Bins(REDIS_SECONDS),
  };
  readonly peerRoundTrip = new Bins(PEER_SECONDS);
}

/** Adds them to a node's figures. */
export function addClusterTimings(registry: Registry, region: string, timings: ClusterTimings): void {
  readBins(registry, {
    name: 'failover_gap_seconds',
    help: 'From the loss of a call’s owner to its first leg that is back',
    series: FAILOVER_CAUSES.map((cause) => ({ labels: { region, cause }, bins: timings.failoverGap[cause] })),
  });
  readBins(registry, {
    name: 'redis_command_seconds',
    help: 'How long Redis took to answer, or until it was given up',
    series: REDIS_COMMANDS.map((command) => ({ labels: { command }, bins: timings.redisCommand[command] })),
  });
  // Links go to nodes of the own region.
  readBins(registry, {
    name: 'peer_rtt_seconds',
    help: 'Pings between nodes',
    series: [{ labels: { peer_region: region }, bins: timings.peerRoundTrip }],
  });
}
