import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Listener } from '../../src/api/listener.ts';
import { FakeClock } from '../fakes/clock.ts';
import { makeCertificate } from '../fakes/gateway-certificate.ts';

let clock: FakeClock;
let listener: Listener;
const opened: Socket[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  listener = new Listener(undefined, clock);
  await new Promise<void>((resolve) => void listener.server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
  listener.server.close();
});

async function open(bytes?: string): Promise<Socket> {
  const arrived = new Promise((resolve) => listener.server.once('connection', resolve));
  const socket = connect(listener.port, '127.0.0.1');
  opened.push(socket);
  socket.on('error', () => undefined);
  await arrived;
  if (bytes !== undefined) {
    const asked = new Promise((resolve) => listener.server.once('request', resolve));
    socket.write(bytes);
    await asked;
  }
  return socket;
}

const stop = () => new Promise<void>((resolve) => void listener.server.close(() => resolve()));

it('does not wait for connections that were never used', async () => {
  await open();
  await listener.closing(stop);
  expect(clock.pendingTasks).toBe(0);
});

it('waits for an answer under way, but not for ever', async () => {
  await open('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  let isClosed = false;
  const closing = listener.closing(stop).then(() => (isClosed = true));
  clock.advance(5_999);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(isClosed).toBe(false);
  clock.advance(1);
  expect(await closing).toBe(true);
});

describe('when all its places are taken', () => {
  const ASKS = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
  const gone = (socket: Socket) => new Promise((resolve) => socket.resume().once('close', resolve));

  beforeEach(async () => {
    listener.server.close();
    listener = new Listener(undefined, clock, { connectionsMax: 2, freshMax: 2 });
    await new Promise<void>((resolve) => void listener.server.listen(0, '127.0.0.1', resolve));
  });

  it('whoever comes has the place of the longest idle, not of one whose answer is under way', async () => {
    await open(ASKS);
    const silent = await open();
    const newest = await open(ASKS);
    await gone(silent);
    expect(newest.destroyed).toBe(false);
    expect(listener.stats).toEqual({ idleEnded: 1, refused: 0, acceptsFailed: 0, handshakesFailed: 0 });
  });

  it('a connection is idle again once it is answered', async () => {
    const answers: ServerResponse[] = [];
    listener.server.on('request', (_request, response) => void answers.push(response));
    const answered = await open(ASKS);
    await open(ASKS);
    answered.resume();
    answers[0]?.end();
    await new Promise((resolve) => answers[0]?.once('close', resolve));
    await open();
    await gone(answered);
    expect(listener.stats).toEqual({ idleEnded: 1, refused: 0, acceptsFailed: 0, handshakesFailed: 0 });
  });

  it('turns the newest away where nobody is idle', async () => {
    await open(ASKS);
    await open(ASKS);
    await gone(await open());
    expect(listener.stats).toEqual({ idleEnded: 0, refused: 1, acceptsFailed: 0, handshakesFailed: 0 });
  });
});

describe('over TLS', () => {
  const gone = (socket: Socket) => new Promise((resolve) => socket.resume().once('close', resolve));

  beforeEach(async () => {
    listener.server.close();
    listener = new Listener(makeCertificate('api'), clock, { connectionsMax: 9, freshMax: 1 });
    // As the framework does: it answers whatever went wrong.
    listener.server.on(
      'clientError',
      (_error, socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => void listener.server.listen(0, '127.0.0.1', resolve));
  });

  it('who says nothing gives way to who comes next, and leaves nothing behind', async () => {
    const silent = await open();
    await open();
    await gone(silent);
    expect(listener.stats).toMatchObject({ idleEnded: 1, refused: 0 });
  });

  it('a handshake that fails ends its connection', async () => {
    const socket = await open();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await gone(socket);
    expect(listener.stats.handshakesFailed).toBe(1);
  });

  it('whoever asks keeps the place, whoever comes next', async () => {
    const asked = new Promise((resolve) => listener.server.once('request', resolve));
    const options = { port: listener.port, host: '127.0.0.1', rejectUnauthorized: false };
    const asking = connectTls(options, () => asking.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    opened.push(asking);
    await asked;
    await open();
    expect(listener.stats.idleEnded).toBe(0);
  });
});
