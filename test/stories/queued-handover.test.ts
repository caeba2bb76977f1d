import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { Handovers } from '../../src/call/handover/handovers.ts';
import type { Invitations } from '../../src/call/parties/invitation.ts';
import type { QueueAsk } from '../../src/events/asks.ts';
import { l16 } from '../../src/media/format.ts';
import { Story } from './story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const INVITATIONS: Invitations = {
  mint: async ({ handoverId }) => ({
    ws_url: 'ws://127.0.0.1/media/native',
    token: String(handoverId),
    expires_at: '2026-11-20T12:05:00.000Z',
  }),
};

/** A call that waits for a member of a queue, and all that control is told of it. */
async function openScene(args: JsonObject = {}) {
  const told: QueueAsk[] = [];
  const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
  const queues = { tell: (ask: QueueAsk) => void told.push(ask) };
  const story = new Story({ ports: { invitations: INVITATIONS, queues, parts } });
  const caller = story.arrives(NATIVE);
  const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  const target = { type: 'queue', to: 'sales' };
  const result = await story.asksLater('hand_over', { target, hold: 'silence', ...args });
  if (!result.ok) throw new Error(result.detail);
  const { handover_id: id } = result.value as { handover_id: string };
  const claims = () => story.asksLater('claim_handover', { handover_id: id });
  const joins = () => story.arrives({ ...NATIVE, role: 'human', callId: story.call.id, handoverId: id });
  const standings = () => told.map(({ standing }) => standing);
  return { story, caller, agent, id, told, claims, joins, standings };
}

describe('a handover to a queue', () => {
  it('is told at once, every two seconds, and when it is over', async () => {
    const { story, id, told, standings } = await openScene({ reason: 'angry', timeout_ms: 5_000 });
    expect(told).toMatchObject([
      {
        queue: 'sales',
        call_id: story.call.id,
        handover_id: id,
        standing: 'waiting',
        remaining_ms: 5_000,
        offer: { mode: 'cold', reason: 'angry' },
      },
    ]);
    story.passes(4_000);
    expect(standings()).toEqual(['waiting', 'waiting', 'waiting']);
    story.passes(2_000);
    expect(standings().slice(3)).toEqual(['over']);
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'timeout' });
  });

  it('is claimed by one of two, who has fifteen seconds to come', async () => {
    const { story, id, claims, standings } = await openScene({ timeout_ms: 60_000 });
    expect(await claims()).toMatchObject({ ok: true, value: { handover_id: id, join: { token: id } } });
    expect(await claims()).toMatchObject({ ok: false, fault: 'conflict' });
    story.passes(14_000);
    expect(standings().at(-1)).toBe('claimed');
    story.passes(2_000);
    expect(standings().at(-1)).toBe('waiting');
    expect(await claims()).toMatchObject({ ok: true });
  });

  it('asks nobody any more once somebody has joined, and is theirs with their first word', async () => {
    const { story, claims, joins, standings } = await openScene();
    await claims();
    const human = joins();
    expect(standings().at(-1)).toBe('over');
    expect(await claims()).toMatchObject({ ok: false, fault: 'conflict' });
    human.speaks(200);
    expect(story.only('transfer_success').data).toMatchObject({ to_leg: human.legId });
    story.passes(10_000);
    expect(standings().filter((standing) => standing === 'over')).toHaveLength(1);
  });

  it('fails by its deadline when who has joined never says a word, and the agent has the call again', async () => {
    const { story, caller, agent, claims, joins } = await openScene();
    await claims();
    const human = joins();
    story.passes(31_000);
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'timeout' });
    expect(human.socket.closed).toMatchObject({ closeCode: 4411 });
    caller.forgets();
    agent.speaks(100);
    expect(caller.heard.length).toBeGreaterThan(3);
  });

  it.each(['cancel', 'decline'])('that is over by %s can no longer be claimed', async (verdict) => {
    const { story, id, claims, standings } = await openScene();
    const late = claims();
    story.asks('answer_handover', { handover_id: id, verdict });
    expect(await late).toMatchObject({ ok: false, fault: 'conflict' });
    expect(standings().at(-1)).toBe('over');
    expect(await claims()).toMatchObject({ ok: false, fault: 'conflict' });
  });

  it('is over when the caller hangs up', async () => {
    const { story, caller, claims, standings } = await openScene();
    await claims();
    caller.hangsUp();
    expect(standings().at(-1)).toBe('over');
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'caller_hangup' });
    expect(story.clock.pendingTasks).toBe(0);
  });

  it('cannot be claimed by a leg', async () => {
    const { id, agent } = await openScene();
    agent.says({ type: 'command', id: 'a', name: 'claim_handover', args: { handover_id: id } });
    expect(agent.told('result')).toMatchObject([{ ok: false }]);
  });

  it('shows members no more of a long context than fits, and all of it to who accepts', async () => {
    const context = { summary: 'wants to buy', transcript: 'x'.repeat(5_000) };
    const { told, claims } = await openScene({ context });
    expect(told[0]!.offer['context']).toMatchObject({ summary: 'wants to buy' });
    expect(told[0]!.offer['context']).not.toHaveProperty('transcript');
    expect(await claims()).toMatchObject({ value: { context } });
  });
});
