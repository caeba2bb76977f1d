import { describe, expect, it } from 'vitest';
import { l16 } from '../../src/media/format.ts';
import { openInterruptionScene } from './interruptions.ts';
import type { StoryParty } from './story.ts';

const ONSET_MS = 40;

/** Bit for bit both ways. */
const EXACT = { caller: { dialect: 'native', format: l16(8000) } } as const;

const levels = (party: StoryParty): number[] => party.heard.map((frame) => frame[80]!);

/** Says frames of rising levels, so that a hole or a doubled frame would be seen. */
function counts(agent: StoryParty, frames: number): void {
  for (let level = 1; level <= frames; level++) agent.sendsFrame(level);
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

describe('a caller who speaks over an agent', () => {
  it('is told to the provider as a clear in the turn in which the voice was sure', () => {
    const { story, caller, agent } = openInterruptionScene('clear');
    agent.bursts(100);
    caller.silent(400);
    caller.speaks(ONSET_MS - 20);
    expect(caller.clears).toBe(0);
    caller.speaks(20);
    expect(caller.clears).toBe(1);
    const heard = caller.heard.length;
    caller.speaks(600);
    expect(caller.heard).toHaveLength(heard);
    expect(story.types.indexOf('barge_in')).toBe(story.types.indexOf('voice_detected') + 1);
  });

  it('makes the agent forget what was not heard, exact to a frame', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('clear');
    agent.bursts(100);
    caller.silent(800);
    caller.speaks(ONSET_MS);
    const { data } = story.only('barge_in');
    expect(data['played_ms']).toBe(20 * caller.heard.length);
    expect(data).toMatchObject({ leg_id: caller.legId, interrupted_leg_id: agent.legId });
    expect(Number(data['played_ms']) + Number(data['unplayed_ms'])).toBe(2000);
    expect(interrupted).toEqual([{ itemId: null, playedMs: data['played_ms'] }]);
  });

  it('is nothing to tell while the agent says nothing', () => {
    const { story, caller, agent } = openInterruptionScene('clear');
    agent.bursts(5);
    caller.silent(200);
    caller.speaks(600);
    expect(story.types).not.toContain('barge_in');
    expect(caller.clears).toBe(0);
  });

  it('interrupts an agent that begins to speak while the caller still does', () => {
    const { story, caller, agent } = openInterruptionScene('clear');
    caller.speaks(400);
    agent.bursts(50);
    caller.speaks(100);
    expect(story.only('barge_in').data['interrupted_leg_id']).toBe(agent.legId);
    expect(caller.clears).toBe(1);
  });

  it('interrupts once, and again with the next voice', () => {
    const { story, caller, agent } = openInterruptionScene('clear');
    for (let turn = 1; turn <= 3; turn++) {
      agent.bursts(100);
      caller.silent(300);
      caller.speaks(700);
      caller.silent(500);
      expect(story.types.filter((type) => type === 'barge_in')).toHaveLength(turn);
    }
    caller.hangsUp();
    expect(story.only('call_completed').data['interruptions']).toEqual({ [caller.legId]: 3 });
  });

  it('is only told where the agent is not to be stopped', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('notify', EXACT);
    counts(agent, 50);
    caller.silent(200);
    caller.speaks(400);
    caller.silent(600);
    expect(levels(caller)).toEqual(upTo(50));
    expect(story.only('barge_in').data).toMatchObject({ leg_id: caller.legId });
    expect(caller.clears).toBe(0);
    expect(interrupted).toEqual([]);
  });

  it('is not even told where the agent does not care', () => {
    const { story, caller, agent } = openInterruptionScene('ignore');
    agent.bursts(50);
    caller.silent(200);
    caller.speaks(1000);
    expect(caller.heard).toHaveLength(50);
    expect(story.types).not.toContain('barge_in');
  });

  it('never interrupts the echo of the house', () => {
    const { story, caller } = openInterruptionScene('clear', { caller: { agentId: 'echo' } });
    caller.speaks(1000);
    expect(story.types).not.toContain('barge_in');
    expect(caller.clears).toBe(0);
  });
});

describe('an agent with ears of its own', () => {
  it.each(['clear', 'pause'] as const)(
    'drops what nobody heard as soon as it hears somebody: %s',
    (policy) => {
      const { story, caller, agent, interrupted } = openInterruptionScene(policy);
      const leg = story.call.legs.find(({ id }) => id === agent.legId)!;
      story.call.onInput(leg, { type: 'agent_speaking', itemId: 'item_1' }, story.clock.nowMs());
      agent.bursts(100);
      caller.silent(600);
      story.call.onInput(leg, { type: 'caller_speaking' }, story.clock.nowMs());
      expect(caller.clears).toBe(1);
      expect(interrupted).toEqual([{ itemId: 'item_1', playedMs: 20 * caller.heard.length }]);
      // Ours hear the same voice a little later: it was told already.
      caller.speaks(400);
      expect(story.types.filter((type) => type === 'barge_in')).toHaveLength(1);
    },
  );

  it('is not believed where callers may not interrupt it', () => {
    const { story, caller, agent } = openInterruptionScene('ignore');
    const leg = story.call.legs.find(({ id }) => id === agent.legId)!;
    agent.bursts(50);
    caller.silent(200);
    story.call.onInput(leg, { type: 'caller_speaking' }, story.clock.nowMs());
    caller.silent(1000);
    expect(caller.heard).toHaveLength(50);
  });
});

describe('an agent that is paused first', () => {
  it('goes on after a cough with the very frame it was about to say', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('pause', EXACT);
    counts(agent, 60);
    caller.silent(400);
    caller.speaks(200);
    const atCough = caller.heard.length;
    caller.silent(280);
    expect(caller.heard).toHaveLength(atCough);
    caller.silent(2000);
    expect(levels(caller)).toEqual(upTo(60));
    expect(story.types).not.toContain('barge_in');
    expect(interrupted).toEqual([]);
    expect(caller.clears).toBe(0);
  });

  it.each([480, 500])('decides by the length of the voice: %i ms', (voiceMs) => {
    const { story, caller, agent } = openInterruptionScene('pause');
    agent.bursts(100);
    caller.silent(400);
    caller.speaks(voiceMs);
    caller.silent(3000);
    expect(story.types.includes('barge_in')).toBe(voiceMs >= 500);
    expect(caller.heard.length === 100).toBe(voiceMs < 500);
  });

  it('is cut short by a voice that goes on, without a word of it in between', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('pause');
    agent.bursts(100);
    caller.silent(400);
    caller.speaks(ONSET_MS);
    const heard = caller.heard.length;
    caller.speaks(1500);
    expect(caller.heard).toHaveLength(heard);
    expect(caller.clears).toBe(1);
    expect(interrupted).toEqual([{ itemId: null, playedMs: 20 * heard }]);
    expect(story.only('barge_in').data['unplayed_ms']).toBe(20 * (100 - heard));
  });

  it('waits on hold with everything else, and is heard once after it', () => {
    const { story, caller, agent } = openInterruptionScene('pause', EXACT);
    counts(agent, 60);
    caller.silent(400);
    caller.speaks(60);
    story.asks('hold', { on: true, source: 'silence' });
    caller.speaks(100);
    caller.silent(1000);
    const waited = caller.heard.length;
    story.asks('hold', { on: false });
    caller.silent(2000);
    expect(waited).toBeLessThan(60);
    expect(levels(caller).filter((level) => level > 0)).toEqual(upTo(60));
  });

  it('leaves nothing behind when the call ends in the middle of it', () => {
    const { story, caller, agent } = openInterruptionScene('pause');
    agent.bursts(100);
    caller.silent(400);
    caller.speaks(60);
    caller.hangsUp();
    const before = story.types.length;
    story.passes(3000);
    expect(story.types).toHaveLength(before);
    expect(story.failures).toEqual([]);
  });
});
