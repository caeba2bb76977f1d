import { afterEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../src/events/envelope.ts';
import { encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { readHello } from '../fakes/hello.ts';
import { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { StreamReader } from './stream-reader.ts';
import { TwilioCaller } from './twilio-caller.ts';

// This caller speaks JSON in one process with the receiver: more of it is native-bench's, by `outages`.
const CALLS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 15 : 60;

const opened: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function openScene(settings: { readonly [name: string]: string } = {}) {
  const house = await House.open(settings);
  opened.push(house);
  const hooks = new HookReceiver();
  await hooks.open();
  opened.push({ close: () => hooks.kill() });
  const made = await house.api<{ secret: string }>('POST', '/webhooks', { url: hooks.url, events: ['*'] });
  hooks.secret = made.secret;
  const stream = new StreamReader(house);
  opened.push(stream);
  await stream.open();
  return { house, hooks, stream };
}

function speech(): Buffer {
  const { samples } = readHello();
  const audio = new Uint8Array(samples.length - (samples.length % 160));
  encodeMulawInto(samples.subarray(0, audio.length), audio);
  return Buffer.from(audio);
}

async function placeCalls(house: House, count: number): Promise<TwilioCaller[]> {
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
    agent_id: 'echo',
  });
  const audio = speech();
  const callers: TwilioCaller[] = [];
  for (let i = 0; i < count; i++) {
    const caller = await TwilioCaller.dial(url);
    const offset = ((i * 37) % (audio.length / 160)) * 160;
    void caller.speak(Buffer.concat([audio.subarray(offset), audio.subarray(0, offset)]), true);
    callers.push(caller);
    await pause(33);
  }
  return callers;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Half a second more of its echo for each of them. */
function untilHeardOn(callers: readonly TwilioCaller[]): Promise<void> {
  const heardBefore = callers.map(({ heard }) => heard.length);
  const isHeard = ({ heard }: TwilioCaller, i: number): boolean => heard.length >= heardBefore[i]! + 25;
  return until('everybody to be heard on', () => callers.every(isHeard), 20_000);
}

/** Every call told from its first event to its last, without hole and in order, ended and completed once. */
function expectWhole(told: readonly Envelope[], reason: string): void {
  expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
  const types = told.map(({ type }) => type);
  expect(types.filter((type) => type === 'call_ended')).toHaveLength(1);
  expect(types.slice(-2)).toEqual(['call_completed', 'call_analyzed']);
  expect(told.find(({ type }) => type === 'call_ended')?.data['reason']).toBe(reason);
}

const completed = (hooks: HookReceiver): number =>
  hooks.callIds.filter((id) => hooks.firstArrivals(id).at(-1)?.type === 'call_analyzed').length;

describe('the control process killed three times under live calls', () => {
  it('costs no audio, no event and no new call', { timeout: 240_000 }, async () => {
    const { house, hooks, stream } = await openScene();
    const callers = await placeCalls(house, CALLS);
    const outagesMs: number[] = [];
    for (let kill = 1; kill <= 3; kill++) {
      await untilHeardOn(callers);
      const before = house.pidOf('control');
      process.kill(before, 'SIGKILL');
      const killedAtMs = performance.now();
      // New calls come in while nobody but the node is there.
      const caller = await TwilioCaller.dial(`${house.ready.media_url}${new URL(callers[0]!.url).pathname}`);
      void caller.speak(speech(), true);
      callers.push(caller);
      await until('control to be back', () => house.pidOf('control') !== before);
      await until('the stream to be back', () => stream.isOpen, 20_000);
      outagesMs.push(performance.now() - killedAtMs);
    }
    await untilHeardOn(callers);
    const largestGapMs = Math.max(...callers.map((caller) => caller.largestGapMs));
    for (const caller of callers) caller.hangUp();
    await until('all calls completed', () => completed(hooks) === callers.length, 60_000);
    const shortestMs = Math.min(...outagesMs);
    console.log(
      `control killed: ${callers.length} calls, away for ${Math.round(shortestMs)} ms or longer, ` +
        `largest gap ${Math.round(largestGapMs)} ms`,
    );
    // Audio that waits for control waits as long as it is away; a machine that is late is late for both.
    expect(largestGapMs).toBeLessThan(shortestMs);
    expect(hooks.unverified).toEqual([]);
    for (const id of hooks.callIds) expectWhole(hooks.firstArrivals(id), 'provider_stop');
    await until('the stream to have it all', () => stream.completedCalls === callers.length, 20_000);
    expect(stream.gaps).toBe(0);
    for (const id of hooks.callIds)
      expect(stream.idsOf(id)).toEqual(hooks.firstArrivals(id).map((e) => e.id));
  });
});

describe('a media node killed under live calls', () => {
  it('ends its own calls as node_lost, touches no other, and is back', { timeout: 120_000 }, async () => {
    const { house, hooks } = await openScene({ MEDIA_NODES: '2' });
    const callers = await placeCalls(house, CALLS * 2);
    await until('all calls started', () => hooks.callIds.length === callers.length, 30_000);
    const started = hooks.received.filter(({ envelope }) => envelope.type === 'call_started');
    const onNode0 = started.filter(({ envelope }) => envelope.data['node'] === '0');
    const lostIds = onNode0.map(({ envelope }) => envelope.resource.id);
    const before = house.pidOf('node-0');
    const [killedAtMs, killedAtUnixMs] = [performance.now(), Date.now()];
    process.kill(before, 'SIGKILL');
    await until('lost calls completed', () => completed(hooks) === lostIds.length, 20_000);
    const last = Math.max(
      ...hooks.received.filter(({ envelope }) => envelope.type === 'call_completed').map((r) => r.atUnixMs),
    );
    for (const id of lostIds) expectWhole(hooks.firstArrivals(id), 'node_lost');
    await until('the node to be back', () => house.pidOf('node-0') !== before);
    const awayMs = performance.now() - killedAtMs;
    const survivors = callers.filter((caller) => caller.closeCode === undefined);
    expect(survivors).toHaveLength(callers.length - lostIds.length);
    await untilHeardOn(survivors);
    for (const caller of survivors) {
      expect(caller.largestGapMsSince(killedAtMs)).toBeLessThan(awayMs);
      caller.hangUp();
    }
    await until('all calls completed', () => completed(hooks) === callers.length, 20_000);
    console.log(
      `node killed: ${lostIds.length} of ${callers.length} calls completed after ${last - killedAtUnixMs} ms`,
    );
  });
});

describe('a media node that stands still', () => {
  it('is replaced, and its calls end as node_lost', { timeout: 60_000 }, async () => {
    const { house, hooks } = await openScene({ WATCHDOG_MS: '2000' });
    const callers = await placeCalls(house, 3);
    await until('all calls started', () => hooks.callIds.length === callers.length);
    const before = house.pidOf('node-0');
    const stoppedAtMs = performance.now();
    process.kill(before, 'SIGSTOP');
    await until('another node in its place', () => house.pidOf('node-0') !== before);
    const replacedMs = performance.now() - stoppedAtMs;
    await until('its calls completed', () => completed(hooks) === callers.length);
    for (const id of hooks.callIds) expectWhole(hooks.firstArrivals(id), 'node_lost');
    expect(hooks.callIds).toHaveLength(3);
    const metrics = await (await fetch(`${house.ready.api_url}/metrics`)).text();
    expect(metrics).toMatch(/omnivoice_legs_lost_total\{provider="\w+",cause="crash"\} 3/);
    const ready = `${house.ready.media_url.replace('ws:', 'http:')}/readyz`;
    const isServing = (): Promise<boolean> =>
      fetch(ready).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isServing())) await pause(20);
    const servedMs = performance.now() - stoppedAtMs;
    const [next] = await placeCalls(house, 1);
    await until('an echo from the new node', () => next!.heard.length > 0);
    console.log(
      `node stopped: replaced after ${Math.round(replacedMs)} ms, serving after ${Math.round(servedMs)} ms`,
    );
  });
});

describe('a hook receiver killed in mid-call', () => {
  it('misses nothing and hears it in order when it is back', { timeout: 60_000 }, async () => {
    const { house, hooks } = await openScene();
    const [caller] = await placeCalls(house, 1);
    await until('call_started', () => hooks.received.length > 0);
    await hooks.kill();
    await pause(3_000);
    caller!.hangUp();
    await pause(200);
    await hooks.open();
    await until('call_completed', () => completed(hooks) === 1, 30_000);
    expectWhole(hooks.firstArrivals(hooks.callIds[0]!), 'provider_stop');
    expect(hooks.unverified).toEqual([]);
  });
});

/** Nobody listens there any more. */
async function untilClosed(mediaUrl: string): Promise<void> {
  const knock = (): Promise<string> => TwilioCaller.dial(`${mediaUrl}/media/nobody`).then(String, String);
  while (!(await knock()).includes('ECONNREFUSED')) await pause(50);
}

describe('the supervisor killed', () => {
  it(
    'leaves calls to end by themselves, and the next start tells their end',
    { timeout: 60_000 },
    async () => {
      const { house, hooks } = await openScene({ API_KEY: 'omf_live_0123456789abcdefghij' });
      const [caller] = await placeCalls(house, 1);
      await until('call_started', () => hooks.received.length > 0);
      house.killSupervisor();
      await untilClosed(house.ready.media_url);
      await untilHeardOn([caller!]);
      expect(caller!.closeCode).toBeUndefined();
      // On the same ports, while the call of the old node is still going on.
      const next = await House.open({
        DATA_DIR: house.dataDir,
        MEDIA_PORT: new URL(house.ready.media_url).port,
        API_KEY: 'omf_live_0123456789abcdefghij',
      });
      opened.push(next);
      caller!.hangUp();
      await until('call_completed', () => completed(hooks) === 1, 30_000);
      expectWhole(hooks.firstArrivals(hooks.callIds[0]!), 'provider_stop');
    },
  );
});
