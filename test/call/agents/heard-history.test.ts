import { describe, expect, it } from 'vitest';
import { bargeInFor } from '../../../src/call/barge-in/barge-in.ts';
import { History } from '../../../src/call/agents/history.ts';
import { VOICE_DEFAULTS } from '../../../src/media/voice-detector.ts';
import { openAgentStory } from './scripted-backends.ts';

const EIGHT = 'one two three four five six seven eight';

function openScene() {
  const part = bargeInFor({ policy: 'clear', hangoverMs: VOICE_DEFAULTS.stopMs });
  const { story, backends } = openAgentStory({}, { ports: { parts: [part] } });
  const caller = story.arrives({ agentId: 'front-desk' });
  const agent = backends[0]!;
  agent.answers();
  const writes = (text: string): void => agent.says({ type: 'transcript', speaker: 'agent', text });
  /** What whoever is dialled next is told of the agent. */
  const remembered = (): readonly string[] => {
    agent.closes();
    const said = backends[1]!.hello['history'] as { readonly speaker: string; readonly text: string }[];
    return said.filter(({ speaker }) => speaker === 'agent').map(({ text }) => text);
  };
  return { story, caller, agent, writes, remembered };
}

describe('what is remembered of an agent that a caller spoke over', () => {
  it('is what was heard of its last words, however much it said before', () => {
    const { story, caller, agent, writes, remembered } = openScene();
    agent.speaks(150);
    writes('Hello, this is the front desk.');
    story.passes(5_000);
    agent.speaks(200);
    writes(EIGHT);
    caller.silent(1_000);
    caller.speaks(600);
    const { played_ms } = story.only('barge_in').data as { played_ms: number };
    const kept = EIGHT.slice(0, (EIGHT.length * played_ms) / 4_000).replace(/\s*\S*$/, '');
    expect(kept).not.toBe('');
    expect(remembered()).toEqual(['Hello, this is the front desk.', kept]);
  });

  it('is no more where it writes its words down only afterwards', () => {
    const { story, caller, agent, writes, remembered } = openScene();
    agent.speaks(200);
    caller.silent(1_000);
    caller.speaks(600);
    writes(EIGHT);
    const { played_ms } = story.only('barge_in').data as { played_ms: number };
    const kept = EIGHT.slice(0, (EIGHT.length * played_ms) / 4_000).replace(/\s*\S*$/, '');
    expect(kept).not.toBe('');
    expect(remembered()).toEqual([kept]);
  });

  it('ends where its line was lost, with what waited to be heard', () => {
    const { story, caller, agent, writes, remembered } = openScene();
    agent.speaks(100);
    writes(EIGHT);
    agent.speaks(100);
    story.passes(1_000);
    expect(remembered()).toEqual(['one two']);
    const heardFrames = caller.heard.length;
    story.passes(2_000);
    expect([heardFrames < 55, caller.heard.length]).toEqual([true, heardFrames]);
  });

  it('has nothing of an item that was still to come', () => {
    const { caller, agent, writes, remembered } = openScene();
    for (const [item_id, text] of [
      ['item-1', EIGHT],
      ['item-2', 'and then this'],
    ] as const) {
      agent.says({ type: 'agent_speaking', item_id });
      agent.speaks(100);
      agent.says({ type: 'agent_spoke', item_id });
      writes(text);
    }
    caller.silent(1_000);
    caller.speaks(400);
    const [only, ...others] = remembered();
    expect(others).toEqual([]);
    expect(EIGHT.startsWith(only!)).toBe(true);
    expect(only!.length).toBeLessThan(EIGHT.length);
  });
});

describe('a history', () => {
  it('cuts words that were written down before they were said', () => {
    const history = new History();
    history.add('agent', 'one two');
    history.add('agent', 'three four');
    for (let i = 0; i < 100; i++) history.spoke(i + 1, 0);
    history.cut(null, 1_700);
    expect(history.turns.map(({ text }) => text)).toEqual(['one two', 'three']);
  });

  it('is kept as it was heard, and stays as it was said', () => {
    const history = new History();
    for (const [itemId, text] of [
      ['item-1', 'one two'],
      ['item-2', 'three four'],
    ] as const) {
      history.began(itemId, itemId === 'item-1' ? 0 : 100);
      for (let i = 0; i < 100; i++) history.spoke(i + 2, 0);
      history.ended();
      history.add('agent', text);
    }
    const kept = (waitingFrames: number) => history.save(waitingFrames).map(({ text }) => text);
    expect([kept(0), kept(35), kept(100), kept(140), kept(200)]).toEqual([
      ['one two', 'three four'],
      ['one two', 'three'],
      ['one two'],
      ['one'],
      [],
    ]);
    expect(history.turns.map(({ text }) => text)).toEqual(['one two', 'three four']);
    expect(history.stats.unkeptTurns).toBe(0);
  });

  it('counts the turns that its next owner is not told', () => {
    const history = new History();
    for (let i = 0; i < 20; i++) history.add('caller', '€'.repeat(800));
    const kept = history.save(0).length;
    history.save(0);
    expect([kept < 20, history.stats.unkeptTurns]).toEqual([true, 20 - kept]);
  });

  it('cuts only the end of what was said just in time', () => {
    const history = new History();
    for (let i = 0; i < 97; i++) history.spoke(1, i * 20);
    for (let i = 0; i < 3; i++) history.spoke(i + 1, 97 * 20);
    history.add('agent', 'one two three four five six seven eight nine ten');
    history.cut(null, 20);
    expect(history.turns[0]!.text).toBe('one two three four five six seven eight nine');
  });
});
