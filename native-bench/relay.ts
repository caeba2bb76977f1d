import { clusterSettings } from '../test/live/cluster-scene.ts';
import { House } from '../test/live/house.ts';
import { RedisServer } from '../test/fakes/redis/server.ts';
import { TARGET_COLUMNS, targetRow } from './load-tables.ts';
import { MEASURED_CORE, OTHER_CORE, pin } from './machine.ts';
import { EchoTimes, TimedCall, type EchoFigures } from './relay/timed-call.ts';
import type { BenchOptions, Report, Table } from './report.ts';
import { Exposition } from './scene/exposition.ts';
import { pause, settle } from './scene/phases.ts';

/** Of each group: both are on the line at the same time. */
const CALLS_MAX = 20;
const RESUME_WINDOW_MS = '30000';
/** The owner's answer comes back over the same link: a round trip is two hops. */
const HOPS = 2;
const HOP_P99_MS_MAX = 3;
/** A starved machine loses frames of whoever it does not let read; a relay that loses half is broken. */
const ECHOED_RATIO_MIN = 0.5;

const LINKS = ['unix socket', 'TLS'] as const;
type Link = (typeof LINKS)[number];

interface LinkFigures {
  readonly link: Link;
  readonly direct: EchoFigures;
  readonly relayed: EchoFigures;
  readonly relays: number;
  /** On the link, and towards sockets that were busy: of a client, or of the link itself. */
  readonly droppedMessages: number;
  readonly droppedFrames: number;
  readonly lostCalls: number;
}

/**
 * Echo calls of one node: callers that are connected to it, and as many at the same time whose sockets are at its
 * sibling and whose legs are relayed. Once over the Unix socket of one host, once over TLS as between hosts.
 */
export async function benchRelay(options: BenchOptions): Promise<Report> {
  pin(process.pid, OTHER_CORE);
  const calls = Math.min(CALLS_MAX, options.calls);
  const found: LinkFigures[] = [];
  // A smoke run has no time for both; the one with more to go wrong is the way between hosts.
  for (const link of options.isSmoke ? (['TLS'] as const) : LINKS)
    found.push(await measure(link, calls, options));
  return {
    name: 'relay',
    tables: [roundTripTable(found, calls), hopTable(found)],
    failures: found.flatMap((figures) => failuresOf(figures, calls)),
    figures: Object.fromEntries(found.map((one) => [one.link, { ...one, hopMs: hopMsOf(one) }])),
  };
}

async function measure(link: Link, calls: number, options: BenchOptions): Promise<LinkFigures> {
  const redis = link === 'TLS' ? await RedisServer.open() : undefined;
  const house = await House.open({
    MEDIA_NODES: '2',
    LOOP_DELAY_MAX_MS: '0',
    // Both nodes share a core: one that waits for it is not to be taken for dead.
    WATCHDOG_MS: '0',
    RESUME_WINDOW_MS,
    ...(redis === undefined ? {} : clusterSettings(redis)),
  });
  const [direct, relayed] = [new EchoTimes(), new EchoTimes()];
  const placed: TimedCall[] = [];
  try {
    for (const node of ['node-0', 'node-1']) pin(house.pidOf(node), MEASURED_CORE);
    const wish = { dialect: 'native', agent_id: 'echo' };
    const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', wish);
    const ownerUrl = atNode(house, 0, url);
    const relayUrl = atNode(house, 1, `${house.ready.media_url}/media/native`);
    for (let i = 0; i < calls; i++) {
      placed.push(await TimedCall.place({ house, ownerUrl }, direct));
      placed.push(await TimedCall.place({ house, ownerUrl, relayUrl }, relayed));
    }
    await settle(options);
    for (const times of [direct, relayed]) times.begin();
    await pause(options.seconds * 1000);
    const figures = { direct: direct.end(), relayed: relayed.end() };
    const exposition = await Exposition.fetch(house.ready.api_url);
    return {
      link,
      ...figures,
      relays: exposition.sum('omnivoice_relays_total', {}),
      droppedMessages: exposition.sum('omnivoice_relay_dropped_total', {}),
      droppedFrames: exposition.sum('omnivoice_frames_dropped_total', { reason: 'busy' }),
      lostCalls: placed.filter(({ isOnTheLine }) => !isOnTheLine).length,
    };
  } finally {
    for (const call of placed) call.hangUp();
    await house.close();
    await redis?.close();
  }
}

/** The same path at the door of one node, wherever it would lead otherwise. */
function atNode(house: House, node: number, url: string): string {
  const there = new URL(url);
  there.port = String(Number(new URL(house.ready.media_url).port) + 1 + node);
  return there.href;
}

function hopMsOf({ direct, relayed }: LinkFigures): { p50: number; p95: number; p99: number } {
  const added = (rank: 'p50' | 'p95' | 'p99'): number =>
    ((relayed.roundTripMs[rank] ?? Number.NaN) - (direct.roundTripMs[rank] ?? Number.NaN)) / HOPS;
  return { p50: added('p50'), p95: added('p95'), p99: added('p99') };
}

function roundTripTable(found: readonly LinkFigures[], calls: number): Table {
  return {
    title: `round trip of an echo, ms, ${calls} calls of each at the same time`,
    columns: ['link', 'calls', 'p50', 'p95', 'p99', 'max', 'echoes', 'said'],
    rows: found.flatMap(({ link, direct, relayed }) =>
      [['direct', direct] as const, ['relayed', relayed] as const].map(
        ([name, { roundTripMs, saidFrames }]) => {
          const { p50, p95, p99, max, count } = roundTripMs;
          return [link, name, p50, p95, p99, max, String(count), String(saidFrames)];
        },
      ),
    ),
  };
}

function hopTable(found: readonly LinkFigures[]): Table {
  return {
    title: 'added by one hop: half of what the relayed round trip is longer',
    columns: TARGET_COLUMNS,
    rows: found.flatMap((figures) => {
      const { p50, p95, p99 } = hopMsOf(figures);
      return [
        targetRow(`${figures.link}: p50, ms`, p50, null),
        targetRow(`${figures.link}: p95, ms`, p95, null),
        targetRow(`${figures.link}: p99, ms`, p99, HOP_P99_MS_MAX),
      ];
    }),
  };
}

function failuresOf(figures: LinkFigures, calls: number): string[] {
  const { link, direct, relayed, relays, lostCalls } = figures;
  const failures: string[] = [];
  if (relays !== calls) failures.push(`${relays} relays instead of ${calls}`);
  if (lostCalls > 0) failures.push(`${lostCalls} calls were cut off`);
  for (const [name, { roundTripMs, saidFrames, doubledFrames }] of Object.entries({ direct, relayed })) {
    if (roundTripMs.count < ECHOED_RATIO_MIN * saidFrames || saidFrames === 0) {
      failures.push(`${name}: ${roundTripMs.count} echoes of ${saidFrames} frames`);
    }
    if (doubledFrames > 0) failures.push(`${name}: ${doubledFrames} frames came twice or too late`);
  }
  return failures.map((failure) => `${link}: ${failure}`);
}
