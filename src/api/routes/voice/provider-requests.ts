import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { VoiceError } from '../../../base/errors.ts';
import type { StreamCredential } from '../../../events/commands.ts';
import { languageOf } from '../../../providers/answers/languages.ts';
import type { AnswerDocument } from '../../../providers/answers/answer-plan.ts';
import { toldCallOf } from '../../../providers/answers/told-call.ts';
import type { Webhook } from '../../../providers/answers/webhook.ts';
import { answerFault } from '../../faults.ts';
import type { RouteContext } from '../route-context.ts';
import { AnswerDesk, type Question } from './answer-desk.ts';
import { ProviderGate } from './provider-gate.ts';
import { StatusDesk } from './status-desk.ts';

declare module 'fastify' {
  interface FastifyRequest {
    streamCredential: StreamCredential | null;
  }
}

/** No provider's form is longer. */
const BODY_BYTES_MAX = 65_536;

interface AtAddress {
  readonly dialect: string;
  readonly credential: string;
}

/**
 * Where providers ask what to do with a call, and tell what became of it (contract.md §4): outside of keys
 * and envelopes, by the credential in the path and the provider's own signature.
 */
export const providerRoutes: FastifyPluginAsync<RouteContext> = async (app, context) => {
  const { ports, clock, settings, voiceStats: stats } = context;
  const gate = new ProviderGate({ credentials: ports.credentials, clock, stats });
  const answers = new AnswerDesk({ calls: ports.calls, settings, stats, base: app.prefix });
  const statuses = new StatusDesk({ ...context, calls: ports.calls, answers, stats });
  app.decorateRequest('streamCredential', null);
  // Form or JSON, whatever it is called: what is signed are its bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('onRequest', async (request) => {
    const { dialect, credential } = request.params as AtAddress;
    request.streamCredential = await gate.admit(dialect, credential, request.ip);
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.statusCode === 413) stats.tooLarge++;
    return answerFault(error, request, reply, context.log);
  });

  const questionOf = (request: FastifyRequest): Question => {
    const webhook = webhookOf(request, settings.publicUrl);
    const credential = request.streamCredential!;
    gate.requireProven(credential, webhook, request);
    const { credential: secret } = request.params as AtAddress;
    return { credential, secret, webhook, told: toldCallOf(credential.dialect, webhook) };
  };
  const route = { bodyLimit: BODY_BYTES_MAX, config: { isInbound: true }, schema: { hide: true } } as const;

  app.route({
    ...route,
    method: ['GET', 'POST'],
    url: '/voice/answer/:dialect/:credential',
    handler: async (request, reply) => {
      const question = questionOf(request);
      const language = languageOf(question.credential.dialect);
      if (language === undefined) throw new VoiceError('not_found', 'this provider asks for no document');
      // The provider has a fallback for this; a stream that is refused would be tried for nothing.
      const isNobodyHere = context.nodes.serving === 0 && (settings.mediaUrls?.() ?? []).length === 0;
      if (isNobodyHere) throw new VoiceError('unavailable', 'no media node is serving');
      return speak(reply, await answers.answer(question, language));
    },
  });

  app.route({
    ...route,
    method: ['GET', 'POST'],
    url: '/voice/status/:dialect/:credential',
    handler: async (request, reply) => {
      const document = await statuses.take(questionOf(request));
      return document === undefined ? reply.code(204).send() : speak(reply, document);
    },
  });
};

function speak(reply: FastifyReply, { contentType, text }: AnswerDocument): FastifyReply {
  // It has the credential in it.
  return reply.header('cache-control', 'no-store').type(contentType).send(text);
}

function webhookOf(request: FastifyRequest, publicUrl: string): Webhook {
  const target = request.raw.url ?? '';
  const plain = Object.entries(request.headers).filter(([, value]) => !Array.isArray(value));
  return {
    method: request.method,
    headers: Object.fromEntries(plain) as Webhook['headers'],
    urls: [`${publicUrl.replace(/\/$/, '')}${target}`, `${request.protocol}://${request.host}${target}`],
    query: target.includes('?') ? target.slice(target.indexOf('?') + 1) : '',
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
  };
}
