import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Dispatcher, Pool } from 'undici';
import type { AtMs, Clock } from '../../base/clock.ts';
import { KIB } from '../../base/units.ts';
import { connectTimingsOf, NO_CONNECT, type ConnectTimings } from './connect-timings.ts';

/** Of a response we keep this much, where the request does not say otherwise; the rest is not even read. */
const CAPTURE_BYTES_MAX = 16 * KIB;

/** A request as it goes over the wire. */
export interface WireRequest {
  /** POST where none is given. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly body: Uint8Array;
  /** How much of the response is kept. */
  readonly captureBytesMax?: number;
}

/** What one request on one socket came to. */
export interface ExchangeResult {
  /** When the last byte of the request was handed to the kernel; null when it never was. */
  readonly sentAtMs: AtMs | null;
  readonly firstByteAtMs: AtMs | null;
  readonly doneAtMs: AtMs;
  readonly resolvedAddress: string | null;
  readonly status: number | null;
  readonly headers: { readonly [name: string]: string };
  /** As much of the body as is kept, as text. */
  readonly body: string;
  /** There was more. */
  readonly isTruncated: boolean;
  /** How long the socket took to open, where this request opened it. */
  readonly connect: ConnectTimings;
  /** null when a whole response, or as much as we keep of it, has come. */
  readonly failure: Error | 'timeout' | null;
  /** The socket had served before, and broke without one byte of answer: nobody may have read the request. */
  readonly isStaleSocket: boolean;
}

const RESET_CODES = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'];

// undici tells of the socket and of the last byte on diagnostics channels only; the body says whose they are.
const exchanges = new WeakMap<object, Exchange>();
const usedSockets = new WeakSet<Socket>();
channel('undici:client:sendHeaders').subscribe((message) => {
  const { request, socket } = message as { request: { body: unknown }; socket: Socket };
  exchangeOf(request)?.takeSocket(socket);
});
channel('undici:request:bodySent').subscribe((message) => {
  exchangeOf((message as { request: { body: unknown } }).request)?.markSent();
});

/** Sends one request through the pool and waits for its end, for the time at most. Never throws. */
export function exchange(
  pool: Pool,
  request: WireRequest,
  timeoutMs: number,
  clock: Clock,
): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    // A view of its own on shared bytes: it is this attempt's name on the channels.
    const body = Buffer.from(request.body.buffer, request.body.byteOffset, request.body.byteLength);
    const captureBytesMax = request.captureBytesMax ?? CAPTURE_BYTES_MAX;
    const running = new Exchange({ clock, timeoutMs, captureBytesMax, resolve });
    exchanges.set(body, running);
    try {
      const { method = 'POST', path, headers } = request;
      pool.dispatch({ method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 }, running);
    } catch (error) {
      running.onResponseError(undefined, error as Error);
    }
  });
}

function exchangeOf(request: { readonly body: unknown }): Exchange | undefined {
  return request.body instanceof Uint8Array ? exchanges.get(request.body) : undefined;
}

interface ExchangeOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly captureBytesMax: number;
  readonly resolve: (result: ExchangeResult) => void;
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #clock: Clock;
  readonly #captureBytesMax: number;
  readonly #resolve: (result: ExchangeResult) => void;
  readonly #cancelTimeout: () => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #isSettled = false;
  #capturedBytes = 0;
  #sentAtMs: AtMs | null = null;
  #firstByteAtMs: AtMs | null = null;
  #status: number | null = null;
  #headers: { readonly [name: string]: string } = {};
  #wire: WireState | undefined;
  #connect: ConnectTimings = NO_CONNECT;

  constructor({ clock, timeoutMs, captureBytesMax, resolve }: ExchangeOptions) {
    this.#clock = clock;
    this.#captureBytesMax = captureBytesMax;
    this.#resolve = resolve;
    // One timer for the whole: undici's own are idle times, under which a drip of bytes runs for ever.
    this.#cancelTimeout = clock.after(timeoutMs, () => this.#stop('timeout'));
  }

  takeSocket(socket: Socket): void {
    const { remoteAddress: address = null, bytesRead } = socket;
    const isReused = usedSockets.has(socket);
    this.#wire = { socket, address, bytesRead, isReused };
    if (!isReused) this.#connect = connectTimingsOf(socket);
    usedSockets.add(socket);
  }

  markSent(): void {
    this.#sentAtMs ??= this.#clock.nowMs();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The time ran out while the request waited for its socket: not a byte of it leaves.
    if (this.#isSettled) controller.abort(new Error('timeout'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: { readonly [name: string]: string | string[] | undefined },
  ): void {
    this.#firstByteAtMs ??= this.#clock.nowMs();
    if (status < 200) return;
    this.#status = status;
    this.#headers = flattened(headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    // Copied: the parser's memory is used again after this returns.
    this.#chunks.push(Buffer.from(chunk.subarray(0, this.#captureBytesMax - this.#capturedBytes)));
    this.#capturedBytes += chunk.length;
    // Aborting destroys the socket: whoever answers a hook with a film does not get to send it.
    if (this.#capturedBytes > this.#captureBytesMax) this.#stop(null);
  }

  onResponseEnd(): void {
    this.#settle(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#settle(error);
  }

  #stop(failure: 'timeout' | null): void {
    this.#settle(failure);
    this.#controller?.abort(new Error('enough'));
  }

  #settle(failure: Error | 'timeout' | null): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#cancelTimeout();
    this.#resolve({
      sentAtMs: this.#sentAtMs,
      firstByteAtMs: this.#firstByteAtMs,
      doneAtMs: this.#clock.nowMs(),
      resolvedAddress: this.#wire?.address ?? null,
      status: this.#status,
      headers: this.#headers,
      // Databases refuse NUL in text.
      body: Buffer.concat(this.#chunks).toString('utf8').replaceAll('\0', ''),
      isTruncated: this.#capturedBytes > this.#captureBytesMax,
      connect: this.#connect,
      failure,
      isStaleSocket: failure instanceof Error && isReset(failure) && isUnanswered(this.#wire),
    });
  }
}

interface WireState {
  readonly socket: Socket;
  readonly address: string | null;
  readonly bytesRead: number;
  readonly isReused: boolean;
}

function isReset(error: Error): boolean {
  return 'code' in error && RESET_CODES.includes(String(error.code));
}

function isUnanswered(wire: WireState | undefined): boolean {
  return wire !== undefined && wire.isReused && wire.socket.bytesRead === wire.bytesRead;
}

function flattened(headers: { readonly [name: string]: string | string[] | undefined }): {
  readonly [name: string]: string;
} {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
