import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import { FAULTS, VoiceError, type FaultCode } from '../../base/errors.ts';
import type { StreamItem } from '../../delivery/streams.ts';
import { answerBrokenUpgrade } from '../faults.ts';
import type { EndReason, Wire } from './live-readers.ts';

const MESSAGE_BYTES_MAX = 4_096;
const LAST_BYTES_MS = 5_000;

const CLOSED_AS: { readonly [reason in EndReason]: FaultCode } = {
  too_slow: 'too_slow',
  closing: 'draining',
  revoked: 'unauthenticated',
};

interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** One item in the words of the WebSocket stream (contract.md §8). */
function socketText(item: StreamItem): string {
  if (item.type === 'event') return JSON.stringify({ cursor: item.cursor, event: item.entry.envelope });
  return JSON.stringify({ cursor: item.cursor, gap: { from: item.from, to: item.to } });
}

/**
 * WebSockets on the port of the API. An upgrade walks through the same door as other requests, so that a
 * refusal is a plain HTTP answer before it.
 */
export class EventSockets {
  readonly #upgrades = new WeakMap<IncomingMessage, Upgrade>();
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  });

  readonly #newRequestId: () => string;

  constructor(newRequestId: () => string) {
    this.#newRequestId = newRequestId;
    // Let in, and then no WebSocket after all: said in our words, not in those of the library.
    this.#server.on('wsClientError', ({ message }, socket) => this.#refuse(socket, message));
  }

  listenTo(app: FastifyInstance): void {
    const server: Server = app.server;
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy());
      // Node reads no body behind an upgrade: who waits for one waits for ever.
      if (request.method !== 'GET') {
        this.#refuse(socket, 'only a GET can be upgraded');
        return;
      }
      this.#upgrades.set(request, { socket, head });
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
      response.on('finish', () => socket.end());
      app.routing(request, response);
    });
  }

  #refuse(socket: Duplex, message: string): void {
    answerBrokenUpgrade(socket, message, this.#newRequestId());
  }

  /** Completes the upgrade of a request that was let in. */
  accept(request: FastifyRequest, reply: FastifyReply): Promise<WebSocket> {
    const upgrade = this.#upgrades.get(request.raw);
    if (upgrade === undefined) {
      reply.header('upgrade', 'websocket');
      throw new VoiceError('invalid_argument', 'this address speaks WebSocket');
    }
    reply.hijack();
    return new Promise((resolve) => {
      this.#server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
        resolve(socket);
      });
    });
  }
}

/** Makes a WebSocket a stream of events that starts after `cursor`. */
export function wireOf(socket: WebSocket, cursor: string, clock: Pick<Clock, 'after'>): Wire {
  let isAlive = true;
  socket.send(JSON.stringify({ cursor }));
  socket.on('pong', () => (isAlive = true));
  // `close` follows every error and is what counts.
  socket.on('error', () => undefined);
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    write: (item) => socket.send(socketText(item)),
    beat: () => {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    },
    end: (reason) => {
      const fault = CLOSED_AS[reason];
      socket.close(FAULTS[fault].closeCode, fault);
      const cancel = clock.after(LAST_BYTES_MS, () => socket.terminate());
      socket.on('close', cancel);
    },
    onGone: (gone) => {
      if (socket.readyState === socket.CLOSED) gone();
      else socket.on('close', gone);
    },
  };
}
