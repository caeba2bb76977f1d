import { describe, expect, it } from 'vitest';
import { l16 } from '../../src/media/format.ts';
import { DtmfTone } from '../../src/media/tones/dtmf/dtmf-tone.ts';
import { Story, type StoryParty } from './story.ts';

/** Says keys in the sound, in real time. */
function presses(story: Story, party: StoryParty, digits: string): void {
  const tone = new DtmfTone(digits, 8000);
  while (!tone.isDone) {
    story.clock.advance(20);
    const frame = new Int16Array(160);
    tone.fillInto(frame);
    party.sendsSamples(frame);
  }
}

const digitsOf = (story: Story): string =>
  story.events
    .filter(({ type }) => type === 'dtmf_received')
    .map(({ data }) => data['digit'])
    .join('');

describe('keys in the sound of a call', () => {
  it('are told, each press once', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.silent(200);
    presses(story, caller, '1155#');
    caller.silent(200);
    expect(digitsOf(story)).toBe('1155#');
    const [first] = story.events.filter(({ type }) => type === 'dtmf_received');
    expect(first!.data['source']).toBe('in_band');
  });

  it('are not told again where the provider tells them, too', () => {
    const story = new Story();
    const caller = story.arrives();
    presses(story, caller, '7');
    caller.says({ event: 'dtmf', streamSid: 'MZ0', dtmf: { track: 'inbound_track', digit: '7' } });
    caller.silent(1_000);
    caller.says({ event: 'dtmf', streamSid: 'MZ0', dtmf: { track: 'inbound_track', digit: '8' } });
    presses(story, caller, '8');
    caller.silent(1_000);
    expect(digitsOf(story)).toBe('78');
  });
});

describe('a tone in the sound of a call', () => {
  it('is told by its name', () => {
    const story = new Story();
    const caller = story.arrives();
    story.sing(500, [[caller, 1_100]]);
    caller.silent(1_500);
    expect(story.types).toContain('tone_detected');
    const { data } = story.only('tone_detected');
    expect([data['tone'], data['leg_id']]).toEqual(['fax_cng', caller.legId]);
  });
});

describe('who answers a call that we placed', () => {
  it('is human after a short hello', () => {
    const story = new Story();
    const callee = story.arrives({ parameters: { direction: 'outbound' } });
    callee.silent(400);
    callee.speaks(600);
    callee.silent(1_500);
    expect(story.only('amd_result').data).toMatchObject({ result: 'human', leg_id: callee.legId });
  });

  it('is nobody’s question where we were called', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.silent(400);
    caller.speaks(600);
    caller.silent(6_000);
    expect(story.types).not.toContain('amd_result');
  });
});

describe('a line that loses packets', () => {
  /** `forMs` in real time, every fifth frame lost where it is bad; somebody looks once a second. */
  function passes(story: Story, caller: StoryParty, forMs: number, isBad: boolean): void {
    for (let ms = 0; ms < forMs; ms += 1_000) {
      caller.speaks(1_000, 8_000, isBad ? [3, 8, 13, 18, 23, 28, 33, 38, 43, 48] : []);
      Array.from(story.arrivals.observe(story.clock.nowMs()));
    }
  }

  it('is degraded after ten seconds, and recovered once it has been well for twenty', () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native', rtp: true });
    passes(story, caller, 10_000, false);
    expect(story.types).not.toContain('media_degraded');
    passes(story, caller, 11_000, true);
    const { data } = story.only('media_degraded');
    expect(data['leg_id']).toBe(caller.legId);
    expect(data['mos']).toBeLessThan(3.6);
    expect(data['loss_ratio']).toBeGreaterThan(0.15);
    expect(story.types).not.toContain('media_recovered');
    passes(story, caller, 31_000, false);
    expect(story.only('media_recovered').data['mos']).toBeGreaterThan(4);
    caller.hangsUp();
    const quality = story.only('call_completed').data['quality'] as { [leg: string]: object };
    expect(quality[caller.legId]).toMatchObject({
      lost_frames: 110,
      sent_frames: expect.any(Number) as number,
    });
  });

  it('is held and made up for from its first hole on, where the buffer adapts', () => {
    const story = new Story({ jitter: { mode: 'adaptive', targetMs: 0, maxMs: 200 } });
    const caller = story.arrives({ dialect: 'native', rtp: true });
    caller.speaks(1_000);
    const leg = story.call.legs[0]!;
    expect([leg.ingress.jitter.targetMs, caller.heard.length]).toEqual([0, 50]);
    caller.speaks(1_000, 8_000, [10, 30]);
    story.passes(100);
    expect(leg.ingress.jitter.targetMs).toBeGreaterThan(0);
    expect(leg.ingress.losses.lostFrames).toBe(2);
    expect(leg.ingress.losses.concealedFrames).toBeGreaterThanOrEqual(2);
    expect(caller.heard.length).toBeGreaterThanOrEqual(99);
    expect(story.failures).toEqual([]);
  });
});

describe('a leg at any rate', () => {
  it.each([16_000, 24_000, 48_000])('of %i Hz hears its own voice at that rate', (hz) => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native', format: l16(hz) });
    story.sing(1_000, [[caller, 1_000]]);
    expect(caller.heard).toHaveLength(50);
    expect(caller.heard.at(-1)!).toHaveLength(hz / 50);
    expect(Math.max(...caller.heard.at(-1)!)).toBeGreaterThan(5_700);
    expect(story.call.legs[0]!.sampleRateHz).toBe(16_000);
  });
});
