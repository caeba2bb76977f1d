import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { makeCertificate } from './gateway-certificate.ts';

/** What everybody who tests trusts: a backend named `localhost`. */
export const BACKEND_TLS = makeCertificate('localhost');

export interface BackendServerOptions {
  readonly isTls?: boolean;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** The HTTP status an upgrade is refused with; undefined where it is welcome. */
  readonly refuse?: (request: IncomingMessage) => number | undefined;
  readonly subprotocol?: string;
  readonly autoPong?: boolean;
}

/** A real WebSocket server on a port of its own, for fake backends to stand on. */
export class BackendServer {
  readonly url: string;
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;

  private constructor(server: Server, webSockets: WebSocketServer, scheme: string) {
    this.#server = server;
    this.#webSockets = webSockets;
    this.url = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
  }

  static async open(
    onConnection: (socket: WebSocket, request: IncomingMessage) => void,
    options: BackendServerOptions = {},
  ): Promise<BackendServer> {
    const { isTls = false, tls = BACKEND_TLS, refuse, subprotocol, autoPong = true } = options;
    const server: Server = isTls ? createTlsServer(tls) : createPlainServer();
    const webSockets = new WebSocketServer({
      noServer: true,
      autoPong,
      maxPayload: 16 * 1024 * 1024,
      handleProtocols: () => subprotocol ?? false,
    });
    server.on('upgrade', (request, socket, head) => {
      backend.requests.push(request);
      socket.on('error', () => undefined);
      const status = refuse?.(request);
      if (status !== undefined) {
        socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return;
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('error', () => undefined);
        onConnection(webSocket, request);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const backend = new BackendServer(server, webSockets, isTls ? 'wss' : 'ws');
    return backend;
  }

  async close(): Promise<void> {
    for (const client of this.#webSockets.clients) client.terminate();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
