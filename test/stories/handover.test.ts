import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { Handovers } from '../../src/call/handover/handovers.ts';
import type { Invitations } from '../../src/call/parties/invitation.ts';
import type { CommandResult } from '../../src/events/commands.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type PartyOptions, type StoryParty } from './story.ts';
import { amplitudeOf, tonesIn } from './tones.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const SALES = { type: 'queue', to: 'sales' };

/** The wish that travels in a token, without the token. */
const INVITATIONS: Invitations = {
  mint: async ({ handoverId }) => ({
    ws_url: 'ws://127.0.0.1/media/native',
    token: String(handoverId),
    expires_at: '2026-11-20T12:05:00.000Z',
  }),
};

function openStory(options: ConstructorParameters<typeof Story>[0] = {}): Story {
  const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
  return new Story({ ...options, ports: { invitations: INVITATIONS, parts } });
}

/** A caller and its agent, both without a word so far. */
function openScene(callerOptions: PartyOptions = NATIVE, agentRole: 'agent' | 'human' = 'agent') {
  const story = openStory();
  const caller = story.arrives(callerOptions);
  const agent = story.arrives({ ...NATIVE, role: agentRole, callId: story.call.id });
  return { story, caller, agent };
}

/** Hands over, and answers the handover's id. */
async function handOver(story: Story, args: JsonObject = {}): Promise<string> {
  const result = await story.asksLater('hand_over', { target: SALES, hold: 'silence', ...args });
  if (!result.ok) throw new Error(`${result.fault}: ${result.detail}`);
  return (result.value as { handover_id: string }).handover_id;
}

function joins(story: Story, handoverId: string): StoryParty {
  return story.arrives({ ...NATIVE, role: 'human', callId: story.call.id, handoverId });
}

function answers(story: Story, handover_id: string, verdict: string): CommandResult {
  return story.asks('answer_handover', { handover_id, verdict });
}

const levels = ({ heard }: StoryParty): number[] => heard.map((frame) => frame[80]!);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const handoverTypes = ({ types }: Story): readonly string[] =>
  types.filter((type) => type.startsWith('handover_') || type.startsWith('transfer_'));

describe('a cold handover', () => {
  it('joins the caller with the first frame of the target, none lost and none twice', async () => {
    const { story, caller, agent } = openScene({ agentId: null });
    const id = await handOver(story);
    const human = joins(story, id);
    caller.speaks(100);
    expect([agent.heard, human.heard]).toEqual([[], []]);
    for (let level = 1000; level <= 50_000 / 2; level += 1000) {
      story.clock.advance(20);
      caller.sendsFrame(level / 10);
      human.sendsFrame(level);
    }
    expect(caller.heard).toHaveLength(25);
    expect(human.heard).toHaveLength(24);
    expect(levels(caller).every((level, i) => Math.abs(level - (i + 1) * 1000) < 600)).toBe(true);
    expect(handoverTypes(story)).toEqual([
      'handover_started',
      'handover_offered',
      'handover_accepted',
      'transfer_success',
    ]);
    expect(story.only('transfer_success').data).toMatchObject({
      handover_id: id,
      to_leg: human.legId,
      elapsed_ms: 120,
    });
    const gone = story.only('leg_disconnected').data;
    expect(gone).toMatchObject({ leg_id: agent.legId, reason: 'replaced' });
    caller.hangsUp();
    expect(story.clock.pendingTasks).toBe(0);
  });

  it('tells where to join, why, and what was said so far', async () => {
    const { story, caller, agent } = openScene();
    story.asks('add_transcript', { segments: [{ speaker: 'caller', text: 'I want to buy' }] });
    story.asks('set_disposition', { disposition: 'hot' });
    const args = { target: SALES, mode: 'warm', reason: 'asked for it', context: { summary: 'buys' } };
    const result = await story.asksLater('hand_over', args);
    const context = {
      summary: 'buys',
      disposition: 'hot',
      transcript: [{ speaker: 'caller', text: 'I want to buy' }],
    };
    expect(result).toMatchObject({ ok: true, value: { state: 'offered', mode: 'warm', context } });
    expect(story.only('handover_started').data).toMatchObject({
      mode: 'warm',
      from_leg: agent.legId,
      target: SALES,
      reason: 'asked for it',
      context,
      join: { ws_url: 'ws://127.0.0.1/media/native' },
    });
    expect(story.only('hold_started').data).toMatchObject({ leg_id: caller.legId, mode: 'music' });
  });

  it('gives music until the target is heard, and tells of that when it really was', async () => {
    const { story, caller } = openScene({ agentId: null });
    const human = joins(story, await handOver(story, { hold: 'music' }));
    story.passes(1_000);
    expect(amplitudeOf(caller.heard.slice(2, 20), 261.63)).toBeGreaterThan(300);
    human.sendsTone(1100);
    expect(handoverTypes(story)).not.toContain('transfer_success');
    story.sing(20, [[human, 1100]]);
    expect(handoverTypes(story)).toContain('transfer_success');
    story.sing(100, [[human, 1100]]);
    caller.forgets();
    story.sing(400, [[human, 1100]]);
    expect(caller.heard).toHaveLength(20);
    expect(tonesIn(caller.heard, [400, 1100])).toEqual([1100]);
  });

  it('is accepted before a word was said, and a success only with the first', async () => {
    const { story, caller } = openScene();
    const id = await handOver(story);
    expect(answers(story, id, 'accept')).toMatchObject({ ok: false, fault: 'failed_precondition' });
    const human = joins(story, id);
    human.says({
      type: 'command',
      id: 'a',
      name: 'answer_handover',
      args: { handover_id: id, verdict: 'accept' },
    });
    expect(human.told('result')).toMatchObject([{ ok: true, value: { state: 'bridged' } }]);
    caller.speaks(100);
    expect(human.heard).toHaveLength(5);
    expect(handoverTypes(story)).not.toContain('transfer_success');
    human.sendsFrame(7);
    expect(handoverTypes(story).at(-1)).toBe('transfer_success');
    expect(levels(caller)).toEqual([7]);
  });

  it('with a guest in the conversation is a success once the mix with the first frame has left', async () => {
    const { story, caller } = openScene();
    story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    const human = joins(story, await handOver(story));
    human.sendsFrame(900);
    expect(caller.heard).toEqual([]);
    expect(handoverTypes(story).at(-1)).toBe('handover_accepted');
    story.passes(200);
    expect(handoverTypes(story).at(-1)).toBe('transfer_success');
    expect(levels(caller).some((level) => level > 0)).toBe(true);
  });

  it('to a leg that is here joins it at once', async () => {
    const { story, caller, agent } = openScene();
    const guest = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    await handOver(story, { target: { type: 'leg', to: guest.legId } });
    // Two voices were mixed until now: the mix is left with the next tick.
    guest.speaks(400, 900);
    expect(levels(caller).filter((level) => level !== 0)).toHaveLength(20);
    expect(levels(caller).at(-1)).toBeCloseTo(900, -1);
    expect(story.only('transfer_success').data['to_leg']).toBe(guest.legId);
    expect(story.only('leg_disconnected').data['leg_id']).toBe(agent.legId);
    expect(story.types).not.toContain('hold_started');
  });
});

describe('a warm handover', () => {
  it('lets agent and target talk while the caller waits, until it is completed', async () => {
    const { story, caller, agent } = openScene(NATIVE, 'human');
    const id = await handOver(story, { mode: 'warm' });
    const human = joins(story, id);
    const tones = [
      [caller, 400],
      [agent, 700],
      [human, 1100],
    ] as const;
    story.sing(400, tones);
    const whoHears = () => [caller, agent, human].map(({ heard }) => tonesIn(heard, [400, 700, 1100]));
    expect(whoHears()).toEqual([[], [1100], [700]]);
    expect(agent.heard).toHaveLength(20);
    expect(answers(story, id, 'complete')).toMatchObject({ ok: true, value: { state: 'bridged' } });
    for (const [party] of tones) party.forgets();
    story.sing(400, tones);
    expect(whoHears()).toEqual([[1100], [], [400]]);
    expect(caller.heard).toHaveLength(20);
    expect(handoverTypes(story).at(-1)).toBe('transfer_success');
  });

  it('whose agent dies joins caller and target at once', async () => {
    const { story, caller, agent } = openScene();
    const human = joins(story, await handOver(story, { mode: 'warm' }));
    human.sendsFrame(1);
    expect(levels(agent)).toEqual([1]);
    agent.losesItsSocket();
    human.sendsFrame(2);
    expect(levels(caller)).toEqual([2]);
    expect(handoverTypes(story).at(-1)).toBe('transfer_success');
  });

  it('that keeps its agent talking hides the consultation all the same', async () => {
    const { story, caller, agent } = openScene(NATIVE, 'human');
    const id = await handOver(story, { mode: 'warm', hold: 'agent_keeps_talking' });
    agent.sendsFrame(3);
    expect(levels(caller)).toEqual([3]);
    const human = joins(story, id);
    human.sendsFrame(1);
    caller.forgets();
    agent.bursts(5, 4);
    expect(caller.heard).toEqual([]);
    expect(levels(human)).toEqual([4, 4, 4, 4, 4]);
  });
});

describe('a whispered handover', () => {
  it('briefs the target out of the caller’s hearing, and bridges when the briefing was played', async () => {
    const { story, caller, agent } = openScene();
    const id = await handOver(story, { mode: 'whisper' });
    const human = joins(story, id);
    human.sendsFrame(1);
    for (let level = 1; level <= 100; level++) agent.sendsFrame(level);
    for (let i = 0; i < 40; i++) story.passes(100);
    expect(levels(human)).toEqual(upTo(100));
    expect(caller.heard).toEqual([]);
    expect(story.call.conversation.partner?.party.id).toBe(human.legId);
    human.sendsFrame(5);
    expect(levels(caller)).toEqual([5]);
    expect(handoverTypes(story).at(-1)).toBe('transfer_success');
  });
});

describe('a handover that fails', () => {
  it.each([
    ['timeout', (story: Story): void => story.passes(30_000)],
    ['cancelled', (story: Story, id: string): void => void answers(story, id, 'cancel')],
    ['declined', (story: Story, id: string): void => void answers(story, id, 'decline')],
  ] as const)('by %s gives the call back as it was, with the words that waited', async (reason, fails) => {
    const { story, caller, agent } = openScene();
    for (let level = 1; level <= 50; level++) agent.sendsFrame(level);
    agent.says({ type: 'mark', name: 'end' });
    story.passes(205);
    const before = levels(caller);
    const id = await handOver(story);
    const human = joins(story, id);
    story.passes(1_000);
    fails(story, id);
    story.passes(1_000);
    expect(levels(caller)).toEqual([...before, ...upTo(50).slice(before.length)]);
    expect(story.only('transfer_failed').data).toMatchObject({ handover_id: id, reason });
    caller.sends(caller.caller.markPlayed('end')!);
    expect(agent.told('mark_played')).toHaveLength(1);
    expect(human.socket.closed?.closeCode).toBe(4411);
    caller.sendsFrame(77);
    expect(levels(agent)).toEqual([77]);
    expect(story.types.filter((type) => type.startsWith('hold_'))).toEqual(['hold_started', 'hold_ended']);
    agent.sendsFrame(51);
    story.passes(20);
    expect(levels(caller).at(-1)).toBe(51);
    caller.hangsUp();
    story.passes(20);
    expect(story.clock.pendingTasks).toBe(0);
  });

  it('because the target dies while it is asked, talks, or is bridged, gives the call back', async () => {
    for (const stage of ['offered', 'consulting', 'bridged']) {
      const { story, caller, agent } = openScene();
      const id = await handOver(story, { mode: 'warm' });
      const human = joins(story, id);
      if (stage !== 'offered') human.sendsFrame(1);
      if (stage === 'bridged') answers(story, id, 'complete');
      human.losesItsSocket();
      expect([stage, story.only('transfer_failed').data['reason']]).toEqual([stage, 'target_error']);
      agent.sendsFrame(8);
      story.passes(20);
      expect(levels(caller)).toEqual([8]);
      expect(story.types).not.toContain('transfer_success');
    }
  });

  it('keeps a hold that was there before', async () => {
    const { story, caller, agent } = openScene(NATIVE, 'human');
    story.asks('hold', { on: true, source: 'silence' });
    const id = await handOver(story, { hold: 'music' });
    answers(story, id, 'cancel');
    agent.speaks(100);
    expect(story.call.conversation.decisions.hold).toMatchObject({ name: 'on', source: 'silence' });
    expect(caller.heard.length).toBeLessThanOrEqual(1);
    expect(story.types.filter((type) => type.startsWith('hold_'))).toEqual(['hold_started']);
  });
});

describe('races', () => {
  it('the caller hangs up while the target answers: one failure, one end', async () => {
    for (const isThere of [false, true]) {
      const { story, caller } = openScene();
      const id: string = await handOver(story);
      if (isThere) joins(story, id);
      caller.hangsUp();
      expect(handoverTypes(story).at(-1)).toBe('transfer_failed');
      expect(story.only('transfer_failed').data['reason']).toBe('caller_hangup');
      expect(story.types.slice(-2)).toEqual(['call_ended', 'call_completed']);
      expect([story.calls.size, story.clock.pendingTasks]).toEqual([0, 0]);
    }
  });

  it('two handovers: the second is refused, even while the first is still being prepared', async () => {
    const { story } = openScene();
    const first = story.asksLater('hand_over', { target: SALES });
    expect(await story.asksLater('hand_over', { target: SALES })).toMatchObject({ fault: 'conflict' });
    expect(await first).toMatchObject({ ok: true });
    expect(await story.asksLater('hand_over', { target: SALES })).toMatchObject({ fault: 'conflict' });
    expect(story.asks('hold', { on: false })).toMatchObject({ fault: 'conflict' });
    story.passes(30_000);
    expect(await story.asksLater('hand_over', { target: SALES })).toMatchObject({ ok: true });
  });

  it('the call ends while the invitation is made', async () => {
    const { story, caller } = openScene();
    const asked = story.asksLater('hand_over', { target: SALES });
    caller.hangsUp();
    expect(await asked).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect(handoverTypes(story)).toEqual([]);
  });

  it('a target that comes late is told so, and the agent has its caller', async () => {
    const { story, caller, agent } = openScene();
    const id = await handOver(story);
    story.passes(30_000);
    const late = joins(story, id);
    expect(late.socket.closed).toMatchObject({ closeCode: 4411 });
    expect(late.told('ended')).toMatchObject([{ reason: 'offer_gone' }]);
    agent.sendsFrame(4);
    story.passes(20);
    expect(levels(caller)).toEqual([4]);
  });

  it('a second target for one offer finds it taken', async () => {
    const { story } = openScene();
    const id = await handOver(story);
    joins(story, id);
    expect(joins(story, id).socket.closed).toMatchObject({ closeCode: 4411 });
    expect(story.types).not.toContain('transfer_failed');
  });

  it('cancel against accept: whoever comes first has its way', async () => {
    const { story, caller } = openScene();
    const id = await handOver(story);
    const human = joins(story, id);
    expect(answers(story, id, 'accept')).toMatchObject({ ok: true });
    expect(answers(story, id, 'cancel')).toMatchObject({ ok: false, fault: 'conflict' });
    human.sendsFrame(1);
    expect(answers(story, id, 'cancel')).toMatchObject({ ok: false, fault: 'conflict' });
    expect(levels(caller)).toEqual([1]);
    const other = openScene();
    const second = await handOver(other.story);
    joins(other.story, second);
    expect(answers(other.story, second, 'cancel')).toMatchObject({ ok: true, value: { state: 'failed' } });
    expect(answers(other.story, second, 'accept')).toMatchObject({ ok: false, fault: 'conflict' });
    expect(answers(other.story, 'ho_none', 'accept')).toMatchObject({ ok: false, fault: 'not_found' });
  });

  it('a supervisor who comes to take over has the caller, and the handover is off', async () => {
    const { story, caller } = openScene();
    await handOver(story);
    const options = { ...NATIVE, role: 'supervisor', callId: story.call.id, mode: 'takeover' } as const;
    const boss = story.arrives(options);
    expect(story.only('transfer_failed').data['reason']).toBe('cancelled');
    boss.sendsFrame(6);
    expect(levels(caller)).toEqual([6]);
    expect(await story.asksLater('hand_over', { target: SALES })).toMatchObject({ fault: 'conflict' });
  });

  it('the agent may take the call back in its own socket, and a caller may do nothing', async () => {
    const { story, caller, agent } = openScene();
    const id = await handOver(story);
    const args = { handover_id: id, verdict: 'accept' };
    for (const party of [caller, agent])
      party.says({ type: 'command', id: 'c', name: 'answer_handover', args });
    agent.says({ type: 'command', id: 'd', name: 'answer_handover', args: { ...args, verdict: 'cancel' } });
    expect(caller.told('result')).toMatchObject([{ ok: false, fault: 'permission_denied' }]);
    expect(agent.told('result')).toMatchObject([{ fault: 'permission_denied' }, { ok: true }]);
  });
});

describe('a target by telephone', () => {
  it('is refused where the caller’s protocol has no word for it', async () => {
    const { story } = openScene({ agentId: null });
    const result = await story.asksLater('hand_over', { target: { type: 'phone', to: '+15550123' } });
    expect(result).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect(handoverTypes(story)).toEqual([]);
  });
});
