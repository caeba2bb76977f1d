import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomRatio, sleep, type Clock } from '../../base/clock.ts';
import { messageOf, VoiceError } from '../../base/errors.ts';
import { parseObject, type JsonObject } from '../../base/json.ts';
import type { Closeable } from '../../base/lifetime.ts';
import { MIB } from '../../base/units.ts';
import { doubtOf, type Doubt } from './verify.ts';

const HOST = '127.0.0.1';
const BODY_BYTES_MAX = MIB;
const ON_PURPOSE = 503;

/** One delivery, and what it was answered. */
export interface Received {
  readonly event: JsonObject;
  readonly atUnixMs: number;
  /** Undefined where the signature holds. */
  readonly doubt: Doubt | undefined;
  readonly status: number;
  /** It was refused to see what the sender does then. */
  readonly isOnPurpose: boolean;
}

export interface HookServerOptions {
  readonly clock: Pick<Clock, 'unixMs' | 'after' | 'randomBytes'>;
  readonly port: number;
  /** The secret of the endpoint; what comes before it is known waits for it. */
  readonly secret: Promise<string>;
  /** This part of the deliveries is answered with 503. */
  readonly failRatio: number;
  /** Each answer takes this long. */
  readonly delayMs: number;
  /** Told of each delivery before it is answered. */
  readonly onReceived: (received: Received) => void;
}

/** A receiver of hooks on this machine. */
export class HookServer implements Closeable {
  /** Requests that were no delivery. */
  readonly stats = { strangers: 0, oversized: 0 };
  readonly #options: HookServerOptions;
  readonly #server: Server;

  private constructor(options: HookServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async open(options: HookServerOptions): Promise<HookServer> {
    const hooks = new HookServer(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    hooks.#server.once('error', reject).listen(options.port, HOST, resolve);
    try {
      await promise;
    } catch (error) {
      const sentence = `cannot listen on port ${options.port}: ${messageOf(error)}`;
      throw new VoiceError('failed_precondition', sentence, { cause: error });
    }
    return hooks;
  }

  /** Where hooks are received. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${HOST}:${port}/hooks`;
  }

  async close(): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Somebody who leaves in the middle has delivered nothing; the sender tries again.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const body = request.method === 'POST' ? await readBody(request) : undefined;
      if (body === 'too_large') {
        this.stats.oversized++;
        respond(response, 413);
      } else if (body === undefined) {
        this.stats.strangers++;
        respond(response, 405);
      } else await this.#answer(request, body, response);
    } catch {
      // The connection broke while it was read: there is nobody to answer.
      response.destroy();
    }
  }

  async #answer(request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    const { clock, failRatio, delayMs, onReceived, secret } = this.#options;
    const atUnixMs = clock.unixMs();
    const event = parseObject(body);
    if (event === undefined) {
      this.stats.strangers++;
      return respond(response, 400);
    }
    const doubt = doubtOf(await secret, signedHeadersOf(request), body, atUnixMs);
    const isOnPurpose = doubt === undefined && randomRatio(clock) < failRatio;
    const status = doubt !== undefined ? 401 : isOnPurpose ? ON_PURPOSE : 200;
    onReceived({ event, atUnixMs, doubt, status, isOnPurpose });
    if (delayMs > 0) await sleep(clock, delayMs);
    respond(response, status);
  }
}

function signedHeadersOf({ headers }: IncomingMessage): { id: string; timestamp: string; signature: string } {
  const one = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    id: one('webhook-id'),
    timestamp: one('webhook-timestamp'),
    signature: one('webhook-signature'),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'too_large'> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > BODY_BYTES_MAX) return 'too_large';
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function respond(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 200 ? 'ok' : '');
}
