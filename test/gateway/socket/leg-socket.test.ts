import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../src/base/clock.ts';
import { WireSocket } from '../../../src/gateway/socket/leg-socket.ts';
import { makeCertificate } from '../../fakes/gateway-certificate.ts';

const UNSENT_BYTES_MAX = 65_536;

let server: Server;
let client: WebSocket;
let wire: WireSocket;
let stats: { droppedAudioFrames: number; pausedReads: number };

beforeEach(async () => {
  server = createServer(makeCertificate('localhost'));
  const sockets = new WebSocketServer({ noServer: true });
  stats = { droppedAudioFrames: 0, pausedReads: 0 };
  const opened = Promise.withResolvers<void>();
  server.on('upgrade', (request, socket: Duplex, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const events = { sent: () => undefined, closing: () => undefined, wedged: () => undefined };
      wire = new WireSocket({ webSocket, socket }, events, {
        unsentBytesMax: UNSENT_BYTES_MAX,
        stats,
        clock: systemClock,
      });
      opened.resolve();
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  client = new WebSocket(`wss://127.0.0.1:${port}`, { rejectUnauthorized: false });
  await Promise.all([opened.promise, once(client, 'open')]);
});

afterEach(() => {
  client.terminate();
  server.close();
});

describe('a leg behind TLS', () => {
  it('hears every frame of one turn, though all are written into the same place', async () => {
    const heard: number[] = [];
    const last = Promise.withResolvers<void>();
    client.on('message', (message: Buffer) => {
      heard.push(message[0]!);
      if (message[0] === 9) last.resolve();
    });
    const template = new Uint8Array(160);
    for (let frame = 0; frame < 10; frame++) {
      template.fill(frame);
      expect([wire.bufferedBytes, wire.sendAudio(template, true)]).toEqual([0, true]);
    }
    await last.promise;
    expect(heard).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(stats.droppedAudioFrames).toBe(0);
  });

  it('is sent no more in one turn than a leg that reads would leave', () => {
    const frame = new Uint8Array(1_920);
    const sent = Array.from({ length: 100 }, () => wire.sendAudio(frame, true)).filter(Boolean).length;
    expect(sent * frame.length).toBeLessThan(UNSENT_BYTES_MAX + 2 * frame.length);
    expect(stats.droppedAudioFrames).toBe(100 - sent);
  });

  it('that stopped reading is sent nothing that would wait', async () => {
    client.pause();
    const frame = new Uint8Array(32_768);
    while (wire.sendAudio(frame, true)) await new Promise((resolve) => setImmediate(resolve));
    expect(wire.bufferedBytes).toBeGreaterThan(0);
    expect([wire.sendAudio(frame, true), wire.sendAudio(frame, true)]).toEqual([false, false]);
  });
});
