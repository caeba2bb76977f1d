import { describe, expect, it } from 'vitest';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryParty } from './story.ts';
import { amplitudeOf, tonesIn } from './tones.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

/** A caller and somebody to talk to, both bit for bit. */
function openScene(role: 'human' | 'agent'): { story: Story; caller: StoryParty; other: StoryParty } {
  const story = new Story();
  const caller = story.arrives(NATIVE);
  const other = story.arrives({ ...NATIVE, role, callId: story.call.id });
  return { story, caller, other };
}

const levels = (party: StoryParty): number[] => party.heard.map((frame) => frame[80]!);

/** Without the silence behind the last of it, which a sound that nobody hears goes on with. */
function voiceIn(party: StoryParty): number[] {
  const heard = levels(party);
  return heard.slice(0, heard.findLastIndex((level) => level !== 0) + 1);
}

describe('a voice that is mixed and then is not', () => {
  it('is heard whole and once, live, whatever begins and ends beside it', () => {
    const { story, caller, other } = openScene('human');
    for (let level = 1; level <= 200; level++) {
      story.clock.advance(20);
      other.sendsFrame(level);
      // A sound nobody hears makes the mix necessary, and is taken away again.
      if (level % 40 === 20) story.asks('play', { url: 'tone:busy', gain_ratio: 0, loop: true });
      if (level % 40 === 30) story.asks('clear');
      if (level % 40 === 33) story.asks('play', { url: 'tone:beep', gain_ratio: 0, leg_id: caller.legId });
      // The wire comes late while the voice goes directly: the mix that follows begins at another moment.
      if (level % 5 === 4 && !story.call.roster.caller!.ear!.isMixing) story.clock.advance(3);
    }
    story.passes(200);
    expect(voiceIn(caller)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  it('is heard whole and once, faster than real time, whatever begins and ends beside it', () => {
    const { story, caller, other } = openScene('agent');
    for (let level = 1; level <= 200; level++) other.sendsFrame(level);
    for (let step = 0; step < 20; step++) {
      const sound = { url: 'tone:440', gain_ratio: 0, leg_id: caller.legId };
      if (step % 6 === 1) story.asks('play', sound);
      story.passes(230);
    }
    expect(voiceIn(caller)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  });

  it('keeps its marks and what was played of it, mixed or not', () => {
    const { story, caller, other } = openScene('agent');
    story.asks('play', { url: 'tone:440', loop: true, leg_id: caller.legId });
    other.bursts(10);
    other.says({ type: 'mark', name: 'utt-1' });
    story.passes(160);
    expect(caller.marks).toEqual([]);
    story.passes(100);
    expect(caller.marks).toEqual(['utt-1']);
    caller.sends(caller.caller.markPlayed('utt-1')!);
    expect(other.told('mark_played')).toEqual([{ type: 'mark_played', name: 'utt-1', played_ms: 200 }]);
    const played = story.events.filter(({ type }) => type === 'playback_finished');
    expect(played.map(({ data }) => data['played_ms'])).toEqual([200]);
  });

  it('is dropped by clear where it waits, and by a new partner', () => {
    const { story, caller, other } = openScene('agent');
    other.bursts(100);
    story.passes(100);
    const human = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    caller.forgets();
    story.call.conversation.decide({ partnerId: human.legId }, story.clock.nowMs());
    expect(caller.clears).toBe(1);
    human.sendsFrame(77);
    story.passes(400);
    expect(levels(caller)).toEqual([77]);
  });

  it('of two agents reaches the caller from both, each at its own pace', () => {
    const { story, caller, other } = openScene('agent');
    const second = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    for (let i = 0; i < 25; i++) other.sendsTone(400);
    for (let i = 0; i < 50; i++) second.sendsTone(700);
    story.passes(510);
    expect(tonesIn(caller.heard, [400, 700])).toEqual([400, 700]);
    caller.forgets();
    second.says({ type: 'mark', name: 'both' });
    story.passes(440);
    expect(tonesIn(caller.heard, [400, 700])).toEqual([700]);
    expect(second.told('mark_played')).toEqual([]);
    story.passes(100);
    expect(second.told('mark_played')).toHaveLength(1);
  });

  it('of a second agent that is left alone goes on, paused where it was, and counts from its beginning', () => {
    const { story, caller, other } = openScene('agent');
    const second = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    other.bursts(60);
    for (let level = 1; level <= 50; level++) second.sendsFrame(level);
    second.says({ type: 'mark', name: 'end' });
    story.passes(200);
    story.asks('pause', { leg_id: caller.legId });
    other.hangsUp();
    const clears = caller.heard.length;
    story.passes(500);
    expect(caller.heard.slice(clears).every((frame) => frame[80] === 0)).toBe(true);
    caller.forgets();
    story.asks('resume', { leg_id: caller.legId });
    story.passes(2_000);
    // What was mixed before the pause, and what was heard alone after it, are all of it.
    expect(voiceIn(caller)).toEqual(Array.from({ length: 40 }, (_, i) => i + 11));
    caller.sends(caller.caller.markPlayed('end')!);
    expect(second.told('mark_played')).toEqual([{ type: 'mark_played', name: 'end', played_ms: 1_000 }]);
  });

  it.each(['a command', 'an interruption'])(
    'of a second agent has its marks back where %s clears it',
    (what) => {
      const { story, caller, other } = openScene('agent');
      const second = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
      other.bursts(25);
      second.bursts(50);
      // The first one hears it, too: it is the caller's ear that is asked.
      second.says({ type: 'mark', name: 'utt-2' });
      story.passes(200);
      expect(second.told('mark_played')).toEqual([]);
      if (what === 'a command') story.asks('clear');
      else story.call.roster.caller!.ear!.channelFrom(second.legId)!.clear(story.clock.nowMs());
      expect(second.told('mark_played')).toEqual([{ type: 'mark_played', name: 'utt-2', played_ms: 200 }]);
      story.passes(2_000);
      expect(second.told('mark_played')).toHaveLength(1);
      expect(caller.heard.length).toBeGreaterThan(0);
    },
  );
});

describe('hold', () => {
  it('gives the caller music and takes it back, and keeps what its agent was saying', () => {
    const { story, caller, other } = openScene('agent');
    for (let level = 1; level <= 50; level++) other.sendsFrame(level);
    story.passes(205);
    const before = levels(caller);
    caller.forgets();
    expect(story.asks('hold', { on: true })).toMatchObject({ ok: true, value: { source: 'music' } });
    story.passes(1_000);
    expect(caller.heard.length).toBe(50);
    expect(amplitudeOf(caller.heard.slice(0, 18), 261.63)).toBeGreaterThan(300);
    caller.speaks(100);
    expect(other.heard).toEqual([]);
    caller.forgets();
    story.asks('hold', { on: false });
    story.passes(1_000);
    // The frame that ends the music fades it out.
    const after = levels(caller).filter((level) => level > 0 && level <= 50);
    expect(before.concat(after)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(story.only('hold_started').data).toMatchObject({ leg_id: caller.legId, mode: 'music' });
    expect(story.only('hold_ended').data).toMatchObject({ leg_id: caller.legId, held_ms: 1_100 });
  });

  it('is silence where that was asked for, and asked twice it is one', () => {
    const { story, caller, other } = openScene('human');
    for (const on of [true, true, false, false]) {
      expect(story.asks('hold', { on, source: 'silence' })).toMatchObject({ ok: true });
      other.speaks(100);
    }
    expect(caller.heard).toHaveLength(10);
    expect(story.types.filter((type) => type.startsWith('hold_'))).toEqual(['hold_started', 'hold_ended']);
  });
});

describe('what is asked of single legs', () => {
  it('mutes and unmutes one', () => {
    const { story, caller, other } = openScene('human');
    story.asks('mute', { leg_id: other.legId, on: true });
    other.speaks(100);
    caller.speaks(100);
    expect([caller.heard.length, other.heard.length]).toEqual([0, 5]);
    story.asks('mute', { leg_id: other.legId, on: false });
    other.speaks(100);
    expect(caller.heard).toHaveLength(5);
  });

  it('turns one down, smoothly, and up again', () => {
    const { story, caller, other } = openScene('human');
    story.sing(200, [[other, 400]]);
    story.asks('set_gain', { leg_id: other.legId, gain_ratio: 0.25 });
    caller.forgets();
    story.sing(420, [[other, 400]]);
    expect(amplitudeOf(caller.heard.slice(2, 20), 400)).toBeCloseTo(1500, -2);
    story.asks('set_gain', { leg_id: other.legId, gain_ratio: 1 });
    story.sing(100, [[other, 400]]);
    caller.forgets();
    story.sing(400, [[other, 400]]);
    expect(amplitudeOf(caller.heard, 400)).toBeCloseTo(6000, -2);
  });

  it('turns one down for one listener alone, and forgets it of those who have left', () => {
    const { story, caller, other } = openScene('human');
    const guest = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    const gain = { leg_id: other.legId, gain_ratio: 0.25, listener_id: caller.legId };
    expect(story.asks('set_gain', gain)).toEqual({ ok: true, value: gain });
    story.sing(200, [[other, 400]]);
    for (const party of [caller, guest]) party.forgets();
    story.sing(400, [[other, 400]]);
    expect(amplitudeOf(caller.heard, 400)).toBeCloseTo(1500, -2);
    expect(amplitudeOf(guest.heard, 400)).toBeCloseTo(6000, -2);
    story.asks('set_gain', { ...gain, gain_ratio: 0, listener_id: guest.legId });
    // Beside what it is to everybody.
    story.asks('set_gain', { leg_id: other.legId, gain_ratio: 2 });
    story.sing(200, [[other, 400]]);
    for (const party of [caller, guest]) party.forgets();
    story.sing(400, [[other, 400]]);
    expect(amplitudeOf(caller.heard, 400)).toBeCloseTo(3000, -2);
    expect(amplitudeOf(guest.heard, 400)).toBeLessThan(10);
    guest.hangsUp();
    expect(story.asks('set_gain', { ...gain, listener_id: guest.legId })).toMatchObject({
      fault: 'not_found',
    });
    story.asks('set_gain', { ...gain, gain_ratio: 1 });
    expect([...story.call.roster.get(other.legId)!.gains!]).toEqual([[caller.legId, 1]]);
  });

  it('takes one out; without its caller the call is over', () => {
    const { story, caller, other } = openScene('human');
    story.asks('remove_leg', { leg_id: other.legId });
    expect(story.only('leg_disconnected').data).toMatchObject({ leg_id: other.legId, reason: 'removed' });
    story.asks('remove_leg', { leg_id: caller.legId });
    expect(story.only('call_ended').data['reason']).toBe('api');
  });

  it('lets who is invited beside an agent join in: all three hear each other', () => {
    const { story, caller, other } = openScene('agent');
    const guest = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    story.sing(600, [
      [caller, 400],
      [other, 700],
      [guest, 1100],
    ]);
    const heard = [caller, other, guest].map((party) => tonesIn(party.heard, [400, 700, 1100]));
    expect(heard).toEqual([
      [700, 1100],
      [400, 1100],
      [400, 700],
    ]);
    other.hangsUp();
    for (const party of [caller, guest]) party.forgets();
    story.sing(400, [
      [caller, 400],
      [guest, 1100],
    ]);
    expect(tonesIn(caller.heard, [400, 700, 1100])).toEqual([1100]);
    expect(tonesIn(guest.heard, [400, 700, 1100])).toEqual([400]);
  });
});
