/** Series and their values (`0+3x8`: from 0, eight times 3 more). */
export interface Seen {
  readonly [series: string]: string;
}

export const NORTH = { region: 'north' };
export const N1 = 'region="north",host="n1",instance="n1:8080",job="omnivoice"';
const N2 = 'region="north",host="n2",instance="n2:8080",job="omnivoice"';
export const N1_LABELS = { ...NORTH, host: 'n1', instance: 'n1:8080', job: 'omnivoice' };
export const NODE = { ...N1_LABELS, node: '0' };
export const TWILIO = { ...NORTH, provider: 'twilio' };
const MEDIA_1 = 'up{region="north",host="n1",instance="n1:8082",job="omnivoice-media"}';
const MEDIA_2 = 'up{region="north",host="n2",instance="n2:8082",job="omnivoice-media"}';

/** A metric of node 0 of the first host. */
export function n1(name: string, labels = ''): string {
  return `${name}{${N1},node="0"${labels === '' ? '' : `,${labels}`}}`;
}

/** Two hosts of one region, each with whether control and whether a media node answers. */
export function hosts(control1: string, media1: string, control2: string, media2: string): Seen {
  return { [`up{${N1}}`]: control1, [`up{${N2}}`]: control2, [MEDIA_1]: media1, [MEDIA_2]: media2 };
}

/** Hooks of one region, those within 200 ms, and the others that waited for their receivers. */
export function hooks(all: string, quick: string, heldUp = '0x200'): Seen {
  const name = 'omnivoice_hook_propagation_seconds';
  const labels = 'region="north",event_class="voice",host="n1"';
  return {
    [`${name}_count{${labels}}`]: all,
    [`${name}_bucket{${labels},le="0.2"}`]: quick,
    'omnivoice_hooks_held_up_total{region="north",host="n1"}': heldUp,
  };
}

/** Calls of one provider that came to be, and those that did not for this reason. */
export function setups(ok: string, result: string, failed: string): Seen {
  const labels = 'region="north",provider="twilio",dir="inbound",host="n1"';
  return {
    [`omnivoice_call_setups_total{${labels},result="ok"}`]: ok,
    [`omnivoice_call_setups_total{${labels},result="${result}"}`]: failed,
  };
}

/** Legs and capacity of two hosts with two nodes each. */
export function room(legs: number): Seen {
  const nodes = ['n1', 'n2'].flatMap((host) =>
    ['0', '1'].map((node) => `region="north",host="${host}",node="${node}"`),
  );
  return Object.fromEntries(
    nodes.flatMap((labels) => [
      [`omnivoice_node_capacity_legs{${labels}}`, '800+0x120'],
      [`omnivoice_legs{${labels},provider="twilio",kind="telephony"}`, `${legs}+0x120`],
    ]),
  );
}

/** Whether the registry takes the beats of four nodes. */
export function leases(...valid: readonly string[]): Seen {
  const rows = valid.map((values, node) => [
    `omnivoice_node_lease_valid{region="north",host="n${node}",node="0"}`,
    values,
  ]);
  return Object.fromEntries(rows) as Seen;
}

/** Frames of one provider, this many late of each thousand. */
export function lateFrames(late: number): Seen {
  const frames = (what: string): string =>
    n1(`omnivoice_frames_${what}_total`, 'provider="twilio",kind="telephony"');
  return { [frames('received')]: '0+1000x120', [frames('late')]: `0+${late}x120` };
}

/** Ten seconds of lines, this many poor of each hundred, with the edge as a server writes it. */
export function poorWindows(poor: number, edge: string): Seen {
  const name = 'omnivoice_leg_r_factor';
  return {
    [n1(`${name}_bucket`, `provider="twilio",le="${edge}"`)]: `0+${poor}x120`,
    [n1(`${name}_count`, 'provider="twilio"')]: '0+100x120',
  };
}

/** A thousand frames each time, these within 20 ms. */
export function turnarounds(quick: string): Seen {
  const bucket = (le: string): string =>
    n1('omnivoice_frame_turnaround_seconds_bucket', `kind="telephony",le="${le}"`);
  return { [bucket('0.02')]: quick, [bucket('0.2')]: '0+1000x120', [bucket('+Inf')]: '0+1000x120' };
}

/** A hundred calls that moved each time, these within 3 s. */
export function gaps(quick: string): Seen {
  const bucket = (le: string): string =>
    n1('omnivoice_failover_gap_seconds_bucket', `cause="crash",le="${le}"`);
  return { [bucket('3')]: quick, [bucket('10')]: '0+100x40', [bucket('+Inf')]: '0+100x40' };
}

/** Legs of one provider that were without a line for this cause: those that stayed lost, and those that came back. */
export function legFates(cause: string, lost: string, resumed: string): Seen {
  const labels = `provider="twilio",cause="${cause}"`;
  return {
    [n1('omnivoice_legs_lost_total', labels)]: lost,
    [n1('omnivoice_legs_resumed_total', labels)]: resumed,
  };
}
