import { describe, expect, it } from 'vitest';
import { l16 } from '../../src/media/format.ts';
import { Story } from './story.ts';

/** A caller and an agent in a call that ends after two silent seconds. */
function openScene() {
  const story = new Story({ limits: { silenceMs: 2000 } });
  const caller = story.arrives({ agentId: null });
  const callId = story.only('call_started').resource.id;
  const agent = story.arrives({ dialect: 'native', role: 'agent', callId, agentId: null });
  return { story, caller, agent };
}

function passes(story: Story, seconds: number): void {
  for (let second = 0; second < seconds; second++) story.passes(1000);
}

describe('a call that falls silent', () => {
  it('is told of it, and ends', () => {
    const { story } = openScene();
    passes(story, 3);
    expect(story.only('silence_timeout').data['silence_ms']).toBe(2000);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it('is not silent while one voice goes on for longer than that', () => {
    const { story, caller } = openScene();
    for (let second = 0; second < 5; second++) {
      caller.speaks(980);
      story.passes(20);
    }
    expect(story.types).not.toContain('call_ended');
    caller.silent(400);
    passes(story, 3);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it('is not silent while an agent is being heard', () => {
    const { story, agent } = openScene();
    agent.bursts(250);
    passes(story, 5);
    expect(story.types).not.toContain('call_ended');
    passes(story, 3);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it('ends all the same when it has lasted as long as a call may, silent or not', () => {
    const story = new Story({ limits: { durationMaxMs: 3000, silenceMs: 2000 } });
    const caller = story.arrives();
    for (let second = 0; second < 3; second++) {
      caller.speaks(980);
      story.passes(20);
    }
    expect(story.only('call_ended').data['reason']).toBe('max_duration');
    expect(story.types).not.toContain('silence_timeout');
  });
});

describe('a listener that takes speech only, at another rate than the speaker', () => {
  it.each([
    [8000, 16_000],
    [16_000, 8000],
  ])('hears 300 ms from before the word: %i to %i Hz', (fromHz, toHz) => {
    const story = new Story();
    const format = (sampleRateHz: number) => ({ dialect: 'native', format: l16(sampleRateHz) }) as const;
    const caller = story.arrives({ ...format(fromHz), agentId: null });
    const callId = story.only('call_started').resource.id;
    const human = story.arrives({ ...format(toHz), role: 'human', callId, agentId: null, speechOnly: true });
    caller.silent(600);
    expect(human.heard).toHaveLength(0);
    caller.speaks(200);
    caller.silent(1000);
    const loud = human.heard.map((frame) => frame.some((sample) => sample > 1000));
    expect(loud.indexOf(true)).toBeGreaterThanOrEqual(15);
    expect(loud.filter(Boolean).length).toBeGreaterThanOrEqual(10);
    // And not the rest of the second: only the hangover.
    expect(loud.length - loud.lastIndexOf(true)).toBeLessThanOrEqual(17);
  });
});
