import { Registry } from 'prom-client';
import type { AtMs } from '../base/clock.ts';
import type { Closeable } from '../base/lifetime.ts';
import { Bins } from './bins.ts';
import { takeoverSamples, type TakeoverCounts } from './cluster-metrics.ts';
import { snapshotOf, type Snapshot } from './exposition.ts';
import { openLoopDelay, type LoopDelay } from './loop-delay.ts';
import { addProcessMetrics } from './process-metrics.ts';
import { readAtScrape, readBins, readLimits, type Sample } from './scrape.ts';
import { openTally, type Tally } from './tally.ts';

// Both promises of the house are edges, exactly: 20 ms in the steady state, 200 ms always.
/** Within which hooks leave: an exact edge of the bins. */
const PROMISE_MS = 200;
const PROPAGATION_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5];
const COMMIT_SECONDS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const REQUEST_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** The stretches of an event's way: to the decision, into the journal, out on a request, to its answer. */
const EVENT_STAGES = ['detected', 'journalled', 'sent', 'delivered'] as const;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'other'] as const;
const STATUSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Where the figures of control are read from, when somebody asks. */
export interface ControlSources {
  /** What each limit of control held back. */
  readonly limits: () => { readonly [limit: string]: number };
  /** Deliveries not finished yet. */
  readonly hookBacklog: () => number;
  /** 0 where none waits. */
  readonly outboxOldestAgeSeconds: () => number;
  /** Numbers missing in the sequence of a resource, which must never be. */
  readonly eventGaps: () => number;
  /** Readers of live streams. */
  readonly streams: () => number;
  /** Media nodes control is linked with. */
  readonly nodesLinked: () => number;
  /** Calls that were to be ended as nobody came back for them, by what came of it. */
  readonly orphans: () => Readonly<TakeoverCounts>;
}

export interface ControlMetricsOptions {
  readonly region: string;
  /** Closed sets, both of delivery. */
  readonly eventClasses: readonly string[];
  readonly errorClasses: readonly string[];
  /** The dialects. */
  readonly providers: readonly string[];
  readonly sources: ControlSources;
  /** This reader's own; opened here unless it is given. */
  readonly loopDelay?: LoopDelay;
}

/** Control's figures. It fits delivery as its observer. */
export interface ControlMetrics extends Closeable {
  eventCommitted(event: { receivedAtMs: AtMs; decidedAtMs: AtMs; committedAtMs: AtMs }): void;
  hookSent(sent: {
    eventClass: string;
    attempt: number;
    receivedAtMs: AtMs;
    committedAtMs: AtMs;
    sentAtMs: AtMs;
    isHeldUp: boolean;
  }): void;
  attemptFinished(finished: { errorClass: string | null; sentAtMs: AtMs | null; doneAtMs: AtMs }): void;
  /** Events of a node are in the journal, after so long. */
  committed(durationMs: number): void;
  requestAnswered(request: { method: string; status: number; durationMs: number }): void;
  /** A call whose node died with it, and whose legs did not come back to another: a provider each. */
  callLost(lost: { readonly provider: string; readonly legs: readonly string[] }): void;
  snapshot(): Promise<Snapshot>;
}

/** Opens control's figures. */
export function openControlMetrics(options: ControlMetricsOptions): ControlMetrics {
  const registry = new Registry();
  const loopDelay = options.loopDelay ?? openLoopDelay();
  addSources(registry, options);
  const delivery = addDelivery(registry, options);
  const requestAnswered = addRequests(registry);
  const commits = new Bins(COMMIT_SECONDS);
  readBins(registry, {
    name: 'journal_commit_seconds',
    help: 'How long the journal took to commit events of a node',
    series: [{ labels: {}, bins: commits }],
  });
  const legs = openTally(registry, {
    name: 'legs_lost_total',
    help: 'Legs that did not come back',
    labels: { provider: options.providers, cause: ['crash'] },
  });
  const lost = openTally(registry, {
    name: 'calls_ended_total',
    help: 'Calls that ended, and why',
    labels: { provider: options.providers, reason: ['node_lost'] },
  });
  addProcessMetrics(registry, loopDelay);
  return {
    ...delivery,
    committed: (durationMs) => commits.observeMs(durationMs),
    requestAnswered,
    callLost: (call) => {
      lost.add({ provider: call.provider, reason: 'node_lost' });
      for (const provider of call.legs) legs.add({ provider, cause: 'crash' });
    },
    snapshot: () => snapshotOf(registry),
    close: () => loopDelay.close(),
  };
}

function addSources(registry: Registry, { region, sources }: ControlMetricsOptions): void {
  const one = (read: () => number, labels: Sample['labels']) => (): Sample[] => [{ labels, value: read() }];
  const gauge = (name: string, help: string, read: () => number): void =>
    readAtScrape(registry, { name, help, type: 'gauge', read: one(read, { region }) });
  readLimits(registry, sources.limits);
  gauge('hook_backlog', 'Deliveries not finished yet', sources.hookBacklog);
  gauge('outbox_oldest_age_seconds', 'Age of the oldest unfinished delivery', sources.outboxOldestAgeSeconds);
  gauge('streams', 'Readers of live streams', sources.streams);
  gauge('nodes_linked', 'Media nodes control is linked with', sources.nodesLinked);
  readAtScrape(registry, {
    name: 'takeovers_total',
    help: 'Calls that were to come here',
    type: 'counter',
    read: () => takeoverSamples('orphan', sources.orphans()),
  });
  readAtScrape(registry, {
    name: 'event_gaps_total',
    help: 'Numbers missing in the sequence of a resource',
    type: 'counter',
    read: one(sources.eventGaps, { region }),
  });
}

function addDelivery(
  registry: Registry,
  { region, eventClasses, errorClasses }: ControlMetricsOptions,
): Pick<ControlMetrics, 'eventCommitted' | 'hookSent' | 'attemptFinished'> {
  const propagation = new Map(eventClasses.map((name) => [name, new Bins(PROPAGATION_SECONDS)]));
  readBins(registry, {
    name: 'hook_propagation_seconds',
    help: 'From the deciding frame or message to the last byte of the first attempt',
    series: [...propagation].map(([name, bins]) => ({ labels: { region, event_class: name }, bins })),
  });
  const attempts = openTally(registry, {
    name: 'hook_attempts_total',
    help: 'Requests made to hooks, and what came of them',
    labels: { region: [region], result: ['ok', ...errorClasses] },
  });
  const heldUp = openTally(registry, {
    name: 'hooks_held_up_total',
    help: 'First attempts later than 200 ms that had waited for their receiver',
    labels: { region: [region] },
  });
  const stages = addStages(registry);
  return {
    eventCommitted: ({ receivedAtMs, decidedAtMs, committedAtMs }) => {
      stages.detected.observeMs(decidedAtMs - receivedAtMs);
      stages.journalled.observeMs(committedAtMs - decidedAtMs);
    },
    hookSent: ({ eventClass, attempt, receivedAtMs, committedAtMs, sentAtMs, isHeldUp }) => {
      // A retry says how patient we are, not how quick.
      if (attempt !== 1) return;
      propagation.get(eventClass)?.observeMs(sentAtMs - receivedAtMs);
      if (isHeldUp && sentAtMs - receivedAtMs > PROMISE_MS) heldUp.add({ region });
      stages.sent.observeMs(sentAtMs - committedAtMs);
    },
    attemptFinished: ({ errorClass, sentAtMs, doneAtMs }) => {
      attempts.add({ region, result: errorClass ?? 'ok' });
      if (errorClass === null && sentAtMs !== null) stages.delivered.observeMs(doneAtMs - sentAtMs);
    },
  };
}

function addStages(registry: Registry): Record<(typeof EVENT_STAGES)[number], Bins> {
  const stages = {
    detected: new Bins(PROPAGATION_SECONDS),
    journalled: new Bins(PROPAGATION_SECONDS),
    sent: new Bins(PROPAGATION_SECONDS),
    delivered: new Bins(PROPAGATION_SECONDS),
  };
  readBins(registry, {
    name: 'event_stage_seconds',
    help: 'Where the time of an event goes: each stage from the end of the one before',
    series: EVENT_STAGES.map((stage) => ({ labels: { stage }, bins: stages[stage] })),
  });
  return stages;
}

function addRequests(registry: Registry): ControlMetrics['requestAnswered'] {
  const durations = new Map(METHODS.map((method) => [method as string, new Bins(REQUEST_SECONDS)]));
  const answers: Tally<'method' | 'status'> = openTally(registry, {
    name: 'api_requests_total',
    help: 'Requests the API answered',
    labels: { method: METHODS, status: STATUSES },
  });
  readBins(registry, {
    name: 'api_request_seconds',
    help: 'How long the API took to answer',
    series: [...durations].map(([method, bins]) => ({ labels: { method }, bins })),
  });
  return ({ method, status, durationMs }) => {
    const known = durations.has(method) ? method : 'other';
    answers.add({ method: known, status: `${Math.floor(status / 100)}xx` });
    durations.get(known)?.observeMs(durationMs);
  };
}
