import { describe, expect, it } from 'vitest';
import { Story } from './story.ts';

describe('a packet lost on the way', () => {
  it('is bridged with one concealed frame where audio is buffered', () => {
    const story = new Story({ jitterTargetMs: 60 });
    const caller = story.arrives({ dialect: 'native', rtp: true });
    caller.speaks(1_000, 8000, [12]);
    story.passes(200);
    const leg = story.calls.get(story.only('call_started').resource.id)!.legs[0]!;
    expect(leg.ingress.jitter.stats).toMatchObject({ lostFrames: 1, lateFrames: 0 });
    const quiet = caller.heard.slice(0, 50).filter((frame) => Math.abs(frame[0]!) < 100);
    expect(quiet).toHaveLength(1);
  });

  it('is counted, and delays nobody, where nothing is buffered', () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native', rtp: true });
    caller.speaks(1_000, 8000, [12, 13]);
    const leg = story.calls.get(story.only('call_started').resource.id)!.legs[0]!;
    expect(leg.ingress.jitter.stats.lostFrames).toBe(2);
    expect(caller.heard).toHaveLength(48);
  });

  it('does not move the ears: the onset after it is named in the sender’s time', () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native', rtp: true });
    caller.speaks(400, 0, [3, 4, 5]);
    caller.speaks(200);
    expect(story.only('voice_detected').data['onset_ms']).toBe(400);
  });
});
