import type { Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { mintSessionToken, SESSION_TOKEN_TTL_MS } from '../../base/session-token.ts';
import type { CallFacts } from '../../call/facts.ts';
import {
  joinMetadataOf,
  type Invitation,
  type Invitations,
  type JoinTicket,
} from '../../call/parties/invitation.ts';

export interface NodeInvitationsOptions {
  readonly clock: Clock;
  /** Newest first. */
  readonly signingSecrets: readonly Uint8Array[];
  /** Where this node's own door is: the call is here. */
  readonly mediaUrl: string;
}

/** Mints tokens for parties of calls of this node. They say how to come in, so that any door can read it. */
export class NodeInvitations implements Invitations {
  readonly #options: NodeInvitationsOptions;

  constructor(options: NodeInvitationsOptions) {
    this.#options = options;
  }

  async mint(invitation: Invitation, call: CallFacts): Promise<JoinTicket> {
    const { clock, signingSecrets, mediaUrl } = this.#options;
    const nowUnixMs = clock.unixMs();
    const { id: callId, node: _, ...facts } = call;
    const claims = {
      ...facts,
      tokenId: newId('vs', clock),
      sessionId: newId('vs', clock),
      callId,
      role: invitation.role,
      metadata: joinMetadataOf(invitation),
    };
    return {
      ws_url: `${mediaUrl.replace(/\/$/, '')}/media/native`,
      token: await mintSessionToken(claims, signingSecrets, nowUnixMs),
      expires_at: new Date(nowUnixMs + SESSION_TOKEN_TTL_MS).toISOString(),
    };
  }
}
