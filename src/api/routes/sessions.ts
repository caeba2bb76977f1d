import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import type { Clock } from '../../base/clock.ts';
import { VoiceError, type Refusal } from '../../base/errors.ts';
import { newId } from '../../base/ids.ts';
import { mintSessionToken, SESSION_TOKEN_TTL_MS, type SessionClaims } from '../../base/session-token.ts';
import type { SessionUuids } from '../api-options.ts';
import { answers, Nullable, ok } from '../answers.ts';
import type { CallPlace } from '../cluster/cluster-desk.ts';
import { requireAgent } from '../built-in-agents.ts';
import { keyOf } from '../door/door.ts';
import type { ApiKey } from '../ports.ts';
import { Reference, type RouteContext } from './route-context.ts';

// It travels in the token, which travels in a header of the upgrade.
const METADATA_BYTES_MAX = 2_048;

const Wish = Type.Object(
  {
    agent_id: Type.Optional(Nullable(Reference)),
    conversation_id: Type.Optional(Nullable(Reference)),
    test_mode: Type.Optional(Type.Boolean()),
    direction: Type.Optional(Type.Union([Type.Literal('inbound'), Type.Literal('outbound')])),
    from: Type.Optional(Nullable(Reference)),
    to: Type.Optional(Nullable(Reference)),
    lead_id: Type.Optional(Nullable(Reference)),
    contact_id: Type.Optional(Nullable(Reference)),
    region: Type.Optional(Nullable(Reference)),
    audiosocket_uuid: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$|^new$',
        description: 'the UUID Asterisk will say on its AudioSocket, or `new` for one of ours',
      }),
    ),
    metadata: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'at most 2 KiB as JSON' }),
    ),
  },
  { additionalProperties: false },
);

const Session = Type.Object({
  session_id: Type.String(),
  call_id: Type.String(),
  token: Type.String({ description: 'good for one handshake within 5 minutes' }),
  ws_url: Type.String(),
  expires_at: Type.String(),
  region: Type.String(),
  audiosocket_uuid: Type.Optional(Type.String({ description: 'good for one connection, as the token is' })),
});

/** Voice sessions: where a caller's stream may connect, and the token that opens the door there. */
export const sessionRoutes: FastifyPluginAsyncTypebox<RouteContext & { path: string }> = async (
  app,
  context,
) => {
  app.route({
    method: 'POST',
    url: context.path,
    config: { access: { scope: 'voice:connect', isVoice: true } },
    schema: { summary: 'Start a voice session', tags: ['Voice'], body: Wish, response: answers(Session) },
    handler: async (request) => ok(request, await startSession(request, request.body, context)),
  });
};

async function startSession(
  request: FastifyRequest,
  wish: Static<typeof Wish>,
  { agents, cluster, settings, clock, audioSocketUuids }: RouteContext,
): Promise<Static<typeof Session>> {
  const key = keyOf(request);
  const agentId = await requireAgent(wish.agent_id, key, agents);
  const terms = termsOf(wish, key);
  const { mediaUrl, region } = placed(cluster.place(wish.region ?? undefined));
  const claims = { ...claimsOf(wish, key, clock), ...terms, agentId, region };
  const nowUnixMs = clock.unixMs();
  const token = await mintSessionToken(claims, settings.signingSecrets, nowUnixMs);
  const uuid = await keepUuid(wish.audiosocket_uuid, token, { audioSocketUuids, clock });
  return {
    session_id: claims.sessionId,
    call_id: claims.callId,
    token,
    ws_url: `${mediaUrl.replace(/\/$/, '')}/media/native`,
    expires_at: new Date(nowUnixMs + SESSION_TOKEN_TTL_MS).toISOString(),
    region,
    ...(uuid === undefined ? {} : { audiosocket_uuid: uuid }),
  };
}

/** Asterisk can say nothing but a UUID: whoever makes the session names it, or is given one. */
async function keepUuid(
  wished: string | undefined,
  token: string,
  {
    audioSocketUuids,
    clock,
  }: { audioSocketUuids: SessionUuids | undefined; clock: Pick<Clock, 'randomBytes'> },
): Promise<string | undefined> {
  if (wished === undefined) return undefined;
  if (audioSocketUuids === undefined) {
    const message = 'there is no port for AudioSocket: set OMNIVOICE_AUDIOSOCKET_PORT';
    throw new VoiceError('failed_precondition', message, { field: 'audiosocket_uuid' });
  }
  const uuid = wished === 'new' ? newUuid(clock) : wished.toLowerCase();
  await audioSocketUuids.put(uuid, token);
  return uuid;
}

/** Sixteen random bytes, marked as version 4 (RFC 9562 §5.4). */
function newUuid(clock: Pick<Clock, 'randomBytes'>): string {
  const bytes = Buffer.from(clock.randomBytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The place of the call, or why it has none. */
function placed(place: CallPlace | Refusal): CallPlace {
  if (!('type' in place)) return place;
  const field = place.fault === 'invalid_argument' ? { field: 'region' } : {};
  throw new VoiceError(place.fault, place.detail, field);
}

/** What the key allows of the wish. */
function termsOf(wish: Static<typeof Wish>, key: ApiKey): Pick<SessionClaims, 'metadata' | 'testMode'> {
  const metadata = wish.metadata ?? {};
  if (Buffer.byteLength(JSON.stringify(metadata)) > METADATA_BYTES_MAX) {
    throw new VoiceError('invalid_argument', 'metadata is at most 2 KiB', { field: 'metadata' });
  }
  if (key.testMode && wish.test_mode === false) {
    throw new VoiceError('permission_denied', 'a test key makes test calls only', { field: 'test_mode' });
  }
  return { metadata, testMode: key.testMode || (wish.test_mode ?? false) };
}

function claimsOf(
  wish: Static<typeof Wish>,
  { workspaceId }: ApiKey,
  clock: Clock,
): Omit<SessionClaims, 'agentId' | 'region' | 'metadata' | 'testMode'> {
  return {
    tokenId: newId('vs', clock),
    sessionId: newId('vs', clock),
    callId: newId('call', clock),
    workspaceId,
    role: 'caller',
    direction: wish.direction ?? 'inbound',
    from: wish.from ?? null,
    to: wish.to ?? null,
    leadId: wish.lead_id ?? null,
    contactId: wish.contact_id ?? null,
    conversationId: wish.conversation_id ?? null,
  };
}
