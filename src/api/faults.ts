import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { FAULTS, messageOf, VoiceError } from '../base/errors.ts';
import { failure, spokenFault, type ErrorCode } from './answers.ts';
import type { ApiLog } from './api-options.ts';

interface Spoken {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
}

const INTERNAL: Spoken = { status: 500, code: 'internal', message: 'something went wrong on our side' };

/** Answers everything that goes wrong in our own envelope; what is our fault goes to the log, never out. */
export function installFaults(app: FastifyInstance, log: ApiLog): void {
  const methods = new MethodTable();
  app.addHook('onRoute', ({ method, url }) => methods.add([method].flat(), url));
  app.setErrorHandler((error: FastifyError, request, reply) => answerFault(error, request, reply, log));
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url);
    if (allowed.length === 0) return say(reply, request.id, NOT_FOUND);
    reply.header('allow', allowed.join(', '));
    const message = `this address answers ${allowed.join(', ')}`;
    return say(reply, request.id, { status: 405, code: 'invalid_argument', message });
  });
}

const NOT_FOUND: Spoken = { status: 404, code: 'not_found', message: 'there is nothing at this address' };

/** Speaks a thrown error in the envelope. */
export function answerFault(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
  log: ApiLog,
): FastifyReply {
  const spoken = spokenOf(error);
  if (spoken.code === 'internal') {
    log.error({ request_id: request.id, route: request.routeOptions?.url, err: error }, 'request failed');
  }
  return say(reply, request.id, spoken);
}

function say(reply: FastifyReply, requestId: string, { status, code, message, field }: Spoken): FastifyReply {
  if (FAULTS[code].retryable && !reply.hasHeader('retry-after')) reply.header('retry-after', 1);
  return reply.code(status).send(failure(code, message, requestId, field));
}

function spokenOf(error: FastifyError): Spoken {
  if (error instanceof VoiceError) {
    const spoken = spokenFault(error.code);
    if (spoken.code === 'internal') return INTERNAL;
    const { message, field } = error;
    return field === undefined ? { ...spoken, message } : { ...spoken, message, field };
  }
  if (error.validation !== undefined) return invalid(error);
  const status = error.statusCode ?? 500;
  if (status === 413) return { status, code: 'payload_too_large', message: 'the body is larger than 1 MiB' };
  if (status === 415)
    return { status, code: 'invalid_argument', message: 'the body must be application/json' };
  if (status >= 400 && status < 500) return { status, code: 'invalid_argument', message: messageOf(error) };
  return INTERNAL;
}

/** The first thing the schema objected to, named as the caller named it. */
function invalid({ validation, validationContext }: FastifyError): Spoken {
  const [first] = validation ?? [];
  const path = (first?.instancePath ?? '').split('/').filter((part) => part !== '');
  const { requiredProperties, additionalProperties } = first?.params ?? {};
  const [name] = [requiredProperties, additionalProperties].flat().filter((part) => part !== undefined);
  const field = [...path, ...(typeof name === 'string' ? [name] : [])].join('.');
  const where = field === '' ? (validationContext ?? 'request') : field;
  const message = `${where}: ${complaint(first)}`;
  const spoken: Spoken = { status: 400, code: 'invalid_argument', message };
  return field === '' ? spoken : { ...spoken, field };
}

function complaint(error: NonNullable<FastifyError['validation']>[number] | undefined): string {
  if (error?.keyword === 'required') return 'is required';
  if (error?.keyword === 'additionalProperties') return 'is not known here';
  return error?.message ?? 'is not valid';
}

/** Which methods each address has, so that a wrong one is a 405 and not a 404. */
class MethodTable {
  readonly #routes: { readonly methods: readonly string[]; readonly form: RegExp }[] = [];

  add(methods: readonly string[], pattern: string): void {
    if (pattern.includes('*')) return;
    const form = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll(/:\w+/g, '[^/]+');
    this.#routes.push({ methods, form: new RegExp(`^${form}$`) });
  }

  of(url: string): string[] {
    const path = url.split('?', 1)[0]!;
    const found = this.#routes.filter(({ form }) => form.test(path)).flatMap(({ methods }) => methods);
    return [...new Set(found)].sort();
  }
}

/** What was not even HTTP, or broke off while it was being read: answered on the bare socket. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  endWith(socket, BROKEN[error.code ?? ''] ?? BAD_REQUEST, 'the request could not be read', requestId);
}

/** An upgrade that cannot be made: answered on the bare socket, as nobody else has it. */
export function answerBrokenUpgrade(socket: Duplex, message: string, requestId: string): void {
  if (socket.writable) endWith(socket, BAD_REQUEST, message, requestId);
  else socket.destroy();
}

function endWith(
  socket: Duplex,
  [status, phrase]: readonly [number, string],
  message: string,
  requestId: string,
): void {
  const body = JSON.stringify(failure('invalid_argument', message, requestId));
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/json; charset=utf-8\r\nconnection: close\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const BAD_REQUEST = [400, 'Bad Request'] as const;
const BROKEN: { readonly [code: string]: readonly [number, string] } = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
};
