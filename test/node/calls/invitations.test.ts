import { expect, it } from 'vitest';
import { verifySessionToken } from '../../../src/base/session-token.ts';
import { joinWishOf } from '../../../src/call/parties/invitation.ts';
import { NodeInvitations } from '../../../src/node/calls/invitations.ts';
import { FakeClock } from '../../fakes/clock.ts';

const FACTS = {
  id: 'call_1',
  workspaceId: 'ws_1',
  testMode: true,
  region: 'eu-west',
  node: '3',
  agentId: 'echo',
  direction: 'inbound',
  from: '+15550100',
  to: null,
  conversationId: 'conv_1',
  leadId: null,
  contactId: null,
  metadata: { secret: 'of the call' },
} as const;

it('a token opens the door once, to this call, in this role and mode', async () => {
  const clock = new FakeClock();
  const secrets = [Buffer.alloc(32, 7)];
  const invitations = new NodeInvitations({
    clock,
    signingSecrets: secrets,
    mediaUrl: 'ws://a.example:8082/',
  });
  const wish = { mode: 'whisper', handoverId: 'ho_1' } as const;
  const tickets = await Promise.all(
    [1, 2].map(() => invitations.mint({ role: 'supervisor', ...wish }, FACTS)),
  );
  expect(tickets[0]).toMatchObject({
    ws_url: 'ws://a.example:8082/media/native',
    expires_at: '2026-11-20T12:05:00.000Z',
  });
  const [claims, other] = await Promise.all(
    tickets.map(({ token }) => verifySessionToken(token, secrets, clock.unixMs())),
  );
  expect(claims).toMatchObject({ callId: 'call_1', workspaceId: 'ws_1', testMode: true, role: 'supervisor' });
  expect(joinWishOf(claims!.metadata)).toEqual(wish);
  expect(JSON.stringify(claims)).not.toContain('of the call');
  expect(claims!.tokenId).not.toBe(other!.tokenId);
  expect(await verifySessionToken(tickets[0]!.token, secrets, clock.unixMs() + 300_001)).toBeUndefined();
});
