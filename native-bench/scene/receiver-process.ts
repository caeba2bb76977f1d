/*
 * A hook receiver in a process of its own: notes when the last byte of a request came, answers, and reads
 * what it was told only when asked. `/slow` answers after five seconds, `/broken` with 500.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { answerQuestions } from '../load/remote.ts';
import type { Told } from './hook-figures.ts';

const SLOW_MS = 5000;

interface Arrived {
  readonly body: Buffer;
  readonly atMs: number;
}

let arrived: Arrived[] = [];
let completedCalls = 0;
let connections = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const atMs = systemClock.nowMs();
    if (request.url === '/slow') {
      setTimeout(() => response.end(), SLOW_MS);
      return;
    }
    if (request.url === '/broken') {
      response.writeHead(500).end();
      return;
    }
    response.end();
    const body = Buffer.concat(chunks);
    arrived.push({ body, atMs });
    if (body.includes('"type":"call_analyzed"')) completedCalls++;
  });
});
server.on('connection', () => connections++);
// The sender decides how long a connection is kept.
server.keepAliveTimeout = 0;
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

answerQuestions({
  port: () => (server.address() as AddressInfo).port,
  completedCalls: () => completedCalls,
  connections: () => connections,
  told: () => {
    const told = arrived.map(toldOf);
    arrived = [];
    return told;
  },
});

function toldOf({ body, atMs }: Arrived): Told {
  const { id, type, sequence, resource, data } = JSON.parse(body.toString()) as {
    readonly id: string;
    readonly type: string;
    readonly sequence: number;
    readonly resource: { readonly id: string };
    readonly data: {
      readonly at_ms?: number;
      readonly gap_ms?: number;
      readonly metadata?: { readonly provider_call_id?: string };
    };
  };
  return {
    id,
    type,
    sequence,
    callId: resource.id,
    callSid: data.metadata?.provider_call_id ?? '',
    mediaMs: data.at_ms ?? null,
    gapMs: type === 'call_recovered' ? (data.gap_ms ?? null) : null,
    arrivedAtMs: atMs,
  };
}
