import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { FAULTS, type Refusal } from '../../base/errors.ts';

/** An answer before there is a WebSocket. */
export interface HttpRefusal extends Refusal {
  /** Where the fault's own status does not say it exactly. */
  readonly httpStatus?: number;
  readonly headers?: { readonly [name: string]: string };
}

/** The text of an answer, with its headers. */
export interface HttpAnswer {
  readonly httpStatus: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** The error envelope of the API (contract.md §3), so that a client reads one form everywhere. */
export function answerTo(refusal: HttpRefusal, requestId: string): HttpAnswer {
  const { fault, detail } = refusal;
  const envelope = {
    success: false,
    error: { code: fault, message: detail },
    meta: { request_id: requestId },
  };
  // What may be tried again may be tried at once: nothing here lasts longer than a restart.
  const retryAfter = FAULTS[fault].retryable ? { 'Retry-After': '1' } : {};
  return {
    httpStatus: refusal.httpStatus ?? FAULTS[fault].httpStatus,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...retryAfter, ...refusal.headers },
    body: JSON.stringify(envelope),
  };
}

/** Writes an answer on a bare socket, where the upgrade has taken the HTTP machinery away, and ends it. */
export function endWith(socket: Duplex, answer: HttpAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const headers = {
    ...answer.headers,
    Connection: 'close',
    'Content-Length': String(Buffer.byteLength(answer.body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const status = `HTTP/1.1 ${answer.httpStatus} ${STATUS_CODES[answer.httpStatus] ?? ''}`;
  socket.once('finish', () => socket.destroy());
  socket.end(`${[status, ...lines].join('\r\n')}\r\n\r\n${answer.body}`);
}

export function respond(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  response.writeHead(answer.httpStatus, {
    ...answer.headers,
    'Cache-Control': 'no-store',
    'Content-Length': Buffer.byteLength(answer.body),
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}
