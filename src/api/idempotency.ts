import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import { messageOf, VoiceError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { sha256Hex } from '../base/secret.ts';
import type { ApiLog } from './api-options.ts';
import type { IdempotencyStore } from './ports.ts';

const KEPT_MS = 24 * 3_600_000;
const KEY_LENGTH_MAX = 255;

/** What is known of a request that carried an `Idempotency-Key`. */
interface Repeatable {
  readonly keyId: string;
  readonly idempotencyKey: string;
  readonly bodyHash: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Not there at all on pages that were registered before, as `/docs`. */
    idempotent?: Repeatable | null;
  }
}

export interface IdempotencyParts {
  readonly store: IdempotencyStore;
  readonly clock: Pick<Clock, 'unixMs'>;
  readonly log: ApiLog;
}

/** Makes POSTs with an `Idempotency-Key` happen once: the first answer is kept 24 h and given again. */
export function installIdempotency(app: FastifyInstance, parts: IdempotencyParts): { replayed: number } {
  const stats = { replayed: 0 };
  const underWay = new Set<string>();
  app.decorateRequest('idempotent', null);
  app.addHook('preHandler', async (request, reply) => {
    const repeatable = repeatableOf(request);
    if (repeatable === undefined) return undefined;
    const name = nameOf(repeatable);
    if (underWay.has(name)) throw new VoiceError('conflict', 'the first request with this key is under way');
    underWay.add(name);
    request.idempotent = repeatable;
    const found = await parts.store.find(repeatable.keyId, repeatable.idempotencyKey);
    if (found === undefined) return undefined;
    underWay.delete(name);
    request.idempotent = null;
    if (found.bodyHash !== repeatable.bodyHash) {
      throw new VoiceError('conflict', 'this Idempotency-Key was used for another request');
    }
    stats.replayed++;
    return reply.code(found.status).header('idempotency-replayed', 'true').send(found.answer);
  });
  app.addHook('preSerialization', async (request, reply, answer) => {
    // What failed on our side may be tried again; everything else stays the answer.
    if (request.idempotent && reply.statusCode < 500 && isObject(answer)) {
      await remember(request.idempotent, reply.statusCode, answer, parts);
    }
    return answer;
  });
  // Not when the answer has gone out: where its reader has left meanwhile it never does.
  app.addHook('onSend', async (request) => {
    if (request.idempotent) underWay.delete(nameOf(request.idempotent));
  });
  return stats;
}

function repeatableOf(request: FastifyRequest): Repeatable | undefined {
  const idempotencyKey = request.headers['idempotency-key'];
  const { caller } = request;
  if (request.method !== 'POST' || typeof idempotencyKey !== 'string' || caller === null) return undefined;
  if (idempotencyKey.length === 0 || idempotencyKey.length > KEY_LENGTH_MAX) {
    throw new VoiceError('invalid_argument', `Idempotency-Key has 1 to ${KEY_LENGTH_MAX} characters`, {
      field: 'Idempotency-Key',
    });
  }
  const bodyHash = sha256Hex(`${request.url}\n${JSON.stringify(request.body ?? null)}`);
  return { keyId: caller.id, idempotencyKey, bodyHash };
}

async function remember(
  repeatable: Repeatable,
  status: number,
  answer: JsonObject,
  { store, clock, log }: IdempotencyParts,
): Promise<void> {
  const entry = {
    bodyHash: repeatable.bodyHash,
    status,
    answer,
    expiresUnixMs: clock.unixMs() + KEPT_MS,
  };
  try {
    await store.remember(repeatable.keyId, repeatable.idempotencyKey, entry);
  } catch (error) {
    // It is done and must be answered; a repetition will be done twice, and the log says why.
    log.error({ key_id: repeatable.keyId, reason: messageOf(error) }, 'answer could not be remembered');
  }
}

function nameOf({ keyId, idempotencyKey }: Repeatable): string {
  return `${keyId} ${idempotencyKey}`;
}
