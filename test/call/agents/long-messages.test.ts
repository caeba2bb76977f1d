import { describe, expect, it } from 'vitest';
import { decodeMulawInto } from '../../../src/media/codecs/g711.ts';
import { openAgentStory } from './scripted-backends.ts';

const FRAME_BYTES = 160;

function openScene(terms = {}) {
  const { story, backends } = openAgentStory(terms);
  const caller = story.arrives({ agentId: 'front-desk' });
  const agent = backends[0]!;
  agent.answers();
  return { story, caller, agent };
}

/** Frames numbered by a code that the caller's wire carries as it is. */
function numbered(frames: number, first = 0): Uint8Array {
  const bytes = new Uint8Array(frames * FRAME_BYTES);
  for (let i = 0; i < frames; i++) bytes.fill(codeOf(first + i), i * FRAME_BYTES, (i + 1) * FRAME_BYTES);
  return bytes;
}

const codeOf = (index: number): number => 0x80 + (index % 100);

/** The same frames as they are heard. */
function samplesOf(frames: number): number[] {
  const codes = Uint8Array.from({ length: frames }, (_, index) => codeOf(index));
  const samples = new Int16Array(frames);
  decodeMulawInto(codes, frames, samples);
  return [...samples];
}

describe('a long message of a backend', () => {
  it('is heard half a second a turn, and whole, in its order, before what was said after it', () => {
    const { story, caller, agent } = openScene();
    agent.sends(numbered(400));
    expect(story.call.legs[0]!.playout.waitingFrames).toBeLessThanOrEqual(25);
    expect(agent.socket.isReading).toBe(false);
    agent.says({ type: 'transcript', speaker: 'agent', text: 'all of it' });
    agent.sends(numbered(10, 400));
    expect(story.types).not.toContain('transcript_segment');
    story.passes(10_000);
    expect(caller.heard.map((frame) => frame[80])).toEqual(samplesOf(410));
    expect(story.types).toContain('transcript_segment');
    expect(agent.socket.isReading).toBe(true);
  });

  it('is not heard on where the caller has interrupted it', () => {
    const { story, caller, agent } = openScene();
    agent.sends(numbered(1_000));
    story.passes(20);
    const [, leg] = story.call.legs;
    const member = story.call.roster.get(leg!.id)!;
    for (const channel of member.channels) channel.clear(story.clock.nowMs());
    member.agent!.interrupt(null, 20);
    const heard = caller.heard.length;
    story.passes(5_000);
    expect(caller.heard.length).toBeLessThanOrEqual(heard + 1);
    agent.speaks(5);
    story.passes(200);
    expect(caller.heard.length).toBeGreaterThanOrEqual(heard + 5);
  });

  it('is heard to its end where the line is closed behind it, and so is what it said after it', () => {
    const { story, agent } = openScene({ when_unavailable: 'go_on', reconnects_max: 0 });
    agent.sends(numbered(100));
    agent.says({ type: 'transcript', speaker: 'agent', text: 'Goodbye.' });
    agent.closes();
    expect(story.only('transcript_segment').data['text']).toBe('Goodbye.');
  });
});
