import { afterEach, describe, expect, it } from 'vitest';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readHello } from '../fakes/hello.ts';
import { RedisServer } from '../fakes/redis/server.ts';
import {
  clusterSettings,
  expectWhole,
  freshDatabase,
  hooksOf,
  nativeUrl,
  nodeOf,
  Opened,
  pause,
  peerUrl,
  recordOf,
  registryOf,
  RESUMING,
  untilCompleted,
  untilFound,
  untilNeighbourTold,
} from './cluster-scene.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { TwilioCaller } from './twilio-caller.ts';

const opened = new Opened();
const own: Opened['own'] = (one) => opened.own(one);

afterEach(() => opened.close());

function speech(): Buffer {
  const { samples } = readHello();
  const audio = new Uint8Array(samples.length - (samples.length % 160));
  encodeMulawInto(samples.subarray(0, audio.length), audio);
  return Buffer.from(audio);
}

async function echoing(house: House): Promise<TwilioCaller> {
  const made = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
    agent_id: 'echo',
  });
  const caller = await TwilioCaller.dial(made.url);
  void caller.speak(speech(), true);
  return caller;
}

const stateOf = (answer: unknown): unknown =>
  typeof answer === 'object' && answer !== null && 'state' in answer ? answer.state : answer;

describe('a node that is killed on a host without Redis', () => {
  it('leaves its calls to its sibling, and nothing is told twice or not at all', async () => {
    const house = own(await House.open({ MEDIA_NODES: '2', ...RESUMING }));
    const hooks = await hooksOf(house, opened);
    const caller = await NativeCaller.dial(await nativeUrl(house));
    caller.speak(Buffer.alloc(160, 0x30));
    const { callId } = caller;
    await until('the call to be heard', () => caller.heardAtMs.length > 75);
    await until('the call to be told', () => hooks.firstArrivals(callId).length >= 3);
    process.kill(house.pidOf(nodeOf(hooks, callId)), 'SIGKILL');
    const heardBefore = caller.heardAtMs.length;
    await until('the call to go on', () => caller.heardAtMs.length > heardBefore + 50);
    expect(caller.resumedTimes()).toBe(1);
    caller.hangUp();
    await untilCompleted(hooks, callId);
    const told = hooks.firstArrivals(callId);
    const recovered = told.find(({ type }) => type === 'call_recovered');
    console.log(
      `killed: gap ${Math.round(caller.largestGapMs)} ms, told ${String(recovered?.data['gap_ms'])}`,
    );
    expectWhole(told);
    expect(
      told.filter(({ type }) => type === 'leg_connected').map(({ data }) => data['resumed'] === true),
    ).toEqual([false, false, true]);
    expect(caller.largestGapMs).toBeLessThan(2_000);
  });
});

describe('a provider that has two streams of one call in its document', () => {
  it('is back in its call with the second, at another node', async () => {
    const house = own(await House.open({ MEDIA_NODES: '2', ...RESUMING }));
    const hooks = await hooksOf(house, opened);
    const caller = await echoing(house);
    await until('the call to be told', () => hooks.received.length >= 3);
    await until('the call to be heard', () => caller.heard.length > 25);
    const [callId = ''] = hooks.callIds;
    const killed = nodeOf(hooks, callId);
    const sibling = killed === 'node-0' ? 2 : 1;
    process.kill(house.pidOf(killed), 'SIGKILL');
    await until('the first stream to break', () => caller.closeCode !== undefined);
    const second = new URL(caller.url);
    second.port = String(Number(second.port) + sibling);
    const next = await TwilioCaller.dial(second.href, {}, caller.callSid);
    void next.speak(speech(), true);
    await until('the call to go on', () => next.heard.length > 50);
    next.hangUp();
    await untilCompleted(hooks, callId);
    expect(hooks.callIds).toEqual([callId]);
    expectWhole(hooks.firstArrivals(callId));
  });
});

describe('a node that stood still while another took its call', () => {
  it('is fenced when it goes on: it closes what it had with 4410 and tells nothing more', async () => {
    const house = own(await House.open({ MEDIA_NODES: '2', ...RESUMING }));
    const hooks = await hooksOf(house, opened);
    const caller = await NativeCaller.dial(await nativeUrl(house));
    caller.speak(Buffer.alloc(160, 0x30));
    const { callId } = caller;
    await until('the call to be told', () => hooks.firstArrivals(callId).length >= 3);
    await until('the call to be heard', () => caller.heardAtMs.length > 50);
    const stopped = house.pidOf(nodeOf(hooks, callId));
    process.kill(stopped, 'SIGSTOP');
    try {
      await pause(1_000);
      await caller.leaveSilentLine();
      await until('the call to go on', () => caller.resumedTimes() === 1);
      await pause(2_000);
    } finally {
      process.kill(stopped, 'SIGCONT');
    }
    await until('the old line to be closed', () => caller.closeCodes.length === 1);
    expect(caller.closeCodes).toEqual([4410]);
    const heardBefore = caller.heardAtMs.length;
    await until('the call to go on', () => caller.heardAtMs.length > heardBefore + 25);
    caller.hangUp();
    await untilCompleted(hooks, callId);
    expectWhole(hooks.firstArrivals(callId));
  });
});

describe('two hosts that share Redis and PostgreSQL', () => {
  it('carry on each other’s calls when a node is killed', { timeout: 60_000 }, async () => {
    const DATABASE_URL = await freshDatabase(opened);
    const redis = own(await RedisServer.open());
    const shared = { ...clusterSettings(redis), ...RESUMING, DATABASE_URL };
    const first = own(await House.open(shared));
    const hooks = await hooksOf(first, opened);
    const url = await nativeUrl(first);
    own(await House.open({ ...shared, PEER_URL: peerUrl() }));
    await untilNeighbourTold(url);
    const caller = await NativeCaller.dial(url);
    caller.speak(Buffer.alloc(160, 0x30));
    const { callId } = caller;
    await until('the call to be told', () => hooks.firstArrivals(callId).length >= 3);
    await until('the call to be heard', () => caller.heardAtMs.length > 50);
    process.kill(first.pidOf('node-0'), 'SIGKILL');
    const heardBefore = caller.heardAtMs.length;
    await until('the call to go on', () => caller.heardAtMs.length > heardBefore + 50);
    caller.hangUp();
    await untilCompleted(hooks, callId);
    console.log(`killed on one of two hosts: gap ${Math.round(caller.largestGapMs)} ms`);
    expect(caller.resumedTimes()).toBe(1);
    expectWhole(hooks.firstArrivals(callId));
  });
});

describe('a house with Redis', () => {
  it('claims its calls there, puts them back into an empty one, and says when they end', async () => {
    const redis = own(await RedisServer.open());
    const house = own(await House.open(clusterSettings(redis)));
    const hooks = await hooksOf(house, opened);
    const caller = await echoing(house);
    await until('the call to start', () => hooks.callIds.length === 1);
    const [callId = ''] = hooks.callIds;
    const registry = own(registryOf(redis));
    await untilFound(
      'claimed',
      () => recordOf(registry, callId),
      (found) => stateOf(found) === 'live',
    );
    const before = await recordOf(registry, callId);
    await redis.kill();
    await until('the caller to be heard meanwhile', () => caller.heard.length > 100);
    await redis.start();
    // Another reader: the first one has no beats, by which it would notice the return.
    const after = own(registryOf(redis));
    await untilFound(
      'put back',
      () => recordOf(after, callId),
      (found) => stateOf(found) === 'live',
    );
    expect(await recordOf(after, callId)).toMatchObject({
      owner: typeof before === 'object' && before.state === 'live' ? before.owner : '',
      token: typeof before === 'object' && before.state === 'live' ? before.token : 0,
    });
    expect(caller.closeCode).toBeUndefined();
    caller.hangUp();
    await untilFound(
      'ended',
      () => recordOf(after, callId),
      (found) => stateOf(found) === 'ended',
    );
  });
});
