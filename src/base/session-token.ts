import { jwtVerify, SignJWT } from 'jose';
import { isObject, type JsonObject } from './json.ts';
import type { LegRole } from './roles.ts';

/** How long a session token opens the door; it is checked at the handshake only (contract.md §2). */
export const SESSION_TOKEN_TTL_MS = 300_000;

/** Everything a media node must know of a session: the token works without control. */
export interface SessionClaims {
  /** Id of the token itself: single use. */
  readonly tokenId: string;
  readonly sessionId: string;
  readonly callId: string;
  readonly workspaceId: string;
  readonly role: LegRole;
  readonly region: string;
  readonly testMode: boolean;
  readonly agentId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly from: string | null;
  readonly to: string | null;
  readonly leadId: string | null;
  readonly contactId: string | null;
  readonly conversationId: string | null;
  readonly metadata: JsonObject;
  /** The stream credential whose answer made the token, where one did. */
  readonly credentialId?: string | null;
}

/** A JWT (HS256) signed with the newest secret. `secrets` are newest first. */
export function mintSessionToken(
  claims: SessionClaims,
  secrets: readonly Uint8Array[],
  nowUnixMs: number,
): Promise<string> {
  const { tokenId, ...session } = claims;
  return new SignJWT({ session })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setJti(tokenId)
    .setExpirationTime(Math.floor((nowUnixMs + SESSION_TOKEN_TTL_MS) / 1000))
    .sign(secrets[0]!);
}

/**
 * The claims, or undefined for a token that is foreign, forged or expired. Any secret of the ring may have
 * signed.
 */
export async function verifySessionToken(
  token: string,
  secrets: readonly Uint8Array[],
  nowUnixMs: number,
): Promise<SessionClaims | undefined> {
  for (const secret of secrets) {
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: ['HS256'],
        currentDate: new Date(nowUnixMs),
        requiredClaims: ['exp', 'jti'],
      });
      // Our own signature vouches for the shape: only we mint.
      if (isObject(payload['session'])) {
        return { ...(payload['session'] as unknown as SessionClaims), tokenId: payload.jti! };
      }
    } catch {
      // The next secret of the ring may be the one; after the last, undefined is the answer.
    }
  }
  return undefined;
}
