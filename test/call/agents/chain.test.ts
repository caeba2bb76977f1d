import { describe, expect, it } from 'vitest';
import { backend, openAgentStory } from './scripted-backends.ts';

const CHAIN = { backends: [backend('first'), backend('second'), backend('third')] };

describe('the chain of an agent', () => {
  it('goes on from one that refuses and one that stalls to one that answers', () => {
    const { story, backends } = openAgentStory(CHAIN);
    const caller = story.arrives({ agentId: 'front-desk' });
    expect(backends.map(({ url }) => url)).toEqual(['wss://first.example/agent']);
    backends[0]!.refuses();
    backends[1]!.answers();
    story.passes(1_980);
    expect(backends).toHaveLength(2);
    story.passes(40);
    expect(backends).toHaveLength(3);
    backends[2]!.answers();
    backends[2]!.speaks(10);
    story.passes(300);
    expect(caller.heard.length).toBe(10);
    const failures = story.events.filter(({ type }) => type === 'agent_failed').map(({ data }) => data);
    expect(failures).toMatchObject([
      { provider: 'first', error: 'refused', fallback: 'second' },
      { provider: 'second', error: 'first_audio_timeout', fallback: 'third' },
    ]);
    expect(backends[1]!.socket.closed).toBeDefined();
    expect(story.types).not.toContain('call_ended');
    expect(story.failures).toEqual([]);
  });

  it('tells each that nobody was heard before to greet, and nobody after', () => {
    const { story, backends } = openAgentStory(CHAIN);
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.refuses();
    expect(backends[1]!.hello['greeting']).toBe('Hello.');
    backends[1]!.answers();
    backends[1]!.speaks(5);
    backends[1]!.closes();
    expect(backends[2]!.url).toBe('wss://second.example/agent');
    expect(backends[2]!.hello['greeting']).toBeUndefined();
  });

  it('ends the call where nobody answers, and once', () => {
    const { story, backends } = openAgentStory({ backends: [backend('first')] });
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.refuses();
    expect(story.only('agent_failed').data['fallback']).toBeNull();
    expect(story.only('call_ended').data['reason']).toBe('no_agent');
    expect(story.types.filter((type) => type === 'call_completed')).toHaveLength(1);
  });

  it('lets the call go on without an agent where that is wished', () => {
    const { story, backends } = openAgentStory({ when_unavailable: 'go_on' });
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.refuses();
    story.passes(60_000);
    expect(story.types).not.toContain('call_ended');
  });

  it('ends a call whose agent was never published', () => {
    const { story } = openAgentStory({});
    story.arrives({ agentId: 'nobody' });
    expect(story.only('agent_failed').data['error']).toBe('not_published');
    expect(story.only('call_ended').data['reason']).toBe('no_agent');
  });

  it('gives up its dial when the caller hangs up', () => {
    const { story, backends } = openAgentStory(CHAIN);
    story.arrives({ agentId: 'front-desk' }).hangsUp();
    expect(backends[0]!.isCancelled).toBe(true);
    backends[0]!.answers();
    expect(backends[0]!.socket.closed).toBeDefined();
    story.passes(60_000);
    expect(backends).toHaveLength(1);
    expect(story.only('call_ended').data['reason']).toBe('provider_stop');
  });

  it('ends the call with its agent that hangs up', () => {
    const { story, backends } = openAgentStory({});
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    backends[0]!.closes(1000);
    expect(story.only('call_ended').data['reason']).toBe('agent_hangup');
    expect(story.types).not.toContain('agent_failed');
  });

  it('does not come back to an agent that was taken out of the call', () => {
    const { story, backends } = openAgentStory(CHAIN);
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    const [, agentLeg] = story.call.legs;
    story.asks('remove_leg', { leg_id: agentLeg!.id });
    story.passes(60_000);
    expect(backends).toHaveLength(1);
    expect(story.types).not.toContain('agent_failed');
  });
});

describe('an agent that was lost', () => {
  it('is dialled again with what was said, and hears what the caller said meanwhile', () => {
    const { story, backends } = openAgentStory(CHAIN);
    const caller = story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    backends[0]!.speaks(5);
    backends[0]!.says({ type: 'transcript', speaker: 'agent', text: 'Hello.' });
    backends[0]!.says({ type: 'transcript', speaker: 'caller', text: 'My name is Ada.' });
    story.passes(200);
    backends[0]!.closes();
    expect(story.only('agent_failed').data).toMatchObject({ provider: 'first', fallback: 'first' });
    caller.speaks(1_000);
    expect(backends[1]!.audioFramesHeard).toBe(0);
    backends[1]!.answers();
    expect(backends[1]!.audioFramesHeard).toBe(50);
    expect(backends[1]!.hello['history']).toEqual([
      { speaker: 'agent', text: 'Hello.' },
      { speaker: 'caller', text: 'My name is Ada.' },
    ]);
    caller.speaks(100);
    expect(backends[1]!.audioFramesHeard).toBe(55);
  });

  it('hears the last three seconds of a longer gap', () => {
    const { story, backends } = openAgentStory({ ...CHAIN, first_audio_timeout_ms: 30_000 });
    const caller = story.arrives({ agentId: 'front-desk' });
    caller.speaks(10_000);
    backends[0]!.answers();
    expect(backends[0]!.audioFramesHeard).toBe(150);
  });

  it('gives way to the next once it was lost too often', () => {
    const { story, backends } = openAgentStory(CHAIN);
    story.arrives({ agentId: 'front-desk' });
    for (const index of [0, 1]) {
      backends[index]!.answers();
      backends[index]!.speaks(5);
      story.passes(200);
      backends[index]!.closes();
    }
    expect(backends.map(({ url }) => url.slice(6, 11))).toEqual(['first', 'first', 'secon']);
  });

  it('is given up on a fatal error as on a lost line', () => {
    const { story, backends } = openAgentStory(CHAIN);
    story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    backends[0]!.says({ type: 'agent_error', code: 'quota', detail: 'spent', fatal: true });
    expect(story.only('agent_failed').data).toMatchObject({ error: 'quota', fallback: 'second' });
  });
});

describe('an agent that waits for the caller', () => {
  it('has its time from the end of the first words, not from the dial; a cough is no word', () => {
    const { story, backends } = openAgentStory({ ...CHAIN, greeting: null });
    const caller = story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    caller.silent(10_000);
    caller.speaks(200);
    caller.silent(10_000);
    expect(backends).toHaveLength(1);
    caller.speaks(1_000);
    caller.silent(2_500);
    expect(backends).toHaveLength(2);
    expect(story.only('agent_failed').data['error']).toBe('first_audio_timeout');
  });

  it('keeps a call it has settled into, however long it thinks', () => {
    const { story, backends } = openAgentStory({ ...CHAIN, greeting: null });
    const caller = story.arrives({ agentId: 'front-desk' });
    backends[0]!.answers();
    for (let turn = 0; turn < 3; turn++) {
      caller.speaks(1_000);
      caller.silent(1_000);
      backends[0]!.speaks(5);
    }
    caller.speaks(1_000);
    caller.silent(20_000);
    expect(backends).toHaveLength(1);
    expect(story.types).not.toContain('agent_failed');
  });
});

describe('what an agent says', () => {
  it('leaves what nobody heard of its words to nobody', () => {
    const { story, backends } = openAgentStory({});
    story.arrives({ agentId: 'front-desk' });
    const [only] = backends;
    only!.answers();
    only!.says({ type: 'agent_speaking', item_id: 'item-1' });
    only!.speaks(100);
    only!.says({ type: 'transcript', speaker: 'agent', text: 'one two three four five six seven eight' });
    const [, leg] = story.call.legs;
    story.call.roster.get(leg!.id)!.agent!.interrupt('item-1', 1_000);
    expect(only!.told('interrupted')).toEqual([{ type: 'interrupted', item_id: 'item-1', played_ms: 1_000 }]);
    only!.closes();
    expect(backends[1]!.hello['history']).toEqual([{ speaker: 'agent', text: 'one two three four' }]);
  });

  it('is heard of by its voice only where that is wished', () => {
    for (const voice_events of [false, true]) {
      const { story, backends } = openAgentStory({ voice_events });
      story.arrives({ agentId: 'front-desk' });
      backends[0]!.answers();
      backends[0]!.speaks(100);
      expect(story.types.includes('voice_detected')).toBe(voice_events);
    }
  });
});
