import { describe, expect, it } from 'vitest';
import { Handovers } from '../../src/call/handover/handovers.ts';
import type { Invitations } from '../../src/call/parties/invitation.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryParty } from './story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const INVITATIONS: Invitations = {
  mint: async () => ({
    ws_url: 'ws://127.0.0.1/media/native',
    token: 't',
    expires_at: '2026-11-20T12:05:00.000Z',
  }),
};
const MOVED = { closeCode: 4410, reason: 'call_moved' };

function surrender(story: Story): boolean {
  return story.calls.surrender(story.call.id, story.clock.nowMs());
}

function typesSaid({ socket }: StoryParty): unknown[] {
  return socket.sent
    .filter(({ isBinary }) => !isBinary)
    .map(({ bytes }) => (JSON.parse(Buffer.from(bytes).toString()) as { type?: unknown }).type);
}

describe('a call that goes on at another node', () => {
  it('tells nothing more, and not its end', () => {
    const story = new Story();
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    caller.speaks(400);
    const { call } = story;
    const told = story.events.length;
    expect(surrender(story)).toBe(true);
    call.end('api', story.clock.nowMs());
    call.emit('mark_reached', { name: 'late' }, story.clock.nowMs());
    caller.silent(2_000);
    story.passes(60_000);
    expect(story.events).toHaveLength(told);
    expect(story.failures).toEqual([]);
  });

  it('sends everybody away with the code of a call that moved, and without a farewell', () => {
    const story = new Story();
    const caller = story.arrives(NATIVE);
    const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    const supervisor = story.arrives({ ...NATIVE, role: 'supervisor', callId: story.call.id });
    const saidBefore = [caller, agent, supervisor].map(typesSaid);
    surrender(story);
    for (const { socket } of [caller, agent, supervisor]) expect(socket.closed).toEqual(MOVED);
    expect([caller, agent, supervisor].map(typesSaid)).toEqual(saidBefore);
  });

  it('leaves no leg, no party and no call behind', () => {
    const story = new Story();
    story.arrives({ ...NATIVE, agentId: 'echo' });
    const { call } = story;
    expect(story.arrivals.legs).toBe(1);
    surrender(story);
    expect(story.arrivals.legs).toBe(0);
    expect(call.roster.present).toEqual([]);
    expect(story.calls.size).toBe(0);
    expect(story.calls.stats).toMatchObject({ startedCalls: 1, endedCalls: 0, surrenderedCalls: 1 });
    expect(story.calls.surrender(call.id, story.clock.nowMs())).toBe(false);
  });

  it('gives its handover up without a verdict, and its time does not run out here', async () => {
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    const story = new Story({ ports: { invitations: INVITATIONS, parts } });
    story.arrives(NATIVE);
    story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    await story.asksLater('hand_over', { target: { type: 'queue', to: 'sales' }, timeout_s: 5 });
    expect(story.types).toContain('handover_started');
    const told = story.events.length;
    surrender(story);
    story.passes(60_000);
    expect(story.events).toHaveLength(told);
    expect(story.failures).toEqual([]);
  });

  it('does not begin a handover whose invitation was still being written', async () => {
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    const story = new Story({ ports: { invitations: INVITATIONS, parts } });
    story.arrives(NATIVE);
    story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    const outcome = story.asksLater('hand_over', { target: { type: 'queue', to: 'sales' } });
    const told = story.events.length;
    surrender(story);
    expect((await outcome).ok).toBe(false);
    story.passes(60_000);
    expect(story.events).toHaveLength(told);
  });

  it('is surrendered while a leg of it is lost', () => {
    const story = new Story({ limits: { resumeWindowMs: 30_000 } });
    const caller = story.arrives({ ...NATIVE, agentId: 'echo' });
    caller.closesItsSocket(1006);
    const told = story.events.length;
    surrender(story);
    story.passes(60_000);
    expect(story.arrivals.legs).toBe(0);
    expect(story.events).toHaveLength(told);
  });
});
