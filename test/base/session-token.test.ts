import { describe, expect, it } from 'vitest';
import { mintSessionToken, verifySessionToken, type SessionClaims } from '../../src/base/session-token.ts';

const NOW_UNIX_MS = Date.UTC(2026, 10, 20, 12);
const NEWEST = Buffer.alloc(32, 7);
const OLDER = Buffer.alloc(32, 9);
const CLAIMS: SessionClaims = {
  tokenId: 'tok_1',
  sessionId: 'vs_1',
  callId: 'call_1',
  workspaceId: 'ws_default',
  role: 'caller',
  region: 'local',
  testMode: false,
  agentId: 'echo',
  direction: 'inbound',
  from: '+15550100',
  to: null,
  leadId: '884',
  contactId: null,
  conversationId: null,
  metadata: { campaign: 'november' },
};

describe('a session token', () => {
  it('carries all its claims to whoever shares the secret', async () => {
    const token = await mintSessionToken(CLAIMS, [NEWEST], NOW_UNIX_MS);
    expect(await verifySessionToken(token, [NEWEST], NOW_UNIX_MS)).toEqual(CLAIMS);
  });

  it('still opens the door after the secret was rotated', async () => {
    const token = await mintSessionToken(CLAIMS, [OLDER], NOW_UNIX_MS);
    expect(await verifySessionToken(token, [NEWEST, OLDER], NOW_UNIX_MS)).toEqual(CLAIMS);
  });

  it('is worth nothing after five minutes', async () => {
    const token = await mintSessionToken(CLAIMS, [NEWEST], NOW_UNIX_MS);
    expect(await verifySessionToken(token, [NEWEST], NOW_UNIX_MS + 301_000)).toBeUndefined();
  });

  it.each([
    ['another secret', async () => mintSessionToken(CLAIMS, [Buffer.alloc(32, 1)], NOW_UNIX_MS)],
    ['no signature', async () => `${btoa('{"alg":"none"}')}.${btoa('{"jti":"x","exp":9999999999}')}.`],
    ['no token at all', async () => 'not a token'],
  ])('is refused with %s', async (_, make) => {
    expect(await verifySessionToken(await make(), [NEWEST], NOW_UNIX_MS)).toBeUndefined();
  });

  it('is refused when one character was changed', async () => {
    const token = await mintSessionToken(CLAIMS, [NEWEST], NOW_UNIX_MS);
    const forged = token.replace(/\.(.)/, (_, first: string) => `.${first === 'e' ? 'f' : 'e'}`);
    expect(await verifySessionToken(forged, [NEWEST], NOW_UNIX_MS)).toBeUndefined();
  });
});
