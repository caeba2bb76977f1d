import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { messageOf } from '../../../base/errors.ts';
import { isObject, parseObject, textOf } from '../../../base/json.ts';
import { KIB, MIB } from '../../../base/units.ts';
import type { Dial, MediaTarget, Wire, WireEnd } from './media-wire.ts';

const HANDSHAKE_MS = 10_000;
const REFUSAL_BYTES_MAX = 4 * KIB;

/** Connects over a real WebSocket, as providers do: no compression, no redirects. */
export const dialWebSocket: Dial = (target, listener) => {
  const socket = open(target);
  let isOver = false;
  const end = (how: WireEnd): void => {
    if (isOver) return;
    isOver = true;
    listener.ended(how);
  };
  let hasOpened = false;
  socket.on('open', () => {
    hasOpened = true;
    listener.opened();
  });
  // ws hands whole messages of the default binary type over as one Buffer.
  socket.on('message', (message, isBinary) => listener.heard(message as Buffer, isBinary));
  socket.on('close', (code, reason) => end({ type: 'closed', code, reason: reason.toString() }));
  socket.on('error', (error) => {
    // After the handshake `close` follows, and says more.
    if (!hasOpened) end({ type: 'unreachable', detail: detailOf(error) });
  });
  socket.on('unexpected-response', (_request, response) => {
    const status = response.statusCode ?? 0;
    readRefusal(response, (detail) => {
      end({ type: 'refused', status, detail });
      socket.terminate();
    });
  });
  return wireOf(socket);
};

function open({ url, subprotocols, headers }: MediaTarget): WebSocket {
  return new WebSocket(url, [...subprotocols], {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
    maxPayload: 4 * MIB,
    skipUTF8Validation: true,
    ...(headers !== undefined && { headers: { ...headers } }),
  });
}

function wireOf(socket: WebSocket): Wire {
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    // A masked frame is a copy, so the caller may write its next frame into the same bytes.
    send: ({ bytes, isBinary }) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: isBinary });
    },
    close: () => socket.close(1000),
    cut: () => socket.terminate(),
  };
}

/** The sentence of a refusal: from the error's body where it is one of ours. */
function readRefusal(response: IncomingMessage, onRead: (detail: string) => void): void {
  let text = '';
  const finish = (): void => {
    const error = parseObject(text)?.['error'];
    const said = isObject(error) ? (textOf(error['message']) ?? textOf(error['code'])) : undefined;
    onRead(said ?? response.statusMessage ?? '');
  };
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    if (text.length < REFUSAL_BYTES_MAX) text += piece;
  });
  response.on('close', finish);
  response.on('error', () => undefined);
}

// A name with two addresses fails with one error for each, and no sentence of its own.
function detailOf(error: Error): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return messageOf(error);
}
