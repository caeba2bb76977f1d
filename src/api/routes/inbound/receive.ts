import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../../base/clock.ts';
import { messageOf, VoiceError } from '../../../base/errors.ts';
import { newId } from '../../../base/ids.ts';
import type { InboundHook } from '../../../records/inbound/inbound-hook.ts';
import type { Taken } from '../../../records/inbound/inbound-store.ts';
import type { ApiLog } from '../../api-options.ts';
import { ok } from '../../answers.ts';
import { answerFault } from '../../faults.ts';
import { InboundGate } from '../../inbound/inbound-gate.ts';
import { InboundReader } from '../../inbound/inbound-reader.ts';
import type { InboundHookStore } from '../../ports.ts';
import type { RouteContext } from '../route-context.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Strangers come here: refused where control is too busy, and no line of the log is theirs to write. */
    isInbound?: true;
  }
  interface FastifyRequest {
    inboundHook: InboundHook | null;
    hasPlace: boolean;
  }
}

interface AtHook {
  readonly id: string;
  readonly token: string;
}

const ADDRESS = '/in/:id/:token';

/** Where strangers hand in what happened on their side (contract.md §7): outside of keys and envelopes. */
export const inboundReceiver: FastifyPluginAsync<RouteContext> = async (app, context) => {
  const { ports, inbound, clock, log, settings, inboundStats: stats } = context;
  const gate = new InboundGate(stats, clock);
  const reader = new InboundReader({ desk: inbound, stats, clock, region: settings.region });
  app.decorateRequest('inboundHook', null);
  app.decorateRequest('hasPlace', false);
  // What it is called matters to nobody: it is JSON, or it is refused. Its digest is of the bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    const { id, token } = request.params as AtHook;
    const hook = gate.admit(ports.inbound.find(id), token);
    request.inboundHook = hook;
    const waitMs = gate.take(hook);
    if (waitMs > 0) {
      reply.header('retry-after', Math.ceil(waitMs / 1000));
      throw new VoiceError('rate_limited', `this hook takes ${hook.ratePerMinute} calls a minute`);
    }
    if (!gate.enter(hook.id)) throw new VoiceError('overloaded', 'too many calls at a time');
    request.hasPlace = true;
  });
  const leave = (request: FastifyRequest): void => {
    if (!request.hasPlace || request.inboundHook === null) return;
    request.hasPlace = false;
    gate.leave(request.inboundHook.id);
  };
  app.addHook('onResponse', async (request) => leave(request));
  app.addHook('onRequestAbort', async (request) => leave(request));

  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    if (error.statusCode === 413) stats.tooLarge++;
    await logRefusal(error, request, { gate, store: ports.inbound, clock, log });
    return answerFault(error, request, reply, log);
  });

  app.post(ADDRESS, { config: { isInbound: true }, schema: { hide: true } }, async (request, reply) => {
    const hook = request.inboundHook!;
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const call = await reader.read(hook, { headers: request.headers, body });
    const taken = await ports.inbound.accept(call, (events) => inbound.announce(events));
    if (taken.isDuplicate) stats.duplicates++;
    else if (call.plan.commands.length > 0) inbound.wake();
    return answer(request, reply, hook, taken);
  });
};

function answer(request: FastifyRequest, reply: FastifyReply, hook: InboundHook, taken: Taken): unknown {
  if (hook.answer === null) {
    reply.code(202);
    return ok(request, { id: taken.callId, duplicate: taken.isDuplicate });
  }
  const { status, body } = hook.answer;
  reply.code(status);
  if (typeof body === 'string') reply.type('text/plain; charset=utf-8');
  return reply.send(body ?? undefined);
}

/** Only of those who have the token, and only so many: a log that strangers fill is no log. */
async function logRefusal(
  error: FastifyError,
  { inboundHook: hook }: FastifyRequest,
  parts: {
    readonly gate: InboundGate;
    readonly store: InboundHookStore;
    readonly clock: Pick<Clock, 'unixMs' | 'randomBytes'>;
    readonly log: ApiLog;
  },
): Promise<void> {
  const { gate, store, clock, log } = parts;
  const fault = faultOf(error);
  // Who comes too often would push out of it what is worth reading.
  if (hook === null || fault === 'rate_limited' || fault === 'overloaded' || !gate.mayLog(hook.id)) return;
  const detail = fault === 'internal' ? 'something went wrong on our side' : messageOf(error);
  try {
    await store.refused({ id: newId('inc', clock), hookId: hook.id, fault, detail });
  } catch (failure) {
    // The sender is told all the same; what is lost is a line of the log.
    log.warn({ hook_id: hook.id, reason: messageOf(failure) }, 'a refused inbound call could not be logged');
  }
}

function faultOf(error: FastifyError): VoiceError['code'] {
  if (error instanceof VoiceError) return error.code;
  if (error.statusCode === 413) return 'payload_too_large';
  return (error.statusCode ?? 500) < 500 ? 'invalid_argument' : 'internal';
}
