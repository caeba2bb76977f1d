import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { VoiceError } from '../../../src/base/errors.ts';
import type { DialLimits } from '../../../src/gateway/dialling/dial-limits.ts';
import type { DialGuard } from '../../../src/gateway/dialling/dialler.ts';
import { openDialGuard } from '../../../src/node/dial-guard.ts';
import { BackendHouse, type Talk } from '../../fakes/backend-house.ts';
import { BackendServer, type BackendServerOptions } from '../../fakes/backend-server.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { makeCertificate } from '../../fakes/gateway-certificate.ts';
import { until } from '../../fakes/until.ts';

const SETTINGS_APPLIED = JSON.stringify({ type: 'SettingsApplied' });
const LIMITS = { closeGraceMs: 200 };

let house: BackendHouse;
let servers: { close(): unknown }[];
beforeEach(() => {
  servers = [];
  open();
});
afterEach(async () => {
  await house.closeSoundly();
  for (const server of servers) await server.close();
  const left = { connections: house.dialler.connections, legs: house.groups.legs };
  if (left.connections + left.legs > 0) throw new Error(`left behind: ${JSON.stringify(left)}`);
});

function open(limits: Partial<DialLimits> = {}, guard?: DialGuard): void {
  house = new BackendHouse({ ...LIMITS, ...limits }, guard);
}

async function serve(
  onConnection: (socket: WebSocket) => void,
  options: BackendServerOptions = {},
): Promise<BackendServer> {
  const server = await BackendServer.open(onConnection, options);
  servers.push(server);
  return server;
}

/** A Deepgram-shaped agent: it is up as soon as it has heard its settings. */
function ready(socket: WebSocket): void {
  socket.once('message', () => socket.send(SETTINGS_APPLIED));
}

function dial(url: string): Talk {
  return house.dial({ dialect: 'deepgram-agent', url });
}

/** A bare TCP server. */
async function listen(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `ws://localhost:${(server.address() as AddressInfo).port}`;
}

function results(): Record<string, number> {
  const counts = Object.entries(house.dialler.stats.dialsByResult).filter(([, count]) => count > 0);
  return Object.fromEntries(counts);
}

describe('a dial', () => {
  it('becomes a leg once the backend has started', async () => {
    const server = await serve(ready);
    const talk = await dial(server.url).isUp();
    expect(talk.leg.role).toBe('agent');
    expect(results()).toEqual({ started: 1 });
    expect(house.groups.legs).toBe(1);
    talk.leg.end('hangup', 1000, house.clock.nowMs());
    await until(() => house.dialler.connections === 0, 'the end');
  });

  it('offers no compression', async () => {
    const server = await serve(ready);
    await dial(server.url).isUp();
    expect(server.requests[0]!.headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('is refused where nobody listens', async () => {
    const url = await listen(() => undefined);
    await servers.pop()!.close();
    expect(await dial(url).hasFailed()).toMatchObject({ error: 'refused' });
    expect(results()).toEqual({ refused: 1 });
  });

  it('is rejected with the status of the answer, and follows no redirect', async () => {
    const server = await serve(ready, { refuse: () => 302 });
    expect(await dial(server.url).hasFailed()).toEqual({ error: 'rejected', detail: 'HTTP 302' });
  });

  it('times out where the upgrade is never answered', async () => {
    let accepted = 0;
    const url = await listen(() => accepted++);
    const talk = dial(url);
    await until(() => accepted === 1, 'the connection');
    await house.pass(4_750);
    expect(talk.failures).toEqual([]);
    await house.pass(500);
    expect(await talk.hasFailed()).toMatchObject({ error: 'connect_timeout' });
  });

  it('times out where the name is never resolved', async () => {
    open({}, { reachable: () => new Promise(() => undefined) });
    const talk = dial('ws://black.hole.example/');
    await house.pass(5_250);
    expect(await talk.hasFailed()).toMatchObject({ error: 'connect_timeout' });
  });

  it('times out where the backend is connected and never ready', async () => {
    let opened = 0;
    const server = await serve(() => opened++);
    const talk = dial(server.url);
    await until(() => opened === 1, 'the connection');
    await house.pass(5_500);
    expect(await talk.hasFailed()).toMatchObject({ error: 'start_timeout' });
    expect(results()).toEqual({ start_timeout: 1 });
  });

  it('fails where the backend closes before it is ready', async () => {
    const server = await serve((socket) => socket.close(1011));
    expect(await dial(server.url).hasFailed()).toEqual({
      error: 'closed',
      detail: 'closed with 1011 before its start',
    });
  });

  it('fails where what is said is not the protocol', async () => {
    const server = await serve((socket) => socket.send('no JSON'));
    expect(await dial(server.url).hasFailed()).toMatchObject({ error: 'protocol' });
    const http = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    expect(await dial(http).hasFailed()).toMatchObject({ error: 'protocol' });
  });

  it('believes no certificate that is not good for the name', async () => {
    const other = await serve(ready, { isTls: true, tls: makeCertificate('other') });
    expect(await dial(other.url).hasFailed()).toMatchObject({ error: 'tls' });
    const good = await serve(ready, { isTls: true });
    await dial(good.url).isUp();
    const expired = makeCertificate('localhost', '210101000000Z');
    const old = await serve(ready, { isTls: true, tls: expired });
    expect(await dial(old.url).hasFailed()).toMatchObject({ error: 'tls' });
    const plain = await serve(ready);
    expect(await dial(plain.url.replace('ws:', 'wss:')).hasFailed()).toMatchObject({ error: 'tls' });
  });

  it('can be cancelled at any moment, and nothing more is told of it', async () => {
    let opened = 0;
    const server = await serve((socket) => {
      opened++;
      socket.on('message', () => undefined);
    });
    const talks = [dial(server.url)];
    await until(() => opened === 1, 'the first');
    talks.push(dial(server.url));
    for (const talk of talks) talk.dialled!.cancel();
    await until(() => house.dialler.connections === 0, 'both to be gone');
    await house.pass(6_000);
    expect(talks.flatMap(({ failures }) => failures)).toEqual([]);
    expect(results()).toEqual({ cancelled: 2 });
  });

  it('is not begun beyond the limit of connections, nor when the node leaves', async () => {
    open({ connectionsMax: 1 });
    const server = await serve(ready);
    const talk = await dial(server.url).isUp();
    expect(await dial(server.url).hasFailed()).toMatchObject({ error: 'overloaded' });
    await house.close();
    expect(talk.broken).toEqual(['draining']);
    expect(await dial(server.url).hasFailed()).toMatchObject({ error: 'overloaded' });
  });

  it('shows its key to nobody but the backend', async () => {
    const server = await serve(ready, { refuse: () => 401 });
    const talk = house.dial({ dialect: 'deepgram-agent', url: server.url, apiKey: 'dg-very-secret' });
    const failure = await talk.hasFailed();
    expect(server.requests[0]!.headers.authorization).toBe('Token dg-very-secret');
    expect(JSON.stringify(failure)).not.toContain('secret');
    const broken = house.dial({ dialect: 'deepgram-agent', url: server.url, apiKey: 'a\r\nb: c' });
    house.clock.advance(0);
    expect(await broken.hasFailed()).toMatchObject({ error: 'invalid_argument' });
  });
});

describe('the guard', () => {
  it.each(['ws://127.0.0.1', 'ws://[::1]', 'ws://169.254.169.254', 'ws://2130706433', 'ws://10.0.0.1'])(
    'lets nobody reach %s',
    async (url) => {
      open({}, openDialGuard(new FakeClock(), []));
      expect(await dial(url).hasFailed()).toMatchObject({ error: 'blocked' });
    },
  );

  it('goes where the operator says, and to what it judged only', async () => {
    let accepted = 0;
    const url = await listen(() => accepted++);
    open({}, openDialGuard(new FakeClock(), ['127.0.0.0/8']));
    const talk = dial(url.replace('localhost', '127.0.0.1'));
    await until(() => accepted === 1, 'the connection');
    talk.dialled!.cancel();
    open({}, { reachable: () => Promise.reject(new VoiceError('unavailable', 'nobody: no address')) });
    expect(await dial('ws://nobody.example').hasFailed()).toEqual({
      error: 'unresolved',
      detail: 'nobody: no address',
    });
  });
});

describe('a backend on the line', () => {
  it('that says more than four megabytes at once is closed with 1009', async () => {
    let closedWith = 0;
    const server = await serve((socket) => {
      ready(socket);
      socket.on('close', (code) => (closedWith = code));
      socket.on('message', (_message, isBinary) => {
        if (isBinary) socket.send(Buffer.alloc(4 * 1024 * 1024 + 1));
      });
    });
    const talk = await dial(server.url).isUp();
    talk.leg.forward(new Int16Array(160));
    await until(() => closedWith !== 0, 'the close');
    expect(closedWith).toBe(1009);
    expect(talk.broken).toEqual(['frame_too_large']);
    expect(house.dialler.stats.oversizedMessages).toBe(1);
  });

  it('is pinged every second, and lost after three without an answer', async () => {
    let pings = 0;
    const server = await serve(
      (socket) => {
        ready(socket);
        socket.on('ping', () => pings++);
      },
      { autoPong: false },
    );
    const talk = await dial(server.url).isUp();
    await house.pass(2_750);
    expect(talk.isLost).toBe(false);
    await house.pass(500);
    await until(() => talk.isLost, 'the loss');
    expect(pings).toBeGreaterThanOrEqual(2);
    expect(house.dialler.stats.pingTimeouts).toBe(1);
  });

  it('that stops reading is cut off before it costs memory, and audio that would wait is dropped', async () => {
    const server = await serve((socket) => {
      socket.once('message', () => socket.send(SETTINGS_APPLIED, () => socket.pause()));
    });
    const talk = await dial(server.url).isUp();
    const text = 'x'.repeat(60_000);
    for (let i = 0; i < 500 && talk.broken.length === 0; i++) {
      talk.line!.tell(text);
      talk.leg.forward(new Int16Array(160));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(talk.broken).toEqual(['peer_stalled']);
    expect(talk.leg.egress.stats.droppedFrames).toBeGreaterThan(0);
    expect(house.dialler.stats.wedgedSockets).toBe(1);
  });

  it('that speaks faster than it is heard waits at its own end, and loses nothing', async () => {
    let backend: WebSocket | undefined;
    const server = await serve((socket) => {
      ready(socket);
      backend = socket;
    });
    const talk = await dial(server.url).isUp();
    const { line } = talk;
    talk.onFrameHeard = () => {
      if (talk.frames.length === 10) line!.pauseReading();
    };
    // More than the buffers of both kernels hold.
    const messages = 400;
    for (let i = 0; i < messages; i++) backend!.send(Buffer.alloc(64_000, i));
    await until(() => talk.frames.length >= 10, 'the pause');
    await house.pass(5_000);
    const heardFrames = talk.frames.length;
    expect(backend!.bufferedAmount).toBeGreaterThan(0);
    expect(heardFrames).toBeLessThan(messages * 400);
    expect(talk.isLost).toBe(false);
    expect(house.dialler.stats.pausedReads).toBeGreaterThan(0);
    await house.pass(5_000);
    expect(talk.frames.length).toBe(heardFrames);
    line!.resumeReading();
    await until(() => {
      house.clock.advance(0);
      return talk.leg.ingress.stats.receivedFrames === messages * 400;
    }, 'everything');
    expect(house.dialler.stats.pingTimeouts).toBe(0);
  });

  it('that floods is closed with 4429', async () => {
    let closedWith = 0;
    const server = await serve((socket) => {
      ready(socket);
      socket.on('close', (code) => (closedWith = code));
      socket.on('message', (_message, isBinary) => {
        if (isBinary) for (let i = 0; i < 6_000; i++) socket.send('{"type":"AgentThinking"}');
      });
    });
    const talk = await dial(server.url).isUp();
    talk.leg.forward(new Int16Array(160));
    await until(() => closedWith !== 0, 'the close');
    expect([closedWith, talk.broken]).toEqual([4429, ['too_many_messages']]);
  });

  it('that sends broken frames ends its own connection only', async () => {
    const server = await serve(ready);
    const neighbour = await dial(server.url).isUp();
    const url = await listen((socket) => {
      socket.once('data', (request) => {
        const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(request.toString())?.[1] ?? '';
        socket.write(switching(key));
        // A reserved opcode (RFC 6455 §5.2).
        socket.write(Buffer.from([0x83, 0x01, 0x00]));
      });
    });
    expect(await dial(url).hasFailed()).toMatchObject({ error: 'protocol' });
    expect([neighbour.isLost, neighbour.broken]).toEqual([false, []]);
  });
});

/** The answer to an upgrade (RFC 6455 §4.2.2). */
function switching(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return (
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`
  );
}
