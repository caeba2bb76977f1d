import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  RESUMING,
  expectWhole,
  hooksOf,
  nativeUrl,
  Opened,
  pause,
  peerUrl,
  untilCompleted,
  untilFound,
} from './cluster-scene.ts';
import { openProvider } from '../providers/control/provider-house.ts';
import { obeyRedirects, openCrossing, TwilioCall } from './crossing-lines.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { faultsIn, NumberedSpeech } from './numbered-speech.ts';

const IS_LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const CALLS = IS_LONG ? 200 : 6;
const NODES = IS_LONG ? 3 : 2;
/** Whoever shares the machine with this test is no reason to refuse a call. */
const PATIENT = { ...RESUMING, LOOP_BUSY_MAX_RATIO: '0', RESUME_WINDOW_MS: '30000' };

const STALL_MS_MAX = 500;
/** Long enough for what the machine does to a call by itself: a rolling restart takes about as long. */
const QUIET_MS = IS_LONG ? 20_000 : 500;

const opened = new Opened();

afterEach(() => opened.close());

interface Line {
  readonly caller: NativeCaller;
  readonly speech: NumberedSpeech;
  readonly stays?: number;
}

/** A machine that is busy with other things may refuse a caller once. */
async function dialled(url: string, attemptsLeft = 5): Promise<NativeCaller> {
  try {
    return await NativeCaller.dial(url);
  } catch (error) {
    if (attemptsLeft === 0) throw error;
    await pause(500);
    return dialled(url, attemptsLeft - 1);
  }
}

async function speakers(url: string, count: number): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (let i = 0; i < count; i++) {
    const caller = await dialled(url);
    lines.push({ caller, speech: new NumberedSpeech(caller) });
  }
  return lines;
}

interface Node {
  readonly id: string;
  readonly node: number;
  readonly state: string;
}

/** The life of a node that serves, once there is one other than `former`. */
async function lifeOf(house: House, node: number, former?: string): Promise<string> {
  const { api_key: key } = house.ready;
  for (let looks = 0; looks < 150; looks++) {
    // Control may be too busy to answer at once.
    const { nodes = [] } = await house
      .api<{ nodes?: readonly Node[] }>('GET', '/cluster', undefined, key)
      .catch(() => ({ nodes: [] }));
    // Where the machine is busy with other things all nodes are late.
    const isUp = ({ state }: Node): boolean => state === 'serving' || state === 'degraded';
    const serving = nodes.find((one) => one.node === node && isUp(one) && one.id !== former);
    if (serving !== undefined) return serving.id;
    await pause(IS_LONG ? 1_500 : 400);
  }
  throw new Error(`node ${node} serves no more`);
}

/** Drains a life of a node; resolves to its name when the next one serves in its place. */
async function restart(house: House, node: number): Promise<string> {
  const pid = house.pidOf(`node-${node}`);
  const life = await lifeOf(house, node);
  const order = () => house.fetch('POST', `/nodes/${life}/drain`, undefined, house.ready.api_key);
  await untilFound(
    'the order to be taken',
    async () => (await order()).status,
    (status) => status === 202,
    60_000,
  );
  await until('it to leave', () => house.pidOf(`node-${node}`) !== pid, 150_000);
  await lifeOf(house, node, life);
  return life;
}

/** Where callers of each kind come in; a provider with an account, and one without. */
async function telephonyOf(house: House, providerUrl: string) {
  const made = { dialect: 'twilio', agent_id: 'echo' };
  const control = { account: 'AC0', secret: 'rest-secret', base_url: providerUrl };
  const urlOf = async (given: object): Promise<string> =>
    (await house.api<{ url: string }>('POST', '/voice/stream-credentials', given)).url;
  return {
    twilioUrl: await urlOf({ ...made, control }),
    plainUrl: await urlOf(made),
    nativeUrl: await nativeUrl(house),
  };
}

/** How long the longest silence of each call was since then; p50, p95 and the longest. */
function gapsOf(lines: readonly Line[], sinceMs = 0): string {
  const gapsMs = lines.map(({ speech }) => speech.largestGapMsSince(sinceMs)).toSorted((a, b) => a - b);
  const at = (ratio: number): number => Math.round(gapsMs[Math.floor((gapsMs.length - 1) * ratio)] ?? 0);
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms`;
}

describe('nodes that are drained one after the other', { timeout: IS_LONG ? 600_000 : 120_000 }, () => {
  it('hand every call over: none is dropped, and no frame is lost, doubled or out of order', async () => {
    const settings = { MEDIA_NODES: String(NODES), DRAIN_MOVE_PROVIDER_MS: '0', ...PATIENT };
    const house = opened.own(await House.open(settings));
    const hooks = await hooksOf(house, opened);
    const provider = await openProvider((close) => opened.own({ close }));
    const telephony = await telephonyOf(house, provider.url);
    const crossing = await openCrossing(house, hooks, { ...telephony, owner: 1, socket: 0 });
    const crossed = { caller: crossing.native, speech: new NumberedSpeech(crossing.native) };
    const local = await TwilioCall.place(house, hooks, { url: telephony.twilioUrl, node: 0 });
    const telephoned = [crossing.twilio, local];
    opened.own(obeyRedirects(provider, telephoned));
    const lines = await speakers(await nativeUrl(house), CALLS);
    const placedAtMs = performance.now();
    await pause(QUIET_MS);
    const before = gapsOf(lines, placedAtMs);
    const beganAtMs = performance.now();
    const stalls = monitorEventLoopDelay();
    stalls.enable();
    const lives: string[] = [];
    lives.push(await restart(house, 0));
    // The node of their sockets left: one was told, the others were streamed to the node of their calls.
    expect([crossed.caller.resumedTimes(), crossed.caller.isOnOpenLine]).toEqual([2, true]);
    expect(telephoned.map(({ streams }) => streams.length)).toEqual([3, 2]);
    const plain = { ...telephony, twilioUrl: telephony.plainUrl };
    const other = await openCrossing(house, hooks, { ...plain, owner: 1, socket: 0 });
    const fetched = { caller: other.native, speech: new NumberedSpeech(other.native) };
    for (let node = 1; node < NODES; node++) lives.push(await restart(house, node));
    await until('the relayed to go on', () => fetched.caller.resumedTimes() === 2);
    // The node of their calls left: the calls went to their sockets.
    expect([fetched.caller.isOnOpenLine, other.twilio.stream.closeCode]).toEqual([true, undefined]);
    const stalledMs = stalls.max / 1e6;
    stalls.disable();
    const moves = lines.reduce((sum, { caller }) => sum + caller.resumedTimes(), 0);
    const gaps = `longest gaps before ${before}, meanwhile ${gapsOf(lines, beganAtMs)}`;
    console.log(
      `${CALLS} calls, ${NODES} nodes, ${moves} moves: ${gaps}; callers stalled ${Math.round(stalledMs)} ms`,
    );
    expect(moves).toBeGreaterThanOrEqual(CALLS);
    const { missing: missed, doubled } = faultsIn(other.twilio.stream.heard);
    expect([stalledMs < STALL_MS_MAX ? missed : 0, doubled]).toEqual([0, 0]);
    // How often each came to another node without its call, or was streamed again: the rest were takeovers.
    const streams = [
      { call: crossing.twilio, stays: 3 },
      { call: local, stays: 1 },
      { call: other.twilio, stays: 1 },
    ];
    for (const { call } of streams) call.stream.hangUp();
    const natives = [...lines, { ...crossed, stays: 2 }, { ...fetched, stays: 1 }];
    for (const { caller } of natives) caller.hangUp();
    const isCompleted = ({ caller }: Line): boolean =>
      hooks.firstArrivals(caller.callId).some(({ type }) => type === 'call_completed');
    await until('the ends of all', () => natives.every(isCompleted), IS_LONG ? 120_000 : 20_000);
    for (const { call, stays } of streams) {
      await untilCompleted(hooks, call.callId);
      expectWhole(hooks.firstArrivals(call.callId), call.streams.length - stays);
    }
    for (const { caller, speech, stays = 0 } of natives) {
      expect([speech.doubledFrames, speech.framesOfOldLines]).toEqual([0, 0]);
      // Callers that stood still say seconds of sound at once, more than waits anywhere for a call on its way.
      const missing = stalledMs < STALL_MS_MAX ? speech.missingFrames : 0;
      expect({ stays, missing }).toEqual({ stays, missing: 0 });
      expectWhole(hooks.firstArrivals(caller.callId), caller.resumedTimes() - stays);
      const [ended] = hooks.firstArrivals(caller.callId).filter(({ type }) => type === 'call_ended');
      expect(ended!.data['reason']).toBe('caller_hangup');
    }
    const drained = lives.map((life) => hooks.firstArrivals(life).map(({ type }) => type));
    expect(drained).toEqual(lives.map(() => ['node.drained']));
  });
});

describe('a host that is told to leave', () => {
  it('leaves with exit code 0 when its calls go on at another host', { timeout: 60_000 }, async () => {
    const redis = opened.own(await RedisServer.open());
    const shared = { ...clusterSettings(redis), ...PATIENT };
    const leaving = opened.own(await House.open(shared));
    const other = opened.own(await House.open({ ...shared, PEER_URL: peerUrl() }));
    const hooks = await hooksOf(other, opened);
    const lines = await speakers(await nativeUrl(leaving), 3);
    await until('all to be heard', () => lines.every(({ speech }) => speech.heard.length > 25));
    expect(await leaving.leave()).toBe(0);
    const heardBefore = lines.map(({ speech }) => speech.heard.length);
    await until('the calls to go on', () =>
      lines.every(({ speech }, i) => speech.heard.length > heardBefore[i]! + 25),
    );
    for (const { caller } of lines) caller.hangUp();
    for (const { caller } of lines) await untilCompleted(hooks, caller.callId);
    console.log(`a host left: longest gaps ${gapsOf(lines)}`);
    for (const { caller, speech } of lines) {
      expect([speech.missingFrames, speech.doubledFrames, caller.resumedTimes()]).toEqual([0, 0, 1]);
    }
  });
});
