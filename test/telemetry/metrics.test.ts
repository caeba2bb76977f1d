import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS, type FaultCode } from '../../src/base/errors.ts';
import { aggregate } from '../../src/telemetry/aggregate.ts';
import { openControlMetrics, type ControlMetrics } from '../../src/telemetry/control-metrics.ts';
import { newTakeoverCounts } from '../../src/telemetry/cluster-metrics.ts';
import { expositionOf, type Snapshot } from '../../src/telemetry/exposition.ts';
import { LEG_KINDS, openNodeMetrics, type NodeMetrics } from '../../src/telemetry/node-metrics.ts';
import { readExposition, type ReadMetric } from './exposition-parser.ts';

const FRAMES = {
  receivedFrames: 0,
  playedFrames: 0,
  lateFrames: 0,
  concealedFrames: 0,
  duplicateFrames: 0,
  droppedBusyFrames: 0,
  droppedFullFrames: 0,
  droppedHeldFrames: 0,
  refusedMessages: 0,
};
const PROVIDERS = ['native', 'twilio'];

function zeroByFault(): Record<FaultCode, number> {
  return Object.fromEntries(Object.keys(FAULTS).map((code) => [code, 0])) as Record<FaultCode, number>;
}

let control: ControlMetrics;
let node: NodeMetrics;
const frames = { ...FRAMES };
const rejected = zeroByFault();

beforeAll(() => {
  node = openNodeMetrics({
    region: 'local',
    version: '1.2.3',
    mode: 'single',
    capLegs: 800,
    providers: PROVIDERS,
    endReasons: ['caller_hangup', 'node_lost'],
    sources: {
      state: () => 'serving',
      calls: () => 2,
      legGroups: PROVIDERS.flatMap((provider) =>
        LEG_KINDS.map((kind) => ({
          provider,
          kind,
          legs: () => (provider === 'twilio' && kind === 'human' ? 0 : 3),
          frames: provider === 'twilio' && kind === 'telephony' ? frames : FRAMES,
        })),
      ),
      admission: () => ({ legs: 7, disk: 0 }),
      limits: () => ({ socket_stalled: 3 }),
      rejected: () => rejected,
      closed: zeroByFault,
      spoolSizeBytes: () => 4096,
      spoolFreeBytes: () => 1_000_000,
    },
  });
  control = openControlMetrics({
    region: 'local',
    eventClasses: ['voice', 'call'],
    errorClasses: ['timeout_response', 'http_5xx'],
    providers: PROVIDERS,
    sources: {
      limits: () => ({ stream_too_slow: 2 }),
      hookBacklog: () => 4,
      outboxOldestAgeSeconds: () => 1.5,
      eventGaps: () => 0,
      streams: () => 2,
      nodesLinked: () => 1,
      orphans: () => ({ ...newTakeoverCounts(), ok: 5, unavailable: 2 }),
    },
  });
});
afterAll(async () => {
  await node.close();
  await control.close();
});

it('counts what every limit held back, by its name', async () => {
  const nodeText = expositionOf(await node.snapshot());
  expect(nodeText).toContain('omnivoice_limit_hits_total{limit="socket_stalled"} 3');
  expect(nodeText).toContain('omnivoice_limit_hits_total{limit="figures"} 0');
  expect(nodeText).toContain('omnivoice_admission_refused_total{reason="legs"} 7');
  expect(expositionOf(await control.snapshot())).toContain(
    'omnivoice_limit_hits_total{limit="stream_too_slow"} 2',
  );
});

it('counts what it could not measure itself: times that ran backwards, and words of no closed set', async () => {
  const before = valueOf(await readNode(), 'omnivoice_limit_hits_total', { limit: 'figures' });
  node.tickLag.observeMs(-1);
  node.callEnded({ provider: 'a stranger', reason: 'caller_hangup', durationSeconds: 1 });
  expect(valueOf(await readNode(), 'omnivoice_limit_hits_total', { limit: 'figures' })).toBe(before + 2);
});

it('counts orphans among the takeovers that nodes count, in one metric', async () => {
  const text = expositionOf(await control.snapshot());
  expect(text).toContain('omnivoice_takeovers_total{reason="orphan",result="ok"} 5');
  expect(text).toContain('omnivoice_takeovers_total{reason="orphan",result="unavailable"} 2');
});

it('counts the calls that were lost with their node where the node cannot', async () => {
  control.callLost({ provider: 'twilio', legs: ['twilio', 'native', 'native'] });
  const text = expositionOf(await control.snapshot());
  expect(text).toContain('omnivoice_calls_ended_total{provider="twilio",reason="node_lost"} 1');
  expect(text).toContain('omnivoice_legs_lost_total{provider="twilio",cause="crash"} 1');
  expect(text).toContain('omnivoice_legs_lost_total{provider="native",cause="crash"} 2');
});

async function readNode(): Promise<Map<string, ReadMetric>> {
  return readExposition(expositionOf(await node.snapshot()));
}

async function readControl(): Promise<Map<string, ReadMetric>> {
  return readExposition(expositionOf(await control.snapshot()));
}

function valueOf(
  metrics: Map<string, ReadMetric>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const metric = metrics.get(name) ?? metrics.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const wanted = Object.entries(labels);
  const found = metric?.samples.filter(
    (sample) => sample.name === name && wanted.every(([label, word]) => sample.labels[label] === word),
  );
  if (found?.length !== 1)
    throw new Error(`${found?.length ?? 'no'} series of ${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

function edgesOf(metrics: Map<string, ReadMetric>, name: string): string[] {
  const buckets = metrics.get(name)!.samples.filter((sample) => sample.name.endsWith('_bucket'));
  return [...new Set(buckets.map(({ labels }) => labels['le']!))];
}

describe('a node’s figures', () => {
  it('have the names that dashboards and alarms rely on, all of them from the start', async () => {
    const names = [...(await readNode()).keys()].filter((name) => name.startsWith('omnivoice_'));
    expect(names.map((name) => name.replace('omnivoice_', '')).sort()).toEqual([
      'admission_refused_total',
      'call_duration_seconds',
      'call_setup_seconds',
      'call_setups_total',
      'calls',
      'calls_ended_total',
      'dials_total',
      'event_loop_delay_seconds',
      'frame_turnaround_seconds',
      'frames_concealed_total',
      'frames_dropped_total',
      'frames_duplicate_total',
      'frames_late_total',
      'frames_played_total',
      'frames_received_total',
      'jitter_buffer_seconds',
      'leg_ping_rtt_seconds',
      'leg_r_factor',
      'leg_silent_total',
      'legs',
      'limit_hits_total',
      'log_lines_dropped_total',
      'node_capacity_legs',
      'node_info',
      'node_state',
      'rejected_total',
      'rx_jitter_seconds',
      'sockets_closed_total',
      'spool_free_bytes',
      'spool_size_bytes',
      'tick_lag_seconds',
    ]);
  });

  it('have every combination of labels before anything happened', async () => {
    const metrics = await readNode();
    expect(metrics.get('omnivoice_call_setups_total')!.samples).toHaveLength(2 * (6 + 1));
    expect(metrics.get('omnivoice_calls_ended_total')!.samples).toHaveLength(2 * 2);
    expect(metrics.get('omnivoice_frames_dropped_total')!.samples).toHaveLength((2 * 3 - 1) * 4);
    expect(metrics.get('omnivoice_rejected_total')!.samples).toHaveLength(Object.keys(FAULTS).length);
    const series = [...metrics.values()].reduce((sum, { samples }) => sum + samples.length, 0);
    expect(series).toBeLessThan(2000);
  });

  it('show kinds of legs that were there, and all of one provider', async () => {
    const shown = (await readNode()).get('omnivoice_legs')!.samples;
    expect(shown.map(({ labels }) => `${labels['provider']} ${labels['kind']}`)).toEqual([
      'native telephony',
      'native ai',
      'native human',
      'twilio telephony',
      'twilio ai',
    ]);
  });

  it('show times of those providers only that have been there, and of one that may be', async () => {
    const providersOf = (metrics: Map<string, ReadMetric>): Set<string | undefined> =>
      new Set(metrics.get('omnivoice_rx_jitter_seconds')!.samples.map(({ labels }) => labels['provider']));
    expect(providersOf(await readNode())).toEqual(new Set(['native']));
    const window = { jitterSeconds: 0.01, bufferSeconds: 0, rFactor: 90, silentSides: [] };
    node.lineObserved({ provider: 'twilio', ...window });
    expect(providersOf(await readNode())).toEqual(new Set(['native', 'twilio']));
  });

  it('are read from the plain counters at the moment of asking', async () => {
    Object.assign(frames, { receivedFrames: 50, lateFrames: 2, droppedBusyFrames: 1, droppedFullFrames: 3 });
    rejected.overloaded = 7;
    const metrics = await readNode();
    const twilio = { region: 'local', provider: 'twilio', kind: 'telephony' };
    expect(valueOf(metrics, 'omnivoice_frames_received_total', twilio)).toBe(50);
    expect(valueOf(metrics, 'omnivoice_frames_late_total', twilio)).toBe(2);
    expect(valueOf(metrics, 'omnivoice_frames_dropped_total', { ...twilio, reason: 'full' })).toBe(3);
    expect(valueOf(metrics, 'omnivoice_rejected_total', { reason: 'overloaded' })).toBe(7);
    expect(valueOf(metrics, 'omnivoice_legs', twilio)).toBe(3);
    expect(valueOf(metrics, 'omnivoice_spool_size_bytes')).toBe(4096);
    expect(valueOf(metrics, 'omnivoice_node_info', { version: '1.2.3', mode: 'single' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_node_state', { state: 'serving' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_node_state', { state: 'draining' })).toBe(0);
  });

  it('put times where their edges are', async () => {
    node.turnaround.telephony.observeMs(20);
    node.turnaround.telephony.observeMs(20.1);
    node.tickLag.observeMs(0.4);
    node.ponged('twilio', 20);
    node.ponged('twilio', 401);
    node.callSetUp({ provider: 'twilio', dir: 'inbound', result: 'ok', durationSeconds: 0.04 });
    node.callSetUp({ provider: 'twilio', dir: 'inbound', result: 'auth' });
    node.callEnded({ provider: 'twilio', reason: 'caller_hangup', durationSeconds: 61 });
    const metrics = await readNode();
    const bucket = (le: string): number =>
      valueOf(metrics, 'omnivoice_frame_turnaround_seconds_bucket', { kind: 'telephony', le });
    expect([bucket('0.015'), bucket('0.02'), bucket('0.03'), bucket('+Inf')]).toEqual([0, 1, 2, 2]);
    expect(valueOf(metrics, 'omnivoice_tick_lag_seconds_bucket', { le: '0.0005' })).toBe(1);
    const ping = (le: string): number =>
      valueOf(metrics, 'omnivoice_leg_ping_rtt_seconds_bucket', { provider: 'twilio', le });
    expect([ping('0.01'), ping('0.02'), ping('0.4'), ping('0.8')]).toEqual([0, 1, 1, 2]);
    expect(valueOf(metrics, 'omnivoice_call_setup_seconds_count', { provider: 'twilio' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_call_duration_seconds_bucket', { provider: 'twilio', le: '60' })).toBe(
      0,
    );
    expect(
      valueOf(metrics, 'omnivoice_calls_ended_total', { provider: 'twilio', reason: 'caller_hangup' }),
    ).toBe(1);
  });

  it('come with those of the process, and without a delay that includes the sampler’s wait', async () => {
    const names = [...(await readNode()).keys()];
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_utilization',
      'nodejs_gc_duration_seconds',
    ]) {
      expect(names).toContain(name);
    }
    expect(names.filter((name) => name.startsWith('nodejs_eventloop_lag'))).toEqual([]);
  });
});

describe('control’s figures', () => {
  it('have the names that dashboards and alarms rely on', async () => {
    const names = [...(await readControl()).keys()].filter((name) => name.startsWith('omnivoice_'));
    expect(names.map((name) => name.replace('omnivoice_', '')).sort()).toEqual([
      'api_request_seconds',
      'api_requests_total',
      'calls_ended_total',
      'event_gaps_total',
      'event_loop_delay_seconds',
      'event_stage_seconds',
      'hook_attempts_total',
      'hook_backlog',
      'hook_propagation_seconds',
      'hooks_held_up_total',
      'journal_commit_seconds',
      'legs_lost_total',
      'limit_hits_total',
      'log_lines_dropped_total',
      'nodes_linked',
      'outbox_oldest_age_seconds',
      'streams',
      'takeovers_total',
    ]);
  });

  it('have both promises as exact edges', async () => {
    const edges = edgesOf(await readControl(), 'omnivoice_hook_propagation_seconds');
    expect(edges).toEqual(
      '0.001 0.002 0.005 0.01 0.02 0.05 0.075 0.1 0.15 0.2 0.3 0.5 1 2 5 +Inf'.split(' '),
    );
  });

  it('divide an event’s way into its stages, and measure first attempts only', async () => {
    control.eventCommitted({ receivedAtMs: 1000, decidedAtMs: 1001, committedAtMs: 1004 });
    const sent = {
      eventClass: 'voice',
      receivedAtMs: 1000,
      committedAtMs: 1004,
      sentAtMs: 1020,
      isHeldUp: false,
    };
    control.hookSent({ ...sent, attempt: 1 });
    control.hookSent({ ...sent, attempt: 2, sentAtMs: 9000 });
    control.attemptFinished({ errorClass: null, sentAtMs: 1020, doneAtMs: 1050 });
    control.attemptFinished({ errorClass: 'timeout_response', sentAtMs: 1020, doneAtMs: 9000 });
    const metrics = await readControl();
    const sums = ['detected', 'journalled', 'sent', 'delivered'].map((stage) =>
      valueOf(metrics, 'omnivoice_event_stage_seconds_sum', { stage }).toFixed(3),
    );
    expect(sums).toEqual(['0.001', '0.003', '0.016', '0.030']);
    const within = { region: 'local', event_class: 'voice', le: '0.02' };
    expect(valueOf(metrics, 'omnivoice_hook_propagation_seconds_bucket', within)).toBe(1);
    expect(valueOf(metrics, 'omnivoice_hook_propagation_seconds_count', { event_class: 'voice' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_hook_attempts_total', { result: 'ok' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_hook_attempts_total', { result: 'timeout_response' })).toBe(1);
  });

  it('tell which late hooks had waited for their receiver', async () => {
    const sent = { eventClass: 'voice', attempt: 1, receivedAtMs: 1000, committedAtMs: 1004 };
    control.hookSent({ ...sent, sentAtMs: 1200, isHeldUp: true });
    control.hookSent({ ...sent, sentAtMs: 1201, isHeldUp: false });
    control.hookSent({ ...sent, sentAtMs: 1201, isHeldUp: true });
    control.hookSent({ ...sent, attempt: 2, sentAtMs: 9000, isHeldUp: true });
    expect(valueOf(await readControl(), 'omnivoice_hooks_held_up_total', { region: 'local' })).toBe(1);
  });

  it('say how long commits take, down to a fifth of a millisecond', async () => {
    for (const durationMs of [0.2, 0.3, 40]) control.committed(durationMs);
    const metrics = await readControl();
    const bucket = (le: string): number =>
      valueOf(metrics, 'omnivoice_journal_commit_seconds_bucket', { le });
    expect([bucket('0.0002'), bucket('0.0005'), bucket('0.02'), bucket('0.05')]).toEqual([1, 2, 2, 3]);
  });

  it('count requests by closed sets, whatever strangers send', async () => {
    control.requestAnswered({ method: 'GET', status: 404, durationMs: 3 });
    control.requestAnswered({ method: 'BREW', status: 418, durationMs: 3 });
    const metrics = await readControl();
    expect(valueOf(metrics, 'omnivoice_api_requests_total', { method: 'GET', status: '4xx' })).toBe(1);
    expect(valueOf(metrics, 'omnivoice_api_requests_total', { method: 'other', status: '4xx' })).toBe(1);
    expect(metrics.get('omnivoice_api_requests_total')!.samples).toHaveLength(6 * 5);
    expect(valueOf(metrics, 'omnivoice_hook_backlog')).toBe(4);
  });
});

describe('the figures of the whole host', () => {
  it('are one well-formed text, with nodes told apart and control as it is', async () => {
    // As over the link: through JSON.
    const snapshot = JSON.parse(JSON.stringify(await node.snapshot())) as Snapshot;
    const whole = aggregate(await control.snapshot(), [
      { node: 0, snapshot },
      { node: 1, snapshot },
    ]);
    const metrics = readExposition(expositionOf(whole));
    const legs = { provider: 'twilio', kind: 'telephony' };
    expect(valueOf(metrics, 'omnivoice_legs', { ...legs, node: '1' })).toBe(3);
    expect(valueOf(metrics, 'omnivoice_hook_backlog')).toBe(4);
    const cpu = metrics.get('process_cpu_seconds_total')!.samples.map(({ labels }) => labels['node']);
    expect(cpu).toEqual([undefined, '0', '1']);
  });

  it('are control’s alone while no node is there', async () => {
    const text = expositionOf(aggregate(await control.snapshot(), []));
    expect(readExposition(text).has('omnivoice_legs')).toBe(false);
  });
});

describe('the exposition', () => {
  it('escapes what would break a line', () => {
    const text = expositionOf([
      {
        name: 'a_b',
        help: 'back\\slash\nline',
        type: 'gauge',
        values: [{ labels: { x: 'q"\\\n' }, value: 1e21 }],
      },
    ]);
    expect(text).toBe('# HELP a_b back\\\\slash\\nline\n# TYPE a_b gauge\na_b{x="q\\"\\\\\\n"} 1e+21\n');
    expect(readExposition(text).get('a_b')!.samples[0]!.labels).toEqual({ x: 'q"\\\n' });
  });
});
