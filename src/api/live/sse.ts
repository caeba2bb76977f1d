import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock } from '../../base/clock.ts';
import type { StreamItem } from '../../delivery/streams.ts';
import type { EndReason, Wire } from './live-readers.ts';

const RETRY_MS = 1_000;
const LAST_BYTES_MS = 5_000;

/** One item as server-sent event (WHATWG HTML §9.2): the id is what `Last-Event-ID` brings back. */
function sseText(item: StreamItem): string {
  if (item.type === 'event') return `id: ${item.cursor}\ndata: ${JSON.stringify(item.entry.envelope)}\n\n`;
  return `id: ${item.cursor}\nevent: gap\ndata: ${JSON.stringify({ from: item.from, to: item.to })}\n\n`;
}

/** Takes the reply over and makes it a stream of server-sent events that starts after `cursor`. */
export function openSse(reply: FastifyReply, cursor: string, clock: Pick<Clock, 'after'>): Wire {
  const headers = reply.getHeaders() as OutgoingHttpHeaders;
  reply.hijack();
  const response = reply.raw;
  // A connection that was a stream is not kept for others: closing would wait for its reader.
  response.shouldKeepAlive = false;
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would collect the stream in its buffers otherwise.
    'x-accel-buffering': 'no',
  });
  // An id without data is no event, yet a reader cut off before the first one comes back with it.
  response.write(`retry: ${RETRY_MS}\nid: ${cursor}\n\n`);
  // A reader that vanished while we wrote is no news: `close` follows and says so.
  response.on('error', () => undefined);
  return {
    get bufferedBytes() {
      return response.writableLength;
    },
    write: (item) => void response.write(sseText(item)),
    beat: () => void response.write(':\n\n'),
    end: (_reason: EndReason) => {
      response.end();
      // One who does not read does not take the end either: what is buffered for it is let go.
      const cancel = clock.after(LAST_BYTES_MS, () => response.destroy());
      response.on('close', cancel);
    },
    onGone: (gone) => {
      if (response.closed) gone();
      else response.on('close', gone);
    },
  };
}
