import { afterEach, describe, expect, it } from 'vitest';
import { HookReceiver } from './hooks.ts';
import { House, until } from './house.ts';
import { NativeCaller } from './native-caller.ts';
import { NumberedSpeech } from './numbered-speech.ts';

const IS_LONG = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const CALLS = IS_LONG ? 200 : 10;
const NODES = IS_LONG ? 3 : 2;
const RESUMING = { RESUME_WINDOW_MS: '10000', LOOP_DELAY_MAX_MS: '0' };

const opened: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

function own<T extends { close(): Promise<void> | void }>(one: T): T {
  opened.push(one);
  return one;
}

async function openHouse(): Promise<{ house: House; hooks: HookReceiver; url: string }> {
  const house = own(await House.open({ MEDIA_NODES: String(NODES), ...RESUMING }));
  const hooks = new HookReceiver();
  await hooks.open();
  own({ close: () => hooks.kill() });
  const made = await house.api<{ secret: string }>('POST', '/webhooks', { url: hooks.url, events: ['*'] });
  hooks.secret = made.secret;
  const asked = { dialect: 'native', agent_id: 'echo' };
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', asked);
  return { house, hooks, url };
}

interface Node {
  readonly id: string;
  readonly node: number;
  readonly state: string;
  readonly calls: number;
}

async function nodesOf(house: House): Promise<readonly Node[]> {
  const { api_key } = house.ready;
  return (await house.api<{ nodes: readonly Node[] }>('GET', '/cluster', undefined, api_key)).nodes;
}

async function lifeOf(house: House, node: number): Promise<Node | undefined> {
  const lives = (await nodesOf(house)).filter((one) => one.node === node);
  return lives.find(({ state }) => state === 'serving');
}

/** Asks again until something is found. */
async function found<T>(what: string, look: () => Promise<T | undefined>, withinMs = 30_000): Promise<T> {
  for (const startedAtMs = performance.now(); performance.now() - startedAtMs < withinMs;) {
    const one = await look();
    if (one !== undefined) return one;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  throw new Error(`looked in vain for ${what}`);
}

/** Drains a life of a node, and waits until the next one serves in its place. */
async function restart(house: House, node: number): Promise<void> {
  const pid = house.pidOf(`node-${node}`);
  const { id } = await found('the node', () => lifeOf(house, node));
  const answer = await house.fetch('POST', `/nodes/${id}/drain`, undefined, house.ready.api_key);
  expect(answer.status).toBe(202);
  await until('it to leave', () => house.pidOf(`node-${node}`) !== pid, 30_000);
  await found('its next life', async () => {
    const next = await lifeOf(house, node);
    return next === undefined || next.id === id ? undefined : next;
  });
}

describe('nodes that are drained one after the other', { timeout: IS_LONG ? 300_000 : 60_000 }, () => {
  it('hand over every call: none is dropped, and no frame is lost, doubled or out of order', async () => {
    const { house, hooks, url } = await openHouse();
    const lines: { caller: NativeCaller; speech: NumberedSpeech }[] = [];
    for (let i = 0; i < CALLS; i++) {
      const caller = await NativeCaller.dial(url);
      lines.push({ caller, speech: new NumberedSpeech(caller) });
    }
    for (let node = 0; node < NODES; node++) await restart(house, node);
    for (const { caller } of lines) caller.hangUp();
    const isOver = (callId: string): boolean =>
      hooks.firstArrivals(callId).some(({ type }) => type === 'call_completed');
    await until('all to be told', () => lines.every(({ caller }) => isOver(caller.callId)), 60_000);
    const moves = lines.reduce((sum, { caller }) => sum + caller.resumedTimes(), 0);
    const gaps = lines.map(({ speech }) => speech.largestGapMs).toSorted((a, b) => a - b);
    const p = (ratio: number): number => Math.round(gaps[Math.floor((gaps.length - 1) * ratio)] ?? 0);
    console.log(
      `${CALLS} calls, ${NODES} nodes, ${moves} moves: gaps ${p(0.5)} ms p50, ${p(0.95)} p95, ${p(1)} max`,
    );
    expect(moves).toBeGreaterThanOrEqual(CALLS / 2);
    for (const { caller, speech } of lines) {
      expect([speech.missingFrames, speech.doubledFrames]).toEqual([0, 0]);
      const told = hooks.firstArrivals(caller.callId);
      expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
      expect(told.filter(({ type }) => type === 'call_ended').map(({ data }) => data['reason'])).toEqual([
        'caller_hangup',
      ]);
      expect(told.filter(({ type }) => type === 'call_recovered')).toHaveLength(caller.resumedTimes());
    }
  });
});
