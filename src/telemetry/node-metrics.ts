import { Registry } from 'prom-client';
import { FAULTS, type FaultCode } from '../base/errors.ts';
import type { Closeable } from '../base/lifetime.ts';
import { Bins } from './bins.ts';
import { snapshotOf, type Snapshot } from './exposition.ts';
import { addDrain, type DrainFigures } from './drain-metrics.ts';
import { addCluster, type ClusterFigures } from './cluster-metrics.ts';
import { addClusterTimings, type ClusterTimings } from './cluster-timings.ts';
import { openLoopDelay, type LoopDelay } from './loop-delay.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { readAtScrape, readBins, readLimits, type BinSeries, type Labels, type Sample } from './scrape.ts';
import { openTally } from './tally.ts';

/** What is at the other end of a leg: a telephone, software, a person of ours. */
export const LEG_KINDS = ['telephony', 'ai', 'human'] as const;
export type LegKind = (typeof LEG_KINDS)[number];

export const NODE_STATES = ['starting', 'serving', 'degraded', 'draining', 'isolated'] as const;
export type NodeStateName = (typeof NODE_STATES)[number];

/** How the setting up of a call ended. */
export const SETUP_RESULTS = ['ok', 'auth', 'capacity', 'timeout', 'protocol', 'upstream'] as const;
export type SetupResult = (typeof SETUP_RESULTS)[number];

const DIRECTIONS = ['inbound', 'outbound'] as const;

const TURNAROUND_SECONDS = [
  0.0005, 0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2,
];
const TICK_LAG_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.1];
const SETUP_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5];
const RX_JITTER_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.2];
const BUFFER_SECONDS = [0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5];
/** 70 stands for MOS 3.6, 93.2 for a line that nothing impairs. */
const R_FACTORS = [0, 50, 60, 70, 75, 80, 85, 90, 93.2];
/** Who was not heard: the other end, or we. */
export const SILENT_SIDES = ['rx', 'tx'] as const;
const PING_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];
const DURATION_SECONDS = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200];

/** Frames of all legs of one provider and kind since the start, those of ended legs included. */
export interface FrameCounts {
  readonly receivedFrames: number;
  readonly playedFrames: number;
  readonly lateFrames: number;
  readonly concealedFrames: number;
  readonly duplicateFrames: number;
  /** The socket still held older frames. */
  readonly droppedBusyFrames: number;
  /** The playout queue was full. */
  readonly droppedFullFrames: number;
  /** The jitter buffer was full. */
  readonly droppedHeldFrames: number;
  /** Messages no frame could be cut from. */
  readonly refusedMessages: number;
}

export interface LegGroup {
  readonly provider: string;
  readonly kind: LegKind;
  readonly legs: () => number;
  readonly frames: FrameCounts;
}

/** Where the figures of a node are read from, when somebody asks. */
export interface NodeSources {
  readonly state: () => NodeStateName;
  readonly calls: () => number;
  /** One group for every provider and kind, made at the start. */
  readonly legGroups: readonly LegGroup[];
  /** Refused for want of room, by what there was no room in. */
  readonly admission: () => { readonly [reason: string]: number };
  /** What each limit of the node held back. */
  readonly limits: () => { readonly [limit: string]: number };
  /** Answered before there was a WebSocket, by fault. */
  readonly rejected: () => Readonly<Record<FaultCode, number>>;
  /** WebSockets closed by us with a fault's code. */
  readonly closed: () => Readonly<Record<FaultCode, number>>;
  /** Backends we dialled, by what came of it. */
  readonly dials?: () => { readonly [result: string]: number };
  readonly spoolSizeBytes: () => number;
  readonly spoolFreeBytes: () => number;
  /** Absent where a node is measured by itself. */
  readonly cluster?: () => ClusterFigures;
  readonly drain?: () => DrainFigures;
  readonly clusterTimings?: ClusterTimings;
}

export interface NodeMetricsOptions {
  readonly region: string;
  readonly version: string;
  readonly mode: 'single' | 'cluster';
  readonly capLegs: number;
  /** Closed sets: the dialects, and why calls end. */
  readonly providers: readonly string[];
  readonly endReasons: readonly string[];
  readonly sources: NodeSources;
  /** This reader's own; opened here unless it is given. */
  readonly loopDelay?: LoopDelay;
}

/** A media node's figures. */
export interface NodeMetrics extends Closeable {
  /** In socket → out socket. For every frame: it does not allocate. */
  readonly turnaround: Readonly<Record<LegKind, Bins>>;
  /** How long past due the mixer's tick came. */
  readonly tickLag: Bins;
  callSetUp(setup: SetUp): void;
  callEnded(end: { provider: string; reason: string; durationSeconds: number }): void;
  lineObserved(line: LineFigures): void;
  /** A peer answered a ping. */
  ponged(provider: string, roundTripMs: number): void;
  snapshot(): Promise<Snapshot>;
}

/** Ten seconds of one leg. */
export interface LineFigures {
  readonly provider: string;
  readonly jitterSeconds: number;
  readonly bufferSeconds: number;
  /** Undefined where nothing was to be heard. */
  readonly rFactor: number | undefined;
  /** Sides that fell silent in them: told once a silence. */
  readonly silentSides: readonly (typeof SILENT_SIDES)[number][];
}

export interface SetUp {
  readonly provider: string;
  readonly dir: (typeof DIRECTIONS)[number];
  readonly result: SetupResult;
  /** From the upgrade; only what succeeded has a duration. */
  readonly durationSeconds?: number;
}

/** Opens a media node's figures. */
export function openNodeMetrics(options: NodeMetricsOptions): NodeMetrics {
  const registry = new Registry();
  const loopDelay = options.loopDelay ?? openLoopDelay();
  addState(registry, options);
  addFrames(registry, options);
  addDoor(registry, options);
  if (options.sources.cluster !== undefined) addCluster(registry, options.sources.cluster);
  if (options.sources.drain !== undefined) addDrain(registry, options.sources.drain);
  const { clusterTimings } = options.sources;
  if (clusterTimings !== undefined) addClusterTimings(registry, options.region, clusterTimings);
  const timing = addTiming(registry, options.region);
  const calls = addCalls(registry, options);
  const lines = addLines(registry, options);
  addProcessMetrics(registry, loopDelay);
  return {
    ...timing,
    ...calls,
    ...lines,
    snapshot: () => snapshotOf(registry),
    close: () => loopDelay.close(),
  };
}

function addState(registry: Registry, { region, version, mode, capLegs, sources }: NodeMetricsOptions): void {
  const gauge = (name: string, help: string, read: () => Sample[]): void =>
    readAtScrape(registry, { name, help, type: 'gauge', read });
  const one = (labels: Sample['labels'], value: number): Sample[] => [{ labels, value }];
  gauge('node_info', 'What runs here', () => one({ version, mode, region }, 1));
  gauge('node_state', 'The state that is 1', () =>
    NODE_STATES.map((state) => ({ labels: { state }, value: sources.state() === state ? 1 : 0 })),
  );
  gauge('node_capacity_legs', 'Legs this node takes', () => one({ region }, capLegs));
  gauge('calls', 'Calls now', () => one({ region }, sources.calls()));
  gauge('legs', 'Legs now', () =>
    shownOf(sources.legGroups).map(({ provider, kind, legs }) => ({
      labels: { region, provider, kind },
      value: legs(),
    })),
  );
  gauge('spool_size_bytes', 'Bytes of the spool: unacknowledged events, and the rest of their segment', () =>
    one({}, sources.spoolSizeBytes()),
  );
  gauge('spool_free_bytes', 'Room left for events', () => one({}, sources.spoolFreeBytes()));
}

function addFrames(registry: Registry, { region, sources }: NodeMetricsOptions): void {
  const counter = (name: string, help: string, count: (frames: FrameCounts) => number): void =>
    readAtScrape(registry, {
      name,
      help,
      type: 'counter',
      read: () =>
        shownOf(sources.legGroups).map(({ provider, kind, frames }) => ({
          labels: { region, provider, kind },
          value: count(frames),
        })),
    });
  counter('frames_received_total', 'Frames that came in', (frames) => frames.receivedFrames);
  counter('frames_played_total', 'Frames that went out', (frames) => frames.playedFrames);
  counter('frames_late_total', 'Frames that came after their playout tick', (frames) => frames.lateFrames);
  counter('frames_concealed_total', 'Frames played that nobody sent', (frames) => frames.concealedFrames);
  counter('frames_duplicate_total', 'Frames that came twice', (frames) => frames.duplicateFrames);
  readAtScrape(registry, {
    name: 'frames_dropped_total',
    help: 'Frames dropped: the socket was busy, a queue or a jitter buffer full, the message no frame',
    type: 'counter',
    read: () => shownOf(sources.legGroups).flatMap((group) => droppedOf(group, region)),
  });
}

/** Callers of every provider; of its software and people where there were any, and of one that may be. */
function shownOf(groups: readonly LegGroup[]): readonly LegGroup[] {
  return groups.filter(({ provider, kind, legs, frames }) => {
    const wasThere = legs() + frames.receivedFrames + frames.playedFrames > 0;
    return kind === 'telephony' || wasThere || provider === groups[0]?.provider;
  });
}

function droppedOf({ provider, kind, frames }: LegGroup, region: string): Sample[] {
  const labels = { region, provider, kind };
  return [
    { labels: { ...labels, reason: 'busy' }, value: frames.droppedBusyFrames },
    { labels: { ...labels, reason: 'full' }, value: frames.droppedFullFrames },
    { labels: { ...labels, reason: 'held' }, value: frames.droppedHeldFrames },
    { labels: { ...labels, reason: 'malformed' }, value: frames.refusedMessages },
  ];
}

function addDoor(registry: Registry, { sources }: NodeMetricsOptions): void {
  const byFault = (name: string, help: string, count: NodeSources['rejected']): void =>
    readAtScrape(registry, {
      name,
      help,
      type: 'counter',
      read: () => {
        const counts = count();
        const reasons = Object.keys(FAULTS) as FaultCode[];
        return reasons.map((reason) => ({ labels: { reason }, value: counts[reason] }));
      },
    });
  readLimits(registry, sources.limits);
  readAtScrape(registry, {
    name: 'admission_refused_total',
    help: 'Newcomers refused for want of room, by what there was no room in',
    type: 'counter',
    read: () => Object.entries(sources.admission()).map(([reason, value]) => ({ labels: { reason }, value })),
  });
  readAtScrape(registry, {
    name: 'dials_total',
    help: 'AI backends we dialled, by what came of it',
    type: 'counter',
    read: () =>
      Object.entries(sources.dials?.() ?? {}).map(([result, value]) => ({ labels: { result }, value })),
  });
  byFault('rejected_total', 'Refused before there was a WebSocket', sources.rejected);
  byFault('sockets_closed_total', 'WebSockets we closed for a fault', sources.closed);
}

function addTiming(registry: Registry, region: string): Pick<NodeMetrics, 'turnaround' | 'tickLag'> {
  const tickLag = new Bins(TICK_LAG_SECONDS);
  const turnaround = {
    telephony: new Bins(TURNAROUND_SECONDS),
    ai: new Bins(TURNAROUND_SECONDS),
    human: new Bins(TURNAROUND_SECONDS),
  };
  readBins(registry, {
    name: 'frame_turnaround_seconds',
    help: 'A frame from socket to socket',
    series: LEG_KINDS.map((kind) => ({ labels: { region, kind }, bins: turnaround[kind] })),
  });
  readBins(registry, {
    name: 'tick_lag_seconds',
    help: 'How long past due the tick came',
    series: [{ labels: {}, bins: tickLag }],
  });
  return { turnaround, tickLag };
}

function addCalls(
  registry: Registry,
  { region, providers, endReasons }: NodeMetricsOptions,
): Pick<NodeMetrics, 'callSetUp' | 'callEnded'> {
  const setups = openTally(registry, {
    name: 'call_setups_total',
    help: 'Calls that were to begin, from the upgrade to frames both ways',
    labels: { region: [region], provider: providers, dir: DIRECTIONS, result: SETUP_RESULTS },
    // Who is refused at the door has not said yet that a call was placed.
    never: ({ dir, result }) => dir === 'outbound' && result !== 'ok',
  });
  const ends = openTally(registry, {
    name: 'calls_ended_total',
    help: 'Calls that ended, and why',
    labels: { provider: providers, reason: endReasons },
  });
  const setupSeconds = binsByProvider(SETUP_SECONDS, providers);
  const durations = binsByProvider(DURATION_SECONDS, providers);
  readBins(registry, {
    name: 'call_setup_seconds',
    help: 'From the upgrade to frames both ways',
    series: setupSeconds.series,
  });
  readBins(registry, {
    name: 'call_duration_seconds',
    help: 'How long calls were',
    series: durations.series,
  });
  return {
    callSetUp: ({ provider, dir, result, durationSeconds }) => {
      setups.add({ region, provider, dir, result });
      if (durationSeconds !== undefined) setupSeconds.observe(provider, durationSeconds);
    },
    callEnded: ({ provider, reason, durationSeconds }) => {
      ends.add({ provider, reason });
      durations.observe(provider, durationSeconds);
    },
  };
}

function addLines(
  registry: Registry,
  { region, providers }: NodeMetricsOptions,
): Pick<NodeMetrics, 'lineObserved' | 'ponged'> {
  const jitter = binsByProvider(RX_JITTER_SECONDS, providers);
  const buffer = binsByProvider(BUFFER_SECONDS, providers);
  const rFactors = binsByProvider(R_FACTORS, providers, { region });
  const pings = binsByProvider(PING_SECONDS, providers);
  const silent = openTally(registry, {
    name: 'leg_silent_total',
    help: 'Legs on which one side sent no audio for 10 s',
    labels: { provider: providers, side: SILENT_SIDES },
  });
  readBins(registry, {
    name: 'rx_jitter_seconds',
    help: 'Interarrival jitter of a leg, every 10 s',
    series: jitter.series,
  });
  readBins(registry, {
    name: 'jitter_buffer_seconds',
    help: 'Audio held for a leg, every 10 s',
    series: buffer.series,
  });
  readBins(registry, {
    name: 'leg_r_factor',
    help: 'Estimated quality of a leg over 10 s (E-model)',
    series: rFactors.series,
  });
  readBins(registry, {
    name: 'leg_ping_rtt_seconds',
    help: 'How long peers took to answer a ping',
    series: pings.series,
  });
  return {
    lineObserved: ({ provider, jitterSeconds, bufferSeconds, rFactor, silentSides }) => {
      for (const side of silentSides) silent.add({ provider, side });
      if (rFactor === undefined) return;
      jitter.observe(provider, jitterSeconds);
      buffer.observe(provider, bufferSeconds);
      rFactors.observe(provider, rFactor);
    },
    ponged: (provider, roundTripMs) => pings.observe(provider, roundTripMs / 1000),
  };
}

/** Two dozen providers with 12 edges each are most of what a node could show: the first is an example. */
function binsByProvider(
  edges: readonly number[],
  providers: readonly string[],
  labels: Labels = {},
): { readonly series: readonly BinSeries[]; observe(provider: string, value: number): void } {
  const series = providers.map((provider, index) => ({
    labels: { ...labels, provider },
    bins: new Bins(edges),
    isOptional: index > 0,
  }));
  const byProvider = new Map(providers.map((provider, index) => [provider, series[index]!.bins]));
  return { series, observe: (provider, value) => byProvider.get(provider)?.observe(value) };
}
