import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;
const MASKED = 0x80;
const SHORT_BYTES_MAX = 125;
const TWO_BYTE_LENGTH = 126;
const HEADER_BYTES = 8;
const FRAME_BYTES_MAX = 2048;
const NOTHING = Buffer.alloc(0);

/** Where all sockets of the process read into: what is in it is used up before the next one reads. */
const READ_BUFFER = Buffer.alloc(64 * 1024);

export interface WireListener {
  /** One text message: `bytes[start, end)`, valid until the call returns. */
  onText(bytes: Buffer, start: number, end: number): void;
  /** One binary message, likewise; who leaves this out expects none. */
  onBinary?(bytes: Buffer, start: number, end: number): void;
  /** The connection is gone; `closeCode` where the server named one. */
  onClosed(closeCode: number | null): void;
}

/**
 * A WebSocket client that costs next to nothing (RFC 6455, no extensions, no fragments): the load must not be
 * what is measured. Frames are masked with a key other than zero, which servers would not have to undo.
 */
export class Wire {
  /** Frames that could not be written at once: then the load itself was too slow to measure by. */
  readonly stats = { blockedFrames: 0 };
  readonly #mask = randomBytes(4).map((byte) => byte | 1);
  readonly #frame = Buffer.alloc(FRAME_BYTES_MAX);
  #socket!: Socket;
  #listener!: WireListener;
  #rest: Buffer = NOTHING;
  #closeCode: number | null = null;
  #onUpgraded: ((error?: Error) => void) | undefined;

  /** `withinMs`: a port may take connections for a process that stands still. */
  static async open(url: string, listener: WireListener, withinMs?: number): Promise<Wire> {
    const wire = new Wire();
    const late = withinMs === undefined ? undefined : setTimeout(() => wire.destroy(), withinMs);
    try {
      await wire.#open(new URL(url), listener);
      return wire;
    } finally {
      clearTimeout(late);
    }
  }

  get isOpen(): boolean {
    return this.#socket.readyState === 'open' && this.#onUpgraded === undefined;
  }

  /** One text message in three parts, of which the middle is bytes already: nothing is copied twice. */
  send(head: string, middle: Uint8Array = NOTHING, tail = ''): void {
    const payloadBytes = head.length + middle.length + tail.length;
    const frame = this.#frameFor(payloadBytes);
    const start = writeHeader(frame, TEXT, payloadBytes, this.#mask);
    frame.write(head, start, 'latin1');
    frame.set(middle, start + head.length);
    frame.write(tail, start + head.length + middle.length, 'latin1');
    this.#maskOver(frame, start, payloadBytes);
    this.#socket.write(frame.subarray(0, start + payloadBytes));
  }

  /** One binary message. */
  sendBinary(payload: Uint8Array): void {
    const frame = this.#frameFor(payload.length);
    const start = writeHeader(frame, BINARY, payload.length, this.#mask);
    frame.set(payload, start);
    this.#maskOver(frame, start, payload.length);
    this.#socket.write(frame.subarray(0, start + payload.length));
  }

  close(): void {
    this.#control(CLOSE, Buffer.from([0x03, 0xe8]));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** What the kernel has not taken is still read from its frame. */
  #frameFor(payloadBytes: number): Buffer {
    const isIdle = this.#socket.writableLength === 0;
    if (!isIdle) this.stats.blockedFrames++;
    return isIdle ? this.#frame : Buffer.alloc(HEADER_BYTES + payloadBytes);
  }

  #open(url: URL, listener: WireListener): Promise<void> {
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      this.#onUpgraded = (error) => (error === undefined ? resolve() : reject(error));
      this.#socket = connect({
        host: url.hostname,
        port: Number(url.port),
        noDelay: true,
        onread: { buffer: READ_BUFFER, callback: (bytes) => this.#read(bytes) },
      });
      this.#socket.on('connect', () => this.#socket.write(upgradeOf(url)));
      this.#socket.on('error', (error) => this.#onUpgraded?.(error));
      this.#socket.on('close', () => {
        this.#onUpgraded?.(new Error('closed before the upgrade'));
        listener.onClosed(this.#closeCode);
      });
    });
  }

  #read(count: number): boolean {
    const arrived = READ_BUFFER.subarray(0, count);
    let bytes: Buffer = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived]);
    if (this.#onUpgraded !== undefined) bytes = this.#readUpgrade(bytes);
    const rest = this.#onUpgraded === undefined ? this.#readFrames(bytes) : bytes;
    this.#rest = rest.length === 0 ? NOTHING : Buffer.from(rest);
    return true;
  }

  #readUpgrade(bytes: Buffer): Buffer {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return bytes;
    const status = bytes.toString('latin1', 0, bytes.indexOf('\r\n'));
    const isUpgraded = status.startsWith('HTTP/1.1 101');
    this.#onUpgraded?.(isUpgraded ? undefined : new Error(status));
    this.#onUpgraded = undefined;
    if (isUpgraded) return bytes.subarray(end + 4);
    // What follows is the sentence of a refusal, not frames.
    this.#socket.destroy();
    return NOTHING;
  }

  /** Reads whole frames; answers what is left of the last one. */
  #readFrames(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= 2) {
      const isLong = bytes[at + 1] === TWO_BYTE_LENGTH;
      if (isLong && bytes.length - at < 4) break;
      const start = at + (isLong ? 4 : 2);
      const end = start + (isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 1]!);
      if (end > bytes.length) break;
      this.#readFrame(bytes, bytes[at]!, start, end);
      at = end;
    }
    return at === 0 ? bytes : bytes.subarray(at);
  }

  #readFrame(bytes: Buffer, kind: number, start: number, end: number): void {
    if (kind === TEXT) this.#listener.onText(bytes, start, end);
    else if (kind === BINARY && this.#listener.onBinary !== undefined) {
      this.#listener.onBinary(bytes, start, end);
    } else if (kind === PING) this.#control(PONG, Buffer.from(bytes.subarray(start, end)));
    else if (kind === CLOSE) {
      this.#closeCode = end - start >= 2 ? bytes.readUInt16BE(start) : null;
      this.#socket.end();
    } else throw new Error(`a frame of kind ${kind}, which no echo sends`);
  }

  #control(kind: number, payload: Buffer): void {
    const frame = Buffer.alloc(HEADER_BYTES + payload.length);
    const start = writeHeader(frame, kind, payload.length, this.#mask);
    frame.set(payload, start);
    this.#maskOver(frame, start, payload.length);
    if (this.#socket.writable) this.#socket.write(frame.subarray(0, start + payload.length));
  }

  #maskOver(frame: Buffer, start: number, count: number): void {
    for (let i = 0; i < count; i++) frame[start + i] = frame[start + i]! ^ this.#mask[i & 3]!;
  }
}

/** Answers where the payload begins. */
function writeHeader(frame: Buffer, kind: number, payloadBytes: number, mask: Uint8Array): number {
  frame[0] = kind;
  if (payloadBytes <= SHORT_BYTES_MAX) {
    frame[1] = MASKED | payloadBytes;
    frame.set(mask, 2);
    return 6;
  }
  frame[1] = MASKED | TWO_BYTE_LENGTH;
  frame.writeUInt16BE(payloadBytes, 2);
  frame.set(mask, 4);
  return HEADER_BYTES;
}

function upgradeOf(url: URL): string {
  return [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    '\r\n',
  ].join('\r\n');
}
