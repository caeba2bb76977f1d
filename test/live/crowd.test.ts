import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { sseReader, socketReader, type Reader } from '../fakes/stream-readers.ts';
import { House, until } from './house.ts';
import { TwilioCaller } from './twilio-caller.ts';

// Of each kind; a key may open a hundred.
const READERS = process.env['OMNIVOICE_TEST_LONG'] === undefined ? 20 : 200;
const READERS_PER_KEY = 80;
const WITHIN_MS = 120_000;

const opened: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Scene {
  readonly house: House;
  readonly key: string;
  readonly readers: readonly Reader[];
  readonly dial: (parameters?: { readonly [name: string]: string }) => Promise<TwilioCaller>;
}

async function openScene(): Promise<Scene> {
  const house = await House.open();
  opened.push(() => house.close());
  const { url } = await house.api<{ url: string }>('POST', '/voice/stream-credentials', {
    dialect: 'twilio',
    agent_id: 'echo',
  });
  const count = Math.ceil((2 * READERS) / READERS_PER_KEY) + 1;
  const keys: string[] = [];
  for (let number = 0; number < count; number++) {
    const wish = { name: `crowd ${number}`, scopes: ['events:read'], rate_per_minute: 600 };
    keys.push((await house.api<{ key: string }>('POST', '/keys', wish)).key);
  }
  const base = `${house.ready.api_url}/api/v1`;
  const readers = Array.from({ length: 2 * READERS }, (_, number) => {
    const key = keys[Math.floor(number / READERS_PER_KEY)]!;
    return number % 2 === 0 ? sseReader(base, key) : socketReader(base, key);
  });
  opened.push(() => readers.forEach(({ cut }) => cut()));
  await openEach(readers);
  const dial: Scene['dial'] = (parameters) => TwilioCaller.dial(url, parameters);
  return { house, key: keys.at(-1)!, readers, dial };
}

/** As a client does: whoever is refused, or finds nobody, asks again a little later. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries > 300) throw error;
      await pause(200);
    }
  }
}

async function openEach(readers: readonly Reader[]): Promise<void> {
  await Promise.all(readers.filter(({ isOpen }) => !isOpen()).map(({ open }) => asked(open)));
}

const everybodyHas = (readers: readonly Reader[], count: number) =>
  until(`${count} events at everybody`, () => readers.every(({ ids }) => ids.length >= count), WITHIN_MS);

async function storyOf(house: House): Promise<readonly { readonly id: string; readonly type: string }[]> {
  const told: { id: string; type: string }[] = [];
  for (let page = 1; ; page++) {
    const path = `/events?limit=100&page=${page}`;
    const events = await asked(() => house.api<{ id: string; type: string }[]>('GET', path));
    told.push(...events);
    if (events.length < 100) return told;
  }
}

describe('a crowd of readers, half over SSE and half over WebSocket,', () => {
  it('hears all of it once and in order while control is killed -9 and comes back', async () => {
    const { house, readers, dial } = await openScene();
    const caller = await dial();
    let pressed = 0;
    const press = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        caller.press(String(pressed++ % 10));
        await pause(5);
      }
    };
    await press(50);
    await everybodyHas(readers, 20);
    const before = house.pidOf('control');
    const pressing = press(200);
    await everybodyHas(readers, 70);
    process.kill(before, 'SIGKILL');
    await until('everybody to be cut off', () => readers.every(({ isOpen }) => !isOpen()));
    await until('control to be back', () => house.pidOf('control') !== before);
    await openEach(readers);
    await pressing;
    await press(50);
    caller.hangUp();
    const isTold = (told: readonly { type: string }[]) => told.some(({ type }) => type === 'call_analyzed');
    let story = await storyOf(house);
    for (; !isTold(story); await pause(200)) story = await storyOf(house);
    await everybodyHas(readers, story.length);
    const ids = story.map(({ id }) => id);
    expect(story.filter(({ type }) => type === 'dtmf_received')).toHaveLength(300);
    for (const reader of readers) {
      expect(reader.ids).toEqual(ids);
      expect(reader.gaps()).toBe(0);
    }
  }, 240_000);

  it('does not notice two who stop reading, each of whom is cut at its limit', async () => {
    const { house, key, readers, dial } = await openScene();
    const base = `${house.ready.api_url}/api/v1`;
    const headers = { authorization: `Bearer ${key}` };
    const socket = await asked(async () => {
      const opening = new WebSocket(`${base.replace('http', 'ws')}/events/ws`, { headers });
      await new Promise((resolve, reject) => opening.once('open', resolve).once('error', reject));
      return opening;
    });
    const closed = new Promise<number>((resolve) => void socket.once('close', resolve));
    socket.pause();
    const abort = new AbortController();
    opened.push(() => abort.abort());
    const stream = await asked(async () => {
      const answer = await fetch(`${base}/events/stream`, { headers, signal: abort.signal });
      if (!answer.ok) throw new Error(`stream refused: ${answer.status}`);
      return answer;
    });
    const padding = { padding: 'x'.repeat(900), more: 'y'.repeat(900) };
    // Many, since a caller that presses keys like a machine gun is cut off for it.
    const callers = await Promise.all(Array.from({ length: 20 }, () => dial(padding)));
    const cut = async (): Promise<number> => {
      const metrics = await asked(async () => (await fetch(`${house.ready.api_url}/metrics`)).text());
      return Number(/limit="stream_too_slow"[^}]*\} (\d+)/.exec(metrics)?.[1] ?? 0);
    };
    for (let told = 0; (await cut()) < 2; told += 200) {
      expect(told).toBeLessThan(10_000);
      for (let round = 0; round < 10; round++, await pause(10)) {
        for (const caller of callers) caller.press(String(round));
      }
      await everybodyHas(readers, told + 200);
    }
    for (const caller of callers) caller.hangUp();
    socket.resume();
    expect(await closed).toBe(4408);
    // What was on its way is read, and then there is no more.
    for await (const _ of stream.body!);
    const story = await storyOf(house);
    await everybodyHas(readers, story.length);
    for (const reader of readers) {
      expect(reader.isOpen()).toBe(true);
      expect(reader.ids).toEqual(story.map(({ id }) => id).slice(0, reader.ids.length));
      expect(reader.gaps()).toBe(0);
    }
  }, 240_000);
});
