import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { WebSocket } from 'ws';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
let secret: string;
const opened: (() => void)[] = [];

beforeEach(async () => {
  house = await openTestApi();
  secret = house.key();
  await house.api.listen();
});
afterEach(async () => {
  for (const close of opened.splice(0)) close();
  await house.api.close();
});

const DEADLINE = { timeout: 5_000, interval: 5 };

/** A reader of the SSE stream that is not ours: fetch and `eventsource-parser`. */
async function readSse(query = '', headers: { [name: string]: string } = {}) {
  const abort = new AbortController();
  opened.push(() => abort.abort());
  const url = `http://127.0.0.1:${house.api.port}/api/v1/events/stream${query}`;
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${secret}`, ...headers },
    signal: abort.signal,
  });
  const messages: EventSourceMessage[] = [];
  const comments: string[] = [];
  const reader = {
    response,
    messages,
    comments,
    retryMs: 0,
    text: '',
    ended: false,
    abort: () => abort.abort(),
  };
  const parser = createParser({
    onEvent: (message) => void messages.push(message),
    onComment: (comment) => void comments.push(comment),
    onRetry: (retryMs) => (reader.retryMs = retryMs),
  });
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body!) {
      const text = decoder.decode(bytes, { stream: true });
      reader.text += text;
      parser.feed(text);
    }
  };
  read().then(
    () => (reader.ended = true),
    () => (reader.ended = true),
  );
  return reader;
}

type Said = { cursor: string; event?: { id: string }; gap?: { from: number | null; to: number | null } };

async function readSocket(query = '', headers?: { [name: string]: string }) {
  const socket = new WebSocket(`ws://127.0.0.1:${house.api.port}/api/v1/events/ws${query}`, {
    headers: headers ?? { authorization: `Bearer ${secret}` },
  });
  opened.push(() => socket.terminate());
  const said: Said[] = [];
  let closed: { code: number; reason: string } | undefined;
  socket.on('message', (data: Buffer) => void said.push(JSON.parse(data.toString())));
  socket.on('close', (code, reason) => (closed = { code, reason: reason.toString() }));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    socket,
    said,
    get closed() {
      return closed;
    },
    events: () => said.flatMap(({ event }) => (event === undefined ? [] : [event.id])),
  };
}

const ids = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `evt_${from + index}`);
const idsOf = (messages: readonly EventSourceMessage[]) =>
  messages.map(({ data }) => (JSON.parse(data) as { id: string }).id);

describe('server-sent events', () => {
  it('carry the envelope, with the cursor as id, uncached and unbuffered', async () => {
    const { response, messages, ...reader } = await readSse();
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-ratelimit-limit': '60',
    });
    const { envelope } = house.journal.commit();
    await expect.poll(() => messages.length, DEADLINE).toBe(1);
    expect(messages[0]).toMatchObject({ id: 'e1-1', event: undefined });
    expect(JSON.parse(messages[0]!.data)).toEqual(envelope);
    expect(reader.text).toBe('');
  });

  it('say at once where they start and when to come back', async () => {
    house.journal.commit();
    const reader = await readSse();
    await expect.poll(() => reader.text, DEADLINE).toBe('retry: 1000\nid: e1-1\n\n');
    expect(reader.retryMs).toBe(1_000);
  });

  it('beat every 15 seconds', async () => {
    const reader = await readSse();
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(1);
    house.clock.advance(15_000);
    house.clock.advance(15_000);
    await expect.poll(() => reader.comments.length, DEADLINE).toBe(2);
  });

  it('resume after Last-Event-ID without loss or double', async () => {
    const first = await readSse();
    for (let i = 0; i < 5; i++) house.journal.commit();
    await expect.poll(() => first.messages.length, DEADLINE).toBe(5);
    first.abort();
    for (let i = 0; i < 300; i++) house.journal.commit();
    const second = await readSse('', { 'last-event-id': first.messages.at(-1)!.id! });
    for (let i = 0; i < 5; i++) house.journal.commit();
    await expect.poll(() => second.messages.length, DEADLINE).toBe(305);
    expect([...idsOf(first.messages), ...idsOf(second.messages)]).toEqual(ids(1, 310));
  });

  it('announce what was trimmed as a gap', async () => {
    for (let i = 0; i < 10; i++) house.journal.commit();
    house.journal.trim(8);
    const { messages } = await readSse('?from=e1-2');
    await expect.poll(() => messages.length, DEADLINE).toBe(4);
    expect(messages[0]).toMatchObject({ event: 'gap', id: 'e1-7', data: '{"from":3,"to":7}' });
    expect(idsOf(messages.slice(1))).toEqual(ids(8, 10));
  });

  it('announce a cursor of another history as a gap of unknown size', async () => {
    house.journal.commit();
    const { messages } = await readSse('?from=other-7');
    await expect.poll(() => messages.length, DEADLINE).toBe(1);
    expect(messages[0]).toMatchObject({ event: 'gap', data: '{"from":null,"to":null}' });
  });

  it('are filtered by type and by call', async () => {
    const { messages } = await readSse('?types=call.*&call_id=call_2');
    house.journal.commit();
    house.journal.commit({ type: 'call_started' });
    house.journal.commit({ type: 'call_started', resource: { type: 'call', id: 'call_2' } });
    house.journal.commit({ type: 'call_ended', workspace_id: 'ws_other' });
    await expect.poll(() => idsOf(messages), DEADLINE).toEqual(['evt_3']);
  });

  it('end when the reader is 1 MiB behind, and let its memory go', async () => {
    const slow = await slowReader();
    const data = { text: 'x'.repeat(256 * 1024) };
    await expect
      .poll(() => {
        house.journal.commit({ data });
        return house.api.stats()['streamTooSlow'];
      }, DEADLINE)
      .toBe(1);
    house.clock.advance(5_000);
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(0);
    slow.destroy();
  });

  it('end within a heartbeat of the removal of their key', async () => {
    const reader = await readSse();
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(1);
    for (const { id, workspaceId } of house.ports.allKeys.values()) {
      await house.ports.keys.remove(workspaceId, id);
    }
    house.clock.advance(15_000);
    await expect.poll(() => reader.ended, DEADLINE).toBe(true);
    expect(house.api.stats()['streamRevoked']).toBe(1);
  });

  it('have no HEAD, which would hold one open that carries nothing', async () => {
    const { status, headers } = await house.request('HEAD', '/api/v1/events/stream');
    expect([status, headers['allow']]).toEqual([405, 'GET']);
  });

  it('are refused to one key beyond its hundredth', async () => {
    secret = house.key({ ratePerMinute: 600 });
    for (let open = 1; open <= 100; open++) await slowReader(open);
    const { response } = await readSse();
    expect(response.status).toBe(429);
    expect(house.api.stats()).toMatchObject({ streamOpen: 100, streamRefused: 1 });
  });

  it.each(['nonsense', '7', 'e1-x'])('refuse the cursor %s', async (from) => {
    const { response } = await readSse(`?from=${from}`);
    expect(response.status).toBe(400);
  });
});

describe('the WebSocket of events', () => {
  it('carries cursor and envelope, and resumes without loss or double', async () => {
    const first = await readSocket();
    for (let i = 0; i < 5; i++) house.journal.commit();
    await expect.poll(() => first.events().length, DEADLINE).toBe(5);
    first.socket.terminate();
    for (let i = 0; i < 300; i++) house.journal.commit();
    const second = await readSocket(`?from=${first.said.at(-1)!.cursor}`);
    for (let i = 0; i < 5; i++) house.journal.commit();
    await expect.poll(() => second.events().length, DEADLINE).toBe(305);
    expect([...first.events(), ...second.events()]).toEqual(ids(1, 310));
  });

  it('says at once where it starts, and announces gaps', async () => {
    for (let i = 0; i < 4; i++) house.journal.commit();
    house.journal.trim(4);
    const { said } = await readSocket('?from=e1-1');
    await expect.poll(() => said.length, DEADLINE).toBe(3);
    expect(said.slice(0, 2)).toEqual([{ cursor: 'e1-1' }, { cursor: 'e1-3', gap: { from: 2, to: 3 } }]);
  });

  it('is refused before the upgrade, in the envelope', async () => {
    const refused = readSocket('', { authorization: 'Bearer omf_live_unknown' });
    await expect(refused).rejects.toThrow('401');
    const { status, body } = await house.request('GET', '/api/v1/events/ws');
    expect([status, body.error.code]).toEqual([400, 'invalid_argument']);
  });

  it('pings, and ends a reader that does not answer', async () => {
    const { socket } = await readSocket();
    let pings = 0;
    socket.on('ping', () => pings++);
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(1);
    house.clock.advance(15_000);
    await expect.poll(() => pings, DEADLINE).toBe(1);
    // Its answer is on the way back; a reader that is stopped never sends one.
    socket.pause();
    house.clock.advance(15_000);
    house.clock.advance(15_000);
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(0);
  });

  it('closes with 4408 a reader that is 1 MiB behind', async () => {
    const reader = await readSocket();
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(1);
    reader.socket.pause();
    const data = { text: 'x'.repeat(256 * 1024) };
    await expect
      .poll(() => {
        house.journal.commit({ data });
        return house.api.stats()['streamTooSlow'];
      }, DEADLINE)
      .toBe(1);
    reader.socket.resume();
    await expect.poll(() => reader.closed, DEADLINE).toEqual({ code: 4408, reason: 'too_slow' });
  });

  it('closes with 1012 when the house closes: come back', async () => {
    const reader = await readSocket();
    await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(1);
    await house.api.close();
    await expect.poll(() => reader.closed, DEADLINE).toEqual({ code: 1012, reason: 'draining' });
  });

  it('takes nothing from its reader but small talk', async () => {
    const reader = await readSocket();
    reader.socket.send('x'.repeat(5_000));
    await expect.poll(() => reader.closed?.code, DEADLINE).toBe(1009);
  });
});

describe('a ticket', () => {
  const issue = async () => (await house.request('POST', '/api/v1/events/ticket')).body.data.ticket as string;

  it('opens one stream, once', async () => {
    const ticket = await issue();
    const reader = await readSocket(`?ticket=${ticket}`, {});
    house.journal.commit();
    await expect.poll(() => reader.events(), DEADLINE).toEqual(['evt_1']);
    await expect(readSocket(`?ticket=${ticket}`, {})).rejects.toThrow('401');
  });

  it('opens nothing after 60 seconds', async () => {
    const ticket = await issue();
    house.clock.advance(60_000);
    await expect(readSocket(`?ticket=${ticket}`, {})).rejects.toThrow('401');
  });

  it('opens nothing but streams', async () => {
    const { status } = await house.request('GET', `/api/v1/calls?ticket=${await issue()}`, undefined, {});
    expect(status).toBe(401);
  });
});

/** Asks for the stream and then reads nothing. */
async function slowReader(open = 1): Promise<Socket> {
  const socket = connect(house.api.port, '127.0.0.1');
  opened.push(() => socket.destroy());
  socket.pause();
  socket.write(`GET /api/v1/events/stream HTTP/1.1\r\nhost: x\r\nx-api-key: ${secret}\r\n\r\n`);
  await expect.poll(() => house.api.stats()['streamOpen'], DEADLINE).toBe(open);
  return socket;
}
