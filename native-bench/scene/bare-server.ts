/*
 * What a media node is compared with: a `ws` server that echoes Twilio's media and does nothing else. `json`
 * reads and writes by JSON, as most would; `scan` looks for the payload and copies it into a template, which
 * is the least a server can do with `ws`.
 */
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { openLoopDelay } from '../../src/telemetry/loop-delay.ts';
import { answerQuestions } from '../load/remote.ts';

const PAYLOAD_KEY = '"payload":"';
const QUOTE = 0x22;
const TEXT = { binary: false } as const;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
const loopDelay = openLoopDelay();
const echo = process.argv[2] === 'scan' ? openScanEcho : openJsonEcho;

server.on('connection', (webSocket) => {
  const answer = echo(webSocket);
  webSocket.on('message', (message: Buffer) => answer(message));
});
await new Promise<void>((resolve) => server.once('listening', resolve));

answerQuestions({
  port: () => (server.address() as AddressInfo).port,
  loopDelay: () => loopDelay.read(),
});

function openJsonEcho(webSocket: WebSocket): (message: Buffer) => void {
  return (message) => {
    const { event, streamSid, media } = JSON.parse(message.toString()) as {
      readonly event: string;
      readonly streamSid: string;
      readonly media?: { readonly payload: string };
    };
    if (event !== 'media' || media === undefined) return;
    webSocket.send(JSON.stringify({ event, streamSid, media: { payload: media.payload } }));
  };
}

function openScanEcho(webSocket: WebSocket): (message: Buffer) => void {
  const head = Buffer.from('{"event":"media","streamSid":"MZ0","media":{"payload":"');
  let template = Buffer.alloc(0);
  // ws keeps the socket to itself; without this a template could be overwritten while it waits.
  const socket = (webSocket as unknown as { readonly _socket: Duplex })._socket;
  return (message) => {
    const key = message.indexOf(PAYLOAD_KEY);
    if (key < 0 || socket.writableLength !== 0) return;
    const start = key + PAYLOAD_KEY.length;
    const end = message.indexOf(QUOTE, start);
    if (template.length !== head.length + end - start + 3) {
      template = Buffer.concat([head, message.subarray(start, end), Buffer.from('"}}')]);
    }
    message.copy(template, head.length, start, end);
    webSocket.send(template, TEXT);
  };
}
