import type { Clock } from '../../base/clock.ts';
import { verifySessionToken, type SessionClaims } from '../../base/session-token.ts';
import type { TokenLedger, TokenUses } from '../token-ledger.ts';

/** Session tokens: whether they hold, and whether they were used. */
export interface SessionGate extends TokenUses {
  verify(token: string): Promise<SessionClaims | undefined>;
}

export interface SessionGateOptions {
  /** Newest first. */
  readonly secrets: readonly Uint8Array[];
  readonly clock: Pick<Clock, 'unixMs'>;
  readonly ledger: TokenLedger;
}

/** Session tokens as a node checks them by itself: signature and time here, use in the ledger of the host. */
export function openSessionGate({ secrets, clock, ledger }: SessionGateOptions): SessionGate {
  return {
    verify: (token) => verifySessionToken(token, secrets, clock.unixMs()),
    isUsed: (tokenId) => ledger.isUsed(tokenId),
    take: (tokenId) => ledger.take(tokenId),
    giveBack: (tokenId) => ledger.giveBack(tokenId),
  };
}
