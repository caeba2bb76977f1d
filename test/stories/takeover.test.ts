import { describe, expect, it } from 'vitest';
import { l16, PCMU_8K } from '../../src/media/format.ts';
import type { StoryParty } from './story.ts';
import { Succession } from './succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const ECHO = { ...NATIVE, agentId: 'echo' } as const;
const TWILIO = { dialect: 'twilio', agentId: 'echo', credentialId: 'sc_1' } as const;

function joins(story: Succession, role: 'human' | 'agent' | 'supervisor'): StoryParty {
  return story.arrives({ ...NATIVE, role, callId: story.call.id });
}

/** What was heard of 200 ms of speech, by its level. */
function hearsOf(listener: StoryParty, speaker: StoryParty): number[] {
  listener.forgets();
  speaker.speaks(200);
  return [...new Set(listener.heard.map((frame) => frame[frame.length - 1]!))];
}

function expectWhole({ events, types, node }: Succession): void {
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  for (const type of ['call_started', 'call_ended', 'call_completed']) {
    expect([type, types.filter((one) => one === type)]).toEqual([type, [type]]);
  }
  expect(types.slice(-2)).toEqual(['call_ended', 'call_completed']);
  expect(node.failures).toEqual([]);
  expect([node.calls.size, node.arrivals.legs]).toEqual([0, 0]);
}

describe('a call whose node died', () => {
  it('goes on where its caller comes to: the echo answers again, and the events go on', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    caller.speaks(200);
    const told = story.events.length;
    story.dies();
    expect(story.events).toHaveLength(told);
    const back = await story.comesBack(caller);
    back.speaks(200);
    expect(back.heard.map((frame) => frame[0])).toEqual(Array.from({ length: 10 }, () => 8000));
    expect(story.events.slice(told, told + 3)).toMatchObject([
      { type: 'voice_ended', data: { leg_id: caller.legId, duration_ms: 200 } },
      { type: 'leg_connected', data: { leg_id: caller.legId, role: 'caller', resumed: true } },
      { type: 'call_recovered', data: { from_node: 'node-0', to_node: 'node-1', gap_ms: 500 } },
    ]);
    back.hangsUp();
    expectWhole(story);
  });

  it('tells how long it was from its first node on, and its whole timeline', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    caller.silent(4_000);
    story.dies({ afterMs: 1_000 });
    const back = await story.comesBack(caller);
    back.silent(2_000);
    back.hangsUp();
    expectWhole(story);
    expect(story.told('call_ended')['duration_ms']).toBe(7_000);
    const { timeline } = story.told('call_completed') as { timeline: { sequence: number; at: string }[] };
    const expected = story.events.map(({ sequence, type, created_at: at }) => ({ sequence, type, at }));
    expect(timeline).toMatchObject(expected);
  });

  it('has its caller on hold as before, to the same music, and the hold as long as it was', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.node.asks('hold', { on: true, source: 'music' });
    story.node.passes(1_000);
    story.dies({ afterMs: 500 });
    const back = await story.comesBack(caller);
    back.silent(200);
    expect(back.heard.some((frame) => frame.some((sample) => sample !== 0))).toBe(true);
    story.node.asks('hold', { on: false });
    expect(story.told('hold_ended')['held_ms']).toBe(1_700);
    expect(hearsOf(back, back).at(-1)).toBe(8000);
  });

  it.each([['caller first'], ['human first']])('seats everybody where they sat, the %s', async (order) => {
    const story = new Succession();
    const caller = story.arrives(NATIVE);
    const human = joins(story, 'human');
    const other = joins(story, 'human');
    story.node.asks('mute', { leg_id: other.legId, on: true });
    story.node.asks('set_gain', { leg_id: human.legId, gain_ratio: 0.5 });
    const gain = { gain_ratio: 0.5, listener_id: human.legId };
    story.node.asks('set_gain', { leg_id: caller.legId, ...gain });
    story.dies();
    const comers = order === 'caller first' ? [caller, human, other] : [other, human, caller];
    const back = new Map<StoryParty, StoryParty>();
    for (const comer of comers) back.set(comer, await story.comesBack(comer));
    const [callerBack, humanBack, otherBack] = [back.get(caller)!, back.get(human)!, back.get(other)!];
    expect(story.call.conversation.partner?.party.id).toBe(human.legId);
    expect(hearsOf(callerBack, otherBack).filter((level) => level !== 0)).toEqual([]);
    expect(hearsOf(humanBack, callerBack).at(-1)).toBe(4000);
    expect(hearsOf(callerBack, humanBack).at(-1)).toBe(4000);
    expect(story.types.filter((type) => type === 'call_recovered')).toHaveLength(1);
    callerBack.hangsUp();
    expectWhole(story);
  });

  it('has its supervisor whisper to whom it whispered', async () => {
    const story = new Succession();
    const caller = story.arrives(NATIVE);
    const human = joins(story, 'human');
    const supervisor = joins(story, 'supervisor');
    story.node.asks('supervise', { leg_id: supervisor.legId, mode: 'whisper' });
    story.dies();
    const supervisorBack = await story.comesBack(supervisor);
    const callerBack = await story.comesBack(caller);
    const humanBack = await story.comesBack(human);
    expect(hearsOf(humanBack, supervisorBack)).toContain(8000);
    expect(hearsOf(callerBack, supervisorBack).filter((level) => level !== 0)).toEqual([]);
    callerBack.hangsUp();
    expectWhole(story);
    expect(story.types.filter((type) => type === 'supervisor_joined')).toHaveLength(2);
    expect(story.types.filter((type) => type === 'supervisor_left')).toHaveLength(2);
  });

  it('remembers what was written down', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.node.asks('set_disposition', { disposition: 'sale' });
    story.node.asks('qualify', { score: 8, threshold: 5 });
    story.dies();
    const back = await story.comesBack(caller);
    story.node.asks('qualify', { score: 9, threshold: 5 });
    back.hangsUp();
    expectWhole(story);
    expect(story.told('call_completed')).toMatchObject({
      disposition: 'sale',
      qualification: { score: 9 },
    });
    expect(story.types.filter((type) => type === 'qualification_met')).toHaveLength(1);
  });

  it('ends once as lost with its node where nobody comes back in time', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    joins(story, 'human');
    story.dies();
    story.node.passes(29_499);
    expect(story.types).not.toContain('call_ended');
    story.node.passes(1);
    expectWhole(story);
    expect(story.told('call_ended')['reason']).toBe('node_lost');
    expect(story.types).not.toContain('call_recovered');
    await expect(story.comesBack(caller)).rejects.toThrow('nobody knows the call');
  });

  it('goes on without the human who did not come back in time', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    const human = joins(story, 'human');
    story.dies();
    const back = await story.comesBack(caller);
    story.node.passes(30_000);
    expect(story.told('leg_disconnected')).toMatchObject({ leg_id: human.legId, reason: 'connection_lost' });
    expect(hearsOf(back, back).at(-1)).toBe(8000);
    await expect(story.comesBack(human)).rejects.toThrow('nobody knows the call');
    back.hangsUp();
    expectWhole(story);
  });

  it('does not wait longer for a leg that was lost before its node was', () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    caller.losesItsSocket();
    story.node.passes(20_000);
    story.dies({ afterMs: 5_000 });
    story.node.passes(4_999);
    expect(story.types).not.toContain('call_ended');
    story.node.passes(1);
    expectWhole(story);
  });

  it('keeps its limits from its start on', async () => {
    const story = new Succession({ limits: { durationMaxMs: 10_000 } });
    const caller = story.arrives(ECHO);
    story.node.passes(6_000);
    story.dies({ afterMs: 1_000 });
    await story.comesBack(caller);
    story.node.passes(2_999);
    expect(story.types).not.toContain('call_ended');
    story.node.passes(1);
    expect(story.told('call_ended')).toMatchObject({ reason: 'max_duration', duration_ms: 10_000 });
  });

  it('does not hear of a wall clock that steps, nor of a former owner whose clock was ahead', async () => {
    const story = new Succession({ limits: { durationMaxMs: 60_000 } });
    const caller = story.arrives(ECHO);
    const { clock } = story.node;
    story.node.passes(5_000);
    clock.stepWallClock(-10_000);
    const saved = story.saved();
    clock.stepWallClock(-3_000);
    story.dies({ saved });
    clock.stepWallClock(20_000);
    story.node.passes(20_000);
    expect(story.types).not.toContain('call_ended');
    const back = await story.comesBack(caller);
    back.hangsUp();
    const { duration_ms } = story.told('call_ended') as { duration_ms: number };
    // The gap of half a second is not seen by clocks that differ by three.
    expect(duration_ms).toBe(25_000);
  });

  it('may lose its next node as well before anybody is back: the gap began with the first', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.dies({ afterMs: 500 });
    story.node.passes(2_000);
    story.dies({ afterMs: 300 });
    await story.comesBack(caller);
    expect(story.told('call_recovered')).toMatchObject({
      from_node: 'node-0',
      to_node: 'node-2',
      gap_ms: 2_800,
    });
  });

  it('says of a leg that is not back yet that it cannot be played to, and mutes it all the same', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.dies();
    const leg_id = caller.legId;
    expect(story.node.asks('play', { url: 'tone:440', leg_id })).toMatchObject({ ok: false });
    expect(story.node.asks('mute', { leg_id, on: true })).toMatchObject({ ok: true });
    const back = await story.comesBack(caller);
    expect(hearsOf(back, back)).toEqual([]);
  });

  it('is not recovered by a backend that was only dialled again', async () => {
    const story = new Succession();
    const caller = story.arrives(NATIVE);
    const backend = joins(story, 'agent');
    story.call.roster.find(backend.legId)!.agent = {} as never;
    story.dies({ afterMs: 500 });
    await story.comesBack(backend);
    expect(story.types).not.toContain('call_recovered');
    story.node.passes(200);
    await story.comesBack(caller);
    expect(story.told('call_recovered')['gap_ms']).toBe(700);
  });

  it('is recovered every time', async () => {
    const story = new Succession();
    let caller = story.arrives(ECHO);
    for (let deaths = 0; deaths < 3; deaths++) {
      story.dies();
      caller = await story.comesBack(caller);
    }
    caller.hangsUp();
    expectWhole(story);
    const nodes = story.events
      .filter(({ type }) => type === 'call_recovered')
      .map(({ data }) => [data['from_node'], data['to_node'], data['gap_ms']]);
    expect(nodes).toEqual([
      ['node-0', 'node-1', 500],
      ['node-1', 'node-2', 500],
      ['node-2', 'node-3', 500],
    ]);
  });
});

describe('a resume token', () => {
  it('of a connection that was replaced opens nothing, at the next node either', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    const again = await story.comesBack(caller);
    story.dies();
    await expect(story.comesBack(caller)).rejects.toThrow('leg_replaced');
    const back = await story.comesBack(again);
    await expect(story.comesBack(again)).rejects.toThrow('leg_replaced');
    expect(back.socket.closed).toBeUndefined();
  });

  it('carries the token under which its node has the call', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.dies();
    const back = await story.comesBack(caller);
    const { resumeTokens, clock } = story.node;
    expect(resumeTokens.verify(back.resumeToken!, clock.unixMs())).toMatchObject({
      fence: 101,
      generation: 2,
    });
    expect(story.node.fences).toContain(101);
  });

  it('gives no leg to who would speak it otherwise', async () => {
    const story = new Succession();
    const caller = story.arrives(ECHO);
    story.dies();
    await expect(story.comesBack(caller, { format: PCMU_8K })).rejects.toThrow('unsupported_format');
    await story.comesBack(caller);
  });
});

describe('a provider’s next stream of a call', () => {
  it('comes back to its leg without a token, at the next node too', () => {
    const story = new Succession();
    const caller = story.arrives(TWILIO);
    story.dies();
    const again = story.arrives(TWILIO);
    expect(story.events.slice(-2)).toMatchObject([
      { type: 'leg_connected', data: { leg_id: caller.legId, resumed: true } },
      { type: 'call_recovered' },
    ]);
    const third = story.arrives(TWILIO);
    expect(again.socket.closed).toEqual({ closeCode: 4409, reason: 'leg_replaced' });
    expect(hearsOf(third, third).length).toBeGreaterThan(0);
    third.hangsUp();
    expectWhole(story);
    story.arrives(TWILIO);
    expect(story.types.filter((type) => type === 'call_started')).toHaveLength(2);
  });

  it('is another call where its name, or its credential, is another', () => {
    const story = new Succession();
    story.arrives(TWILIO);
    story.arrives({ ...TWILIO, credentialId: 'sc_2' });
    story.arrives({ ...TWILIO, providerCallId: 'CA1' });
    expect(story.types.filter((type) => type === 'call_started')).toHaveLength(3);
  });
});

describe('a snapshot', () => {
  it('of a form that is not known is not read, and counted', () => {
    const story = new Succession();
    story.arrives(ECHO);
    const saved = story.saved();
    expect(story.dies({ saved: saved.replace('"v":1', '"v":2') })).toBeUndefined();
    expect(story.node.calls.stats).toMatchObject({ unreadableSnapshots: 1, restoredCalls: 0 });
    expect(story.node.calls.size).toBe(0);
  });

  it('of a call that is here already changes nothing', () => {
    const story = new Succession();
    story.arrives(ECHO);
    const { call, node } = story;
    const takeover = { fence: 7, from: 'a', to: 'b', lostSinceUnixMs: node.clock.unixMs() };
    expect(node.calls.restore(story.snapshot(), takeover, node.clock.nowMs())).toBeUndefined();
    expect(story.call).toBe(call);
  });

  it('hands events that were still on their way to the next owner’s sink, first and under its token', async () => {
    const waiting: { envelope: never }[] = [];
    const story = new Succession({ ports: { unacknowledged: () => waiting as never } });
    const caller = story.arrives(ECHO);
    const last = story.events.at(-1)!;
    waiting.push({ envelope: last as never });
    story.dies();
    expect(story.events.at(-1)).toEqual(last);
    expect(story.node.fences).toEqual([101]);
    await story.comesBack(caller);
    expect(story.events.at(-1)?.sequence).toBe(last.sequence + 2);
  });

  it('is asked for again whenever it would be another', async () => {
    const changes: string[] = [];
    const story = new Succession({ onChanged: (call) => void changes.push(call.id) });
    const caller = story.arrives(ECHO);
    const isTold = (): boolean => changes.splice(0).length > 0;
    expect(isTold()).toBe(true);
    caller.silent(2_000);
    expect(isTold()).toBe(false);
    story.node.asks('mute', { leg_id: caller.legId, on: true });
    expect(isTold()).toBe(true);
    caller.losesItsSocket();
    expect(isTold()).toBe(true);
    await story.comesBack(caller);
    expect(isTold()).toBe(true);
  });

  it('has the end of a long transcript, and the names of those that left last', () => {
    const story = new Succession();
    story.arrives(ECHO);
    const segments = Array.from({ length: 40 }, (_, i) => {
      return { speaker: 'caller', text: `word ${i}`, start_ms: i, end_ms: i + 1 };
    });
    story.node.asks('add_transcript', { segments });
    for (let i = 0; i < 20; i++) joins(story, 'human').hangsUp();
    const { notes, members, timeline } = story.snapshot();
    expect(notes.transcript.map(({ text }) => text)).toEqual(segments.slice(-16).map(({ text }) => text));
    expect(members).toHaveLength(2 + 16);
    expect(timeline.length).toBeLessThanOrEqual(128);
    expect(story.saved().length).toBeLessThan(16_384);
  });
});
