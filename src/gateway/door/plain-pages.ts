import type { IncomingMessage, ServerResponse } from 'node:http';
import { refuse } from '../../base/errors.ts';
import { answerTo, respond, type HttpAnswer, type HttpRefusal } from './http-answers.ts';
import { pathOf } from './upgrade-request.ts';

/** What can be read on a media port without a WebSocket. */
export interface PlainPages {
  /** Whether a new call would be taken. */
  isReady(): boolean;
  /** Prometheus text; undefined on the shared port, where nobody knows which node answers. */
  readonly metrics: (() => Promise<string>) | undefined;
  newRequestId(): string;
}

/** Answers a request that is no upgrade: health, readiness, figures, or why not. */
export async function respondPlain(
  request: IncomingMessage,
  response: ServerResponse,
  pages: PlainPages,
): Promise<void> {
  const page = await read(request, pages);
  respond(request, response, 'type' in page ? answerTo(page, pages.newRequestId()) : page);
}

async function read(request: IncomingMessage, pages: PlainPages): Promise<HttpAnswer | HttpRefusal> {
  const path = pathOf(request);
  const isMedia = path.startsWith('/media/');
  const isPage = path === '/healthz' || path === '/readyz' || path === '/metrics';
  if (!isMedia && !isPage) return refuse('not_found', 'no such path on the media port');
  if (request.method !== 'GET' && (isMedia || request.method !== 'HEAD')) return wrongMethod(isMedia);
  if (isMedia) return refuse('invalid_argument', 'this path takes a WebSocket upgrade');
  if (path === '/healthz') return statusPage('alive');
  if (path === '/readyz') {
    return pages.isReady() ? statusPage('ready') : refuse('unavailable', 'no new calls are taken now');
  }
  if (pages.metrics === undefined) return refuse('not_found', 'figures are on the port of each node');
  const headers = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' };
  return { httpStatus: 200, headers, body: await pages.metrics() };
}

function wrongMethod(isMedia: boolean): HttpRefusal {
  const refusal = refuse('invalid_argument', 'this path is only read');
  return { ...refusal, httpStatus: 405, headers: { Allow: isMedia ? 'GET' : 'GET, HEAD' } };
}

function statusPage(status: string): HttpAnswer {
  const headers = { 'Content-Type': 'application/json; charset=utf-8' };
  return { httpStatus: 200, headers, body: JSON.stringify({ success: true, data: { status } }) };
}
