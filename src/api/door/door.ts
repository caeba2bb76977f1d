import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { invariant, VoiceError } from '../../base/errors.ts';
import type { Scope } from '../api-key.ts';
import { isKeyShaped } from '../api-key.ts';
import type { ApiKey } from '../ports.ts';
import { versionOf } from '../versions.ts';
import { countedAs, isAllowed } from './addresses.ts';
import type { KeyDirectory } from './key-directory.ts';
import type { FailureGuard, RateLimits, RateStanding } from './rate-limits.ts';
import type { Tickets } from './tickets.ts';

/** Who may use a route. A route without this is public. */
export interface Access {
  readonly scope: Scope;
  /** Voice traffic has its own admission control, never the REST bucket (contract.md §3). */
  readonly isVoice?: true;
  /** Browsers may come with `?ticket=` instead of a key. */
  readonly takesTicket?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    caller: ApiKey | null;
    rateStanding: RateStanding | null;
    apiVersion: string | null;
  }
}

export interface DoorParts {
  readonly directory: KeyDirectory;
  readonly guard: FailureGuard;
  readonly limits: RateLimits;
  readonly tickets: Tickets;
}

/** Puts the door before every route: who, how often, in which version, allowed to do what. */
export function installDoor(app: FastifyInstance, parts: DoorParts): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('rateStanding', null);
  app.decorateRequest('apiVersion', null);
  app.addHook('onRequest', async (request, reply) => {
    const access = request.routeOptions.config.access;
    if (access === undefined) return;
    const key = await authenticate(request, reply, access, parts);
    request.caller = key;
    parts.directory.noteUse(key);
    countRequest(request, reply, access, parts.limits);
    request.apiVersion = versionOf(headerOf(request, 'omniflow-version'), key.apiVersion);
    reply.header('omniflow-version', request.apiVersion);
    if (!key.scopes.includes(access.scope)) {
      throw new VoiceError('permission_denied', `this key lacks the scope ${access.scope}`);
    }
  });
}

/** The key of a route that has `access`. */
export function keyOf(request: FastifyRequest): ApiKey {
  invariant(request.caller !== null, 'a route behind the door has a caller');
  return request.caller;
}

async function authenticate(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
  { directory, guard, tickets }: DoorParts,
): Promise<ApiKey> {
  const address = countedAs(request.ip);
  const secret = presentedSecret(request);
  const waitMs = secret !== undefined && directory.isKnown(secret) ? 0 : guard.waitMs(address);
  if (waitMs > 0) {
    reply.header('retry-after', Math.ceil(waitMs / 1000));
    throw new VoiceError('rate_limited', 'too many failed authentications from this address');
  }
  const ticket = access.takesTicket ? ticketOf(request) : undefined;
  const key =
    secret !== undefined
      ? isKeyShaped(secret) && (await directory.find(secret))
      : ticket !== undefined && (await ticketKey(ticket, tickets, directory));
  if (!key) {
    guard.failed(address);
    reply.header('www-authenticate', 'Bearer realm="omnivoice"');
    throw new VoiceError(
      'unauthenticated',
      'a valid API key is needed (Authorization: Bearer, or X-API-Key)',
    );
  }
  if (!isAllowed(request.ip, key.ipAllow)) {
    throw new VoiceError('permission_denied', 'this key may not be used from this address');
  }
  return key;
}

async function ticketKey(
  ticket: string,
  tickets: Tickets,
  directory: KeyDirectory,
): Promise<ApiKey | undefined> {
  const secretHash = tickets.redeem(ticket);
  return secretHash === undefined ? undefined : directory.findByHash(secretHash);
}

/** `Authorization: Bearer` first, else `X-API-Key` (contract.md §2). */
function presentedSecret(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '');
  return bearer?.[1] ?? headerOf(request, 'x-api-key');
}

function ticketOf(request: FastifyRequest): string | undefined {
  const { ticket } = request.query as { ticket?: unknown };
  return typeof ticket === 'string' ? ticket : undefined;
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function countRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  access: Access,
  limits: RateLimits,
): void {
  const key = keyOf(request);
  const waitMs = access.isVoice ? 0 : limits.take(key);
  const standing = limits.standing(key);
  request.rateStanding = standing;
  reply.headers({
    'x-ratelimit-limit': standing.limit,
    'x-ratelimit-remaining': standing.remaining,
    'x-ratelimit-reset': standing.resetUnixS,
  });
  if (waitMs === 0) return;
  reply.header('retry-after', Math.ceil(waitMs / 1000));
  throw new VoiceError('rate_limited', 'the request limit of this key or its workspace is reached');
}
