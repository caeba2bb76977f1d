import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { until } from './until.ts';

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** Somebody with a WebSocket; everything the server says is kept. */
export class Visitor {
  readonly socket: WebSocket;
  readonly heard: string[] = [];
  closing: Closing | undefined;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (message) => this.heard.push((message as Buffer).toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.closing = { code, reason: reason.toString() };
    });
  }

  say(message: object | string | Uint8Array): void {
    const isRaw = typeof message === 'string' || message instanceof Uint8Array;
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  async closed(): Promise<Closing> {
    await until(() => this.closing !== undefined, 'the close of the connection');
    return this.closing!;
  }

  leave(): void {
    this.socket.terminate();
  }
}

/** Connects, and fails where the upgrade is refused. */
export async function visit(
  url: string,
  subprotocols: readonly string[] = [],
  options: ClientOptions = {},
): Promise<Visitor> {
  const socket = new WebSocket(url, [...subprotocols], { perMessageDeflate: false, ...options });
  const visitor = new Visitor(socket);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return visitor;
}

export const TWILIO_CONNECTED = { event: 'connected', protocol: 'Call', version: '1.0.0' };
export const TWILIO_START = {
  event: 'start',
  sequenceNumber: '1',
  start: {
    accountSid: 'AC1',
    streamSid: 'MZ1',
    callSid: 'CA1',
    tracks: ['inbound'],
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
    customParameters: {},
  },
  streamSid: 'MZ1',
};
export const TWILIO_MEDIA = {
  event: 'media',
  sequenceNumber: '2',
  media: {
    track: 'inbound',
    chunk: '1',
    timestamp: '0',
    payload: Buffer.alloc(160, 0xff).toString('base64'),
  },
  streamSid: 'MZ1',
};

/** A Twilio stream that has said its start. */
export async function callAsTwilio(url: string, secret = 'sc_secret'): Promise<Visitor> {
  const visitor = await visit(`${url}/media/twilio/${secret}`);
  visitor.say(TWILIO_CONNECTED);
  visitor.say(TWILIO_START);
  return visitor;
}

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
}

export const UPGRADE_HEADERS = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

/** One HTTP request; an upgrade that is accepted answers 101. */
export function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { method = 'GET', headers = {} } = options;
  const asked = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  asked.once('error', reject);
  asked.once('upgrade', (answer, socket) => {
    socket.destroy();
    resolve({ status: 101, headers: answer.headers, body: '' });
  });
  asked.once('response', (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (text: string) => (body += text));
    answer.once('end', () => resolve({ status: answer.statusCode!, headers: answer.headers, body }));
  });
  asked.end();
  return promise;
}

/** The fault an error envelope names. */
export function faultOf(answer: Answer): string {
  return (JSON.parse(answer.body) as { error: { code: string } }).error.code;
}

/** A bare TCP connection: says what it is told to, and keeps what it hears until it ends. */
export class RawVisitor {
  readonly socket: Socket;
  heard = Buffer.alloc(0);
  isEnded = false;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => (this.heard = Buffer.concat([this.heard, bytes])));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isEnded = true));
  }

  say(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  upgrade(path: string): void {
    const headers = Object.entries(UPGRADE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`);
    this.say(`GET ${path} HTTP/1.1\r\nHost: media.example.com\r\n${headers.join('')}\r\n`);
  }

  async heardText(part: string): Promise<void> {
    await until(() => this.heard.includes(part), `"${part}" from the server`);
  }

  async ended(): Promise<void> {
    await until(() => this.isEnded, 'the end of the connection');
  }

  leave(): void {
    this.socket.destroy();
  }
}

/** A masked client frame (RFC 6455 §5.2) of up to 65 535 bytes; the mask is zero. */
export function clientFrame(opcode: number, payload: Uint8Array, isFinal = true): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode;
  const length = payload.length;
  const head = length < 126 ? [first, 0x80 | length] : [first, 0x80 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
