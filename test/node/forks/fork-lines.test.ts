import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { systemClock } from '../../../src/base/clock.ts';
import type { ForkLine, ForkTranscript, ForkWish } from '../../../src/call/forks/fork-line.ts';
import { openDialler } from '../../../src/gateway/dialling/dialler.ts';
import { openDialGuard } from '../../../src/node/dial-guard.ts';
import { ForkLines } from '../../../src/node/forks/fork-lines.ts';
import { until } from '../../live/house.ts';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Somebody who takes a fork, and does with it what a test wants. */
async function openConsumer(onSocket: (socket: WebSocket, headers: object) => void) {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket, request) => {
    socket.on('error', () => {});
    onSocket(socket, request.headers);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of server.clients) socket.terminate();
    http.close();
  });
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}/in`;
}

function openLines(egressAllow: readonly string[] = ['127.0.0.0/8']) {
  const failures: unknown[] = [];
  const dialler = openDialler({
    clock: systemClock,
    guard: openDialGuard(systemClock, egressAllow),
    limits: { pingEveryMs: 100, pongMsMax: 500, silentMsMax: 500, messageBytesMax: 65_536 },
    reportFailure: (error) => void failures.push(error),
  });
  closers.push(() => dialler.close());
  const lines = new ForkLines(() => dialler, systemClock);
  const heard: ForkTranscript[] = [];
  const gone: string[] = [];
  const opened: ForkLine[] = [];
  const dial = (wish: Partial<ForkWish>): (() => void) =>
    lines.dial(
      {
        forkId: 'fork_1',
        callId: 'call_1',
        legId: 'leg_1',
        sampleRateHz: 8000,
        channels: 1,
        tracks: 'inbound',
        protocol: 'raw',
        codec: 'l16',
        url: null,
        api_key: null,
        model: null,
        language: null,
        ...wish,
      },
      {
        opened: (line) => void opened.push(line),
        gone: (error) => void gone.push(error),
        heard: (said) => void heard.push(said),
      },
    );
  return { lines, dial, heard, gone, opened, failures };
}

const frameOf = (level: number, samples = 160): Int16Array => new Int16Array(samples).fill(level);

describe('a fork on a real socket', () => {
  it('says what comes, sends it as it is, and says when it is over', async () => {
    const texts: string[] = [];
    const audio: Buffer[] = [];
    let authorization: unknown;
    const url = await openConsumer((socket, headers) => {
      authorization = (headers as { authorization?: string }).authorization;
      socket.on('message', (data: Buffer, isBinary) =>
        isBinary ? audio.push(data) : texts.push(data.toString()),
      );
    });
    const { dial, opened } = openLines();
    dial({ url, channels: 2, tracks: 'both', api_key: 'k-1' });
    await until('the line', () => opened.length === 1);
    // As words from before an onset come: at once.
    for (let level = 1; level <= 20; level++) opened[0]!.send(frameOf(level, 320));
    await until('the sound', () => audio.length === 20);
    expect(audio.map((bytes) => bytes.readInt16LE(100))).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    opened[0]!.close('ended');
    await until('the end', () => texts.length === 2);
    expect(texts.map((text) => JSON.parse(text) as object)).toEqual([
      {
        type: 'start',
        fork_id: 'fork_1',
        call_id: 'call_1',
        leg_id: 'leg_1',
        tracks: 'both',
        format: { codec: 'l16', sample_rate_hz: 8000, channels: 2, little_endian: true },
      },
      { type: 'stop', fork_id: 'fork_1' },
    ]);
    expect(authorization).toBe('Bearer k-1');
  });

  it('to Deepgram’s recogniser brings back what was said, by channel', async () => {
    const http = await openConsumer((socket) => {
      socket.on('message', (_, isBinary) => {
        if (!isBinary) return;
        const alternatives = [{ transcript: 'Hello.', confidence: 0.9 }];
        const facts = { is_final: true, start: 0.5, duration: 1 };
        socket.send(
          JSON.stringify({ type: 'Results', channel: { alternatives }, channel_index: [1, 2], ...facts }),
        );
      });
    });
    const { dial, opened, heard } = openLines();
    dial({ url: http, protocol: 'deepgram-stt', tracks: 'both', channels: 2, api_key: 'dg' });
    await until('the line', () => opened.length === 1);
    opened[0]!.send(frameOf(1, 320));
    await until('words', () => heard.length === 1);
    expect(heard[0]).toEqual({ channel: 'second', text: 'Hello.', startMs: 500, endMs: 1_500 });
  });

  it('to somebody who does not read drops what it cannot send, and is given up', async () => {
    const url = await openConsumer((socket) => socket.pause());
    const { dial, opened, gone, lines } = openLines();
    dial({ url });
    await until('the line', () => opened.length === 1);
    const before = process.memoryUsage().rss;
    for (let second = 0; second < 40_000; second++) opened[0]!.send(frameOf(second % 1_000));
    expect(lines.stats.droppedFrames).toBeGreaterThan(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
    await until('its end', () => gone.length === 1);
    expect(gone[0]).toMatch(/peer_stalled|closed_1006/);
  });

  it('to a hostile end costs a connection and nothing else', async () => {
    const url = await openConsumer((socket) => {
      socket.send('x'.repeat(1_000));
      socket.send(Buffer.alloc(1_000, 0xff));
      socket.send('{"type":"Results"');
      socket.send('y'.repeat(100_000));
    });
    for (const protocol of ['raw', 'native', 'deepgram-stt'] as const) {
      const { dial, gone, heard, failures } = openLines();
      dial({ url, protocol });
      await until(`the end of ${protocol}`, () => gone.length === 1);
      expect([heard, failures]).toEqual([[], []]);
    }
  });

  it('to nobody, or to where the operator does not let us, is told', async () => {
    const { dial, gone } = openLines([]);
    dial({ url: 'ws://127.0.0.1:9/in' });
    await until('the refusal', () => gone.length === 1);
    expect(gone).toEqual(['blocked']);
    const open = openLines();
    open.dial({ url: 'ws://127.0.0.1:9/in' });
    await until('the failure', () => open.gone.length === 1);
    expect(open.gone).toEqual(['refused']);
    expect(() => open.dial({ url: 'http://127.0.0.1/' })).toThrow(/ws or wss/);
  });
});
