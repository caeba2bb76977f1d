import { systemClock } from '../../src/base/clock.ts';
import { Exposition } from '../scene/exposition.ts';
import { pause } from '../scene/phases.ts';
import type { ClusterScene } from './cluster-scene.ts';
import type { CrowdState, LegFigures, Placing } from './crowd.ts';
import type { CallerKind } from './failover-caller.ts';
import type { Fault, Victim } from './faults.ts';

/** Before the fault: every call is saved, its second of quiet measured, and nodes know each other. */
const SETTLE_MS = 2000;
/** After it: what comes twice or late comes within this. */
const AFTERMATH_MS = 1000;
/** What was away is there again: nodes save all their calls within a second, and hear of each other. */
const AFTER_MENDING_MS = 3000;
const BACK_WITHIN_MS = 20_000;
const CALLS_PER_SECOND = 60;
/** A crowd presses a key each second and a half together, a single call as often by itself. */
const DIGIT_MS = 600;
const DIGITS_PER_SECOND_MAX = 40;

/** What a node that has just started carries before others come to it: in earnest it is never without calls. */
const WARM_CALLS_OF_EACH_KIND = 4;
const WARM_MS = 1200;

/** One run of a fault. */
export interface FaultRun {
  readonly legs: readonly LegFigures[];
  readonly placedCalls: number;
  readonly refusals: readonly string[];
  /** Calls before it that nothing happens to. */
  readonly warmCalls: number;
  /** Calls that changed hands where no line was to break; null where lines were. */
  readonly movedCalls: number | null;
}

/** Places the calls on one node, strikes, and looks what became of each. */
export async function runFault(scene: ClusterScene, fault: Fault, index: number): Promise<FaultRun> {
  const { hosts, crowd } = scene;
  const victim: Victim = {
    host: index % hosts.length,
    node: Math.floor(index / hosts.length) % hosts[0]!.nodes,
  };
  const label = `${fault.name.replaceAll('-', '')}${index}`;
  const refusals: string[] = [];
  const warmCalls = await warmUp(scene, label, victim);
  for (const kind of ['native', 'twilio'] as const) {
    const placing = placingOf(scene, fault, { victim, label, kind });
    refusals.push(...(await crowd.ask<readonly string[]>('place', placing)));
  }
  await pause(SETTLE_MS);
  const isUnnoticed = fault.breaks.length === 0;
  const takeoversBefore = isUnnoticed ? await takeoversOf(scene) : 0;
  const faultAtMs = systemClock.nowMs();
  const mend = await fault.strike(scene, victim);
  await pause(fault.lastsMs);
  if (isUnnoticed) await mend();
  else await untilBack(scene, { label, faultAtMs }, fault.breaks.length * fault.callsOfEachKind);
  await pause(isUnnoticed ? AFTER_MENDING_MS : AFTERMATH_MS);
  const legs = await crowd.ask<readonly LegFigures[]>('legs', { label, faultAtMs });
  const movedCalls = isUnnoticed ? (await takeoversOf(scene)) - takeoversBefore : null;
  await crowd.ask('hangUp', { label });
  if (!isUnnoticed) await mend();
  const placedCalls = 2 * fault.callsOfEachKind - refusals.length;
  return { legs, placedCalls, warmCalls, refusals, movedCalls };
}

/** Everybody but the victim carries a few calls for a moment: else what is measured is code that never ran. */
async function warmUp(scene: ClusterScene, label: string, victim: Victim): Promise<number> {
  const { hosts, credentials, crowd } = scene;
  let placed = 0;
  const warming: string[] = [];
  for (const [index, host] of hosts.entries()) {
    for (let node = 0; node < host.nodes; node++) {
      if (index === victim.host && node === victim.node) continue;
      const name = `warm${label}x${index}x${node}`;
      warming.push(name);
      for (const kind of ['native', 'twilio'] as const) {
        const url = host.at(credentials[kind], node);
        const wish = { label: name, kind, count: WARM_CALLS_OF_EACH_KIND, urls: [url], jitterMs: 0 };
        const placing: Placing = { ...wish, callsPerSecond: CALLS_PER_SECOND, digitEveryMs: DIGIT_MS };
        const refused = await crowd.ask<readonly string[]>('place', placing);
        placed += WARM_CALLS_OF_EACH_KIND - refused.length;
      }
    }
  }
  await pause(WARM_MS);
  for (const name of warming) await crowd.ask('hangUp', { label: name });
  return placed;
}

async function takeoversOf({ hosts }: ClusterScene): Promise<number> {
  const counts = hosts.map(async ({ house }) => {
    const exposition = await Exposition.fetch(house.ready.api_url);
    return exposition.sum('omnivoice_takeovers_total', { result: 'ok' });
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

function placingOf(
  { hosts, credentials }: ClusterScene,
  { callsOfEachKind: count, jitterMs }: Fault,
  { victim, label, kind }: { readonly victim: Victim; readonly label: string; readonly kind: CallerKind },
): Placing {
  const others = hosts.filter((_, host) => host !== victim.host);
  const first = hosts[victim.host]!;
  const sibling = (victim.node + 1) % first.nodes;
  // A document lists different nodes: of another host first, then of this one.
  const places = [
    first.at(credentials[kind], victim.node),
    ...others.map((host) => host.at(credentials[kind], victim.node)),
    ...(sibling === victim.node ? [] : [first.at(credentials[kind], sibling)]),
  ];
  const digitEveryMs = Math.max(DIGIT_MS, (1000 * 2 * count) / DIGITS_PER_SECOND_MAX);
  return { label, kind, count, callsPerSecond: CALLS_PER_SECOND, urls: places, jitterMs, digitEveryMs };
}

async function untilBack(
  { crowd }: ClusterScene,
  asked: { readonly label: string; readonly faultAtMs: number },
  count: number,
): Promise<void> {
  const untilMs = systemClock.nowMs() + BACK_WITHIN_MS;
  while (systemClock.nowMs() < untilMs) {
    const { back, over } = await crowd.ask<CrowdState>('state', asked);
    if (back + over >= count) return;
    await pause(20);
  }
}
