import {
  NORTH,
  N1,
  N1_LABELS,
  NODE,
  TWILIO,
  n1,
  hosts,
  hooks,
  setups,
  room,
  leases,
  lateFrames,
  poorWindows,
  turnarounds,
  gaps,
  legFates,
  type Seen,
} from './alert-series.ts';

/** What Prometheus saw of one region, and which alerts fire then; all the others are silent. */
export interface AlertStory {
  readonly told: string;
  /** Between two values; 15 s where it does not say. */
  readonly everyMs?: number;
  readonly seen: Seen;
  readonly at: string;
  /** By alert, the labels of the one that fires. */
  readonly fires: { readonly [alert: string]: { readonly [label: string]: string } };
}

const TWO_MINUTES_MS = 120_000;
/** A count that stands still for a minute and rises then. */
const RISES = '0x4 1x40';
const UP = '1x120';
const DOWN = '1x4 0x120';

/** One thing that must not happen, and one time that it did. */
function counted(
  alert: string,
  series: string,
  at: string,
  labels: AlertStory['fires'][string],
): AlertStory[] {
  return [
    { told: `${series} stands still`, seen: { [series]: '0x120' }, at, fires: {} },
    { told: `${series} rises`, seen: { [series]: RISES }, at, fires: { [alert]: labels } },
  ];
}

function limited(alert: string, limit: string, at: string): AlertStory[] {
  const series = n1('omnivoice_limit_hits_total', `limit="${limit}"`);
  return counted(alert, series, at, { ...NODE, limit });
}

const HOSTS: readonly AlertStory[] = [
  {
    told: 'control is away, its nodes are not',
    seen: hosts(DOWN, UP, UP, UP),
    at: '5m',
    fires: { OmnivoiceControlDown: N1_LABELS },
  },
  {
    told: 'a whole host is away',
    seen: hosts(DOWN, DOWN, UP, UP),
    at: '5m',
    fires: { OmnivoiceHostLost: { ...NORTH, host: 'n1' } },
  },
  {
    told: 'all hosts are away',
    seen: hosts(DOWN, DOWN, DOWN, DOWN),
    at: '5m',
    fires: { OmnivoiceRegionLost: NORTH },
  },
  {
    told: 'a node does not come back',
    seen: { [`omnivoice_nodes_linked{${N1}}`]: '3x8 2x40' },
    at: '5m',
    fires: { OmnivoiceNodeGone: N1_LABELS },
  },
  {
    told: 'a node was replaced at once',
    seen: { [`omnivoice_nodes_linked{${N1}}`]: '3x8 2 3x40' },
    at: '5m',
    fires: {},
  },
  {
    told: 'a process was started three times',
    seen: { [n1('process_start_time_seconds')]: '100x4 200x4 300x4 400x20' },
    at: '5m',
    fires: { OmnivoiceProcessKeepsDying: NODE },
  },
  {
    told: 'a rollout started it once',
    seen: { [n1('process_start_time_seconds')]: '100x4 200x30' },
    at: '5m',
    fires: {},
  },
  {
    told: 'a node is degraded',
    seen: { [n1('omnivoice_node_state', 'state="degraded"')]: '0x4 1x40' },
    at: '5m',
    fires: { OmnivoiceNodeLate: { ...NODE, state: 'degraded' } },
  },
  {
    told: 'a node is degraded since half a minute',
    seen: { [n1('omnivoice_node_state', 'state="degraded"')]: '0x18 1x40' },
    at: '5m',
    fires: {},
  },
  {
    told: 'control is late',
    seen: { [`omnivoice_event_loop_delay_seconds{${N1},quantile="0.99"}`]: '0.3x120' },
    at: '20m',
    fires: { OmnivoiceControlLate: { ...N1_LABELS, quantile: '0.99' } },
  },
  {
    told: 'a node’s loop is late, which its state tells',
    seen: { [n1('omnivoice_event_loop_delay_seconds', 'quantile="0.99"')]: '0.3x120' },
    at: '20m',
    fires: {},
  },
  ...counted('OmnivoiceCallsLost', `omnivoice_calls_ended_total{${N1},reason="node_lost"}`, '5m', NORTH),
];

const CALLS: readonly AlertStory[] = [
  {
    told: 'one call in ten is not set up',
    seen: setups('0+9x120', 'upstream', '0+1x120'),
    at: '20m',
    fires: { OmnivoiceSetupsFail: TWILIO },
  },
  {
    told: 'one call in a hundred is not set up',
    seen: setups('0+99x120', 'upstream', '0+1x120'),
    at: '20m',
    fires: {},
  },
  {
    told: 'half of all arrivals have no credential',
    seen: setups('0+9x120', 'auth', '0+9x120'),
    at: '20m',
    fires: { OmnivoiceCredentialsRefused: TWILIO },
  },
  {
    told: 'a tenth of all arrivals has no credential',
    seen: setups('0+9x120', 'auth', '0+1x120'),
    at: '20m',
    fires: {},
  },
  {
    told: 'nodes have no room',
    seen: { [n1('omnivoice_admission_refused_total', 'reason="legs"')]: '0+5x120' },
    at: '5m',
    fires: { OmnivoiceRefusesCalls: { ...NORTH, reason: 'legs' } },
  },
  {
    told: 'a node that drains refuses calls',
    seen: { [n1('omnivoice_admission_refused_total', 'reason="draining"')]: '0+5x120' },
    at: '5m',
    fires: {},
  },
  {
    told: 'five eighths of two hosts are taken',
    seen: room(500),
    at: '20m',
    fires: { OmnivoiceRegionCannotLoseAHost: NORTH },
  },
  { told: 'three eighths of two hosts are taken', seen: room(300), at: '20m', fires: {} },
  {
    told: 'three frames in a hundred are late',
    seen: lateFrames(30),
    at: '20m',
    fires: { OmnivoiceFramesLate: TWILIO },
  },
  { told: 'one frame in a hundred is late', seen: lateFrames(10), at: '20m', fires: {} },
  // Newer servers write the edge 70 as 70.0.
  ...['70', '70.0'].map((edge) => ({
    told: `one window in ten is poor, with an edge at ${edge}`,
    seen: poorWindows(10, edge),
    at: '20m',
    fires: { OmnivoiceQualityPoor: TWILIO },
  })),
  { told: 'one window in a hundred is poor', seen: poorWindows(1, '70'), at: '20m', fires: {} },
  {
    told: 'three frames in a hundred stay longer than 20 ms',
    seen: turnarounds('0+970x120'),
    at: '20m',
    fires: { OmnivoiceTurnaroundSlow: { ...NORTH, kind: 'telephony' } },
  },
  { told: 'one frame in a thousand does', seen: turnarounds('0+999x120'), at: '20m', fires: {} },
];

const BOTH_BURN = { OmnivoiceHooksBudgetBurnsFast: NORTH, OmnivoiceHooksBudgetBurns: NORTH };

const HOOKS: readonly AlertStory[] = [
  {
    told: 'a fifth of the hooks is slow',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0+4000x200', '0+3200x200'),
    at: '6h10m',
    fires: BOTH_BURN,
  },
  {
    told: 'a tenth of the hooks is slow',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0+4000x200', '0+3600x200'),
    at: '6h10m',
    fires: { OmnivoiceHooksBudgetBurns: NORTH },
  },
  {
    told: 'a fifth of the hooks is slow, for they wait for their receivers',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0+4000x200', '0+3200x200', '0+800x200'),
    at: '6h10m',
    fires: {},
  },
  {
    told: 'one hook in two hundred is slow',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0+4000x200', '0+3980x200'),
    at: '6h10m',
    fires: {},
  },
  {
    told: 'all hooks of two minutes were slow, just before',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0+4000x200', '0+4000x182 728000+4000x10'),
    at: '6h10m',
    fires: {},
  },
  {
    told: 'there are no hooks',
    everyMs: TWO_MINUTES_MS,
    seen: hooks('0x200', '0x200'),
    at: '6h10m',
    fires: {},
  },
  {
    told: 'a delivery is ten minutes old',
    seen: { [`omnivoice_outbox_oldest_age_seconds{${N1}}`]: '600x120' },
    at: '20m',
    fires: { OmnivoiceHooksLate: N1_LABELS },
  },
  {
    told: 'a delivery is a minute old',
    seen: { [`omnivoice_outbox_oldest_age_seconds{${N1}}`]: '60x120' },
    at: '20m',
    fires: {},
  },
  ...limited('OmnivoiceEndpointSwitchedOff', 'hook_endpoints_auto_disabled', '5m'),
  ...limited('OmnivoiceDeadLetters', 'hook_dead_letters', '5m'),
  {
    told: 'leases in the database fail',
    seen: { [n1('omnivoice_limit_hits_total', 'limit="partition_beats_failed"')]: '0+1x40' },
    at: '5m',
    fires: { OmnivoiceDatabaseAway: { ...NODE, limit: 'partition_beats_failed' } },
  },
  {
    told: 'leases in the database failed two minutes ago',
    seen: { [n1('omnivoice_limit_hits_total', 'limit="partition_beats_failed"')]: '0+1x8 9x30' },
    at: '5m',
    fires: {},
  },
  {
    told: 'commits fail',
    seen: { [`omnivoice_limit_hits_total{${N1},limit="commits_failed"}`]: '0+1x40' },
    at: '5m',
    fires: { OmnivoiceCommitsFail: { ...N1_LABELS, limit: 'commits_failed' } },
  },
  {
    told: 'one commit failed, and held when it was tried again',
    seen: { [`omnivoice_limit_hits_total{${N1},limit="commits_failed"}`]: '0x8 1x40' },
    at: '5m',
    fires: {},
  },
  ...counted('OmnivoiceEventGap', `omnivoice_event_gaps_total{${N1}}`, '5m', N1_LABELS),
  {
    told: 'two thirds of a spool are taken',
    seen: { [n1('omnivoice_spool_size_bytes')]: '200x40', [n1('omnivoice_spool_free_bytes')]: '100x40' },
    at: '5m',
    fires: { OmnivoiceSpoolFilling: NODE },
  },
  {
    told: 'a third of a spool is taken',
    seen: { [n1('omnivoice_spool_size_bytes')]: '100x40', [n1('omnivoice_spool_free_bytes')]: '200x40' },
    at: '5m',
    fires: {},
  },
];

const CLUSTER: readonly AlertStory[] = [
  {
    told: 'no node has its lease',
    seen: leases(DOWN, DOWN, DOWN, DOWN),
    at: '5m',
    fires: { OmnivoiceRegistryDown: NORTH },
  },
  {
    told: 'one node of four has no lease',
    seen: leases(DOWN, UP, UP, UP),
    at: '5m',
    fires: { OmnivoiceNodeIsolated: { ...NORTH, host: 'n0', node: '0' } },
  },
  ...counted('OmnivoiceRegistryEmptied', n1('omnivoice_redis_epoch_changes_total'), '5m', NODE),
  {
    told: 'beats take 200 ms',
    seen: { [n1('omnivoice_registry_round_trip_seconds')]: '0.2x40' },
    at: '5m',
    fires: { OmnivoiceRegistrySlow: NODE },
  },
  {
    told: 'one beat took 200 ms',
    seen: { [n1('omnivoice_registry_round_trip_seconds')]: '0.001x19 0.2 0.001x30' },
    at: '5m',
    fires: {},
  },
  {
    told: 'nodes do not reach each other for two minutes',
    seen: { [n1('omnivoice_peer_state', 'state="suspect"')]: '0x4 1x40' },
    at: '5m',
    fires: { OmnivoicePeersApart: { ...NORTH, host: 'n1', instance: 'n1:8080', node: '0' } },
  },
  {
    told: 'a lost host was missed until its lease was over',
    seen: { [n1('omnivoice_peer_state', 'state="suspect"')]: '0x19 1 0x40' },
    at: '5m',
    fires: {},
  },
  ...counted('OmnivoiceTwoOwners', n1('omnivoice_ownership_conflicts_total', 'kind="replaced"'), '5m', NORTH),
  {
    told: 'two nodes wanted a call that nobody had, and one was quicker',
    seen: { [n1('omnivoice_ownership_conflicts_total', 'kind="moved_race"')]: RISES },
    at: '5m',
    fires: {},
  },
  {
    told: 'a tenth of the calls was gone for longer than three seconds',
    seen: gaps('0+90x40'),
    at: '5m',
    fires: { OmnivoiceFailoverSlow: { ...NORTH, cause: 'crash' } },
  },
  { told: 'all calls were back within three seconds', seen: gaps('0+100x40'), at: '5m', fires: {} },
  {
    told: 'a tenth of the legs that lost their node did not come back',
    seen: legFates('crash', '0+10x40', '0+90x40'),
    at: '5m',
    fires: { OmnivoiceLegsNotBack: TWILIO },
  },
  {
    told: 'none of them came back, and no node is left to say so',
    seen: { [`omnivoice_legs_lost_total{${N1},provider="twilio",cause="crash"}`]: '0x4 1x40' },
    at: '5m',
    fires: { OmnivoiceLegsNotBack: TWILIO },
  },
  { told: 'one in a hundred did not', seen: legFates('hang', '0+1x40', '0+99x40'), at: '5m', fires: {} },
  {
    told: 'half of the connections that broke did not come back: callers hang up so',
    seen: legFates('connection', '0+50x40', '0+50x40'),
    at: '5m',
    fires: {},
  },
  {
    told: 'a clock is behind by half a second',
    seen: { [n1('omnivoice_clock_skew_seconds')]: '-0.5x40' },
    at: '5m',
    fires: { OmnivoiceClockSkewed: NODE },
  },
  {
    told: 'a clock is ahead by 20 ms',
    seen: { [n1('omnivoice_clock_skew_seconds')]: '0.02x40' },
    at: '5m',
    fires: {},
  },
  {
    told: 'a node drains for twenty minutes',
    seen: { [n1('omnivoice_node_state', 'state="draining"')]: '1x120' },
    at: '20m',
    fires: { OmnivoiceDrainStuck: { ...NODE, state: 'draining' } },
  },
  {
    told: 'a node drains for ten minutes',
    seen: { [n1('omnivoice_node_state', 'state="draining"')]: '0x40 1x40' },
    at: '20m',
    fires: {},
  },
  ...counted('OmnivoiceDrainCutsOff', n1('omnivoice_drain_cut_off_total'), '5m', NODE),
  ...limited('OmnivoiceSnapshotsTooLarge', 'snapshot_too_large', '5m'),
  ...limited('OmnivoiceSnapshotsUnreadable', 'snapshots_unreadable', '5m'),
  ...limited('OmnivoicePeerStrangers', 'peer_strangers', '5m'),
];

export const ALERT_STORIES: readonly AlertStory[] = [...HOSTS, ...CALLS, ...HOOKS, ...CLUSTER];
