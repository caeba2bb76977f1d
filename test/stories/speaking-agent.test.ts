import { describe, expect, it } from 'vitest';
import { Story, type StoryParty } from './story.ts';

/** A caller by Twilio, and an agent by `native` that joined its call. */
function openScene(): { story: Story; caller: StoryParty; agent: StoryParty } {
  const story = new Story();
  const caller = story.arrives({ agentId: null });
  const callId = story.only('call_started').resource.id;
  const agent = story.arrives({ dialect: 'native', role: 'agent', callId, agentId: null });
  return { story, caller, agent };
}

const word = (type: string, more: object = {}): object => ({ type, ...more });

describe('an agent that speaks faster than real time', () => {
  it('is heard a frame every 20 ms, in order and whole', () => {
    const { story, caller, agent } = openScene();
    for (let i = 1; i <= 10; i++) agent.sendsFrame(1000 * i);
    expect(caller.heard).toHaveLength(0);
    story.passes(210);
    expect(caller.heard).toHaveLength(10);
    const levels = caller.heard.map((frame) => Math.round(frame[0]! / 1000));
    expect(levels).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const gapsMs = caller.heardAtMs.slice(1).map((atMs, i) => atMs - caller.heardAtMs[i]!);
    expect(new Set(gapsMs)).toEqual(new Set([20]));
  });

  it('is told of a mark when its audio has been played, not when it was sent', () => {
    const { story, caller, agent } = openScene();
    agent.bursts(5);
    agent.says(word('mark', { name: 'utt-7' }));
    story.passes(60);
    expect(caller.marks).toEqual([]);
    story.passes(60);
    // Twilio plays from a buffer of its own: our mark goes to it, and counts when it comes back.
    expect(caller.marks).toEqual(['utt-7']);
    expect(story.types).not.toContain('mark_reached');
    caller.sends(caller.caller.markPlayed('utt-7')!);
    expect(story.only('mark_reached').data['name']).toBe('utt-7');
    story.passes(60);
    expect(story.only('playback_finished').data['played_ms']).toBe(100);
  });

  it('is told once that it was played when it speaks just in time, after a pause', () => {
    const { story, agent } = openScene();
    for (let i = 0; i < 50; i++) {
      agent.sendsFrame(1000);
      story.passes(20);
    }
    expect(story.types).not.toContain('playback_finished');
    story.passes(80);
    expect(story.only('playback_finished').data['played_ms']).toBe(1000);
  });

  it('is a voice of its own that nobody is told of, where its terms do not ask for that', () => {
    const { story, caller, agent } = openScene();
    agent.speaks(500);
    agent.silent(1_000);
    caller.speaks(500);
    caller.silent(1_000);
    const told = story.events.filter(({ type }) => type.startsWith('voice_'));
    expect(told.map(({ type, data }) => [type, data['role']])).toEqual([
      ['voice_detected', 'caller'],
      ['voice_ended', 'caller'],
    ]);
    expect(story.call.roster.talkMs()['agent']).toBeGreaterThan(400);
  });

  it('has its mark back at once while nobody listens', () => {
    const story = new Story();
    const alone = story.arrives({ dialect: 'native', agentId: 'echo' });
    alone.says(word('mark', { name: 'utt-1' }));
    const said = alone.socket.sent.map(({ bytes }) => new TextDecoder().decode(bytes));
    expect(said.at(-1)).toBe('{"type":"mark_played","name":"utt-1","played_ms":null}');
  });

  it('can take back what has not been played, here and at the provider', () => {
    const { story, caller, agent } = openScene();
    agent.bursts(50);
    story.passes(200);
    const heardBefore = caller.heard.length;
    agent.says(word('clear'));
    story.passes(500);
    expect(caller.heard).toHaveLength(heardBefore);
    expect(caller.clears).toBe(1);
  });

  it('queues a minute and no more; the rest is refused and counted', () => {
    const { story, agent } = openScene();
    agent.bursts(3100);
    const leg = story.calls.get(story.only('call_started').resource.id)!.legs[0]!;
    expect(leg.playout.waitingFrames).toBeLessThanOrEqual(3000);
    expect(leg.playout.stats.refusedFrames).toBeGreaterThanOrEqual(100);
  });

  it('hears the caller in the turn the caller spoke', () => {
    const { caller, agent } = openScene();
    caller.speaks(100);
    expect(agent.heard).toHaveLength(5);
  });

  it('leaves, and the call goes on without it', () => {
    const { story, caller, agent } = openScene();
    agent.hangsUp();
    expect(story.types).not.toContain('call_ended');
    caller.hangsUp();
    expect(story.types.filter((type) => type === 'call_ended')).toHaveLength(1);
  });
});

describe('a party that takes speech only', () => {
  it('hears nothing of the silence, and the word from before its onset', () => {
    const story = new Story();
    const caller = story.arrives({ agentId: null });
    const callId = story.only('call_started').resource.id;
    const agent = story.arrives({
      dialect: 'native',
      role: 'human',
      callId,
      agentId: null,
      speechOnly: true,
    });
    caller.silent(600);
    expect(agent.heard).toHaveLength(0);
    caller.speaks(200);
    caller.silent(1000);
    const loudFrames = agent.heard.filter((frame) => frame[0]! > 1000).length;
    expect(loudFrames).toBe(10);
    // Before the word 300 ms of pre-roll and what an onset may be traced back by, after it 300 ms of hangover,
    // and not the rest of the second.
    expect(agent.heard.length).toBeGreaterThanOrEqual(10 + 15);
    expect(agent.heard.length).toBeLessThanOrEqual(10 + 18 + 16);
  });
});
