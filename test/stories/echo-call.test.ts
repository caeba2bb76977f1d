import { describe, expect, it } from 'vitest';
import { Story } from './story.ts';

const PLAIN_ECHO = ['call_started', 'leg_connected', 'leg_connected'];
const GOODBYE = ['leg_disconnected', 'leg_disconnected', 'call_ended', 'call_completed'];

describe('a plain echo call', () => {
  it.each(['twilio', 'native'] as const)('by %s tells its story in order, numbered from 1', (dialect) => {
    const story = new Story();
    const caller = story.arrives({ dialect });
    caller.silent(200);
    caller.speaks(400);
    caller.silent(400);
    caller.hangsUp();
    expect(story.types).toEqual([...PLAIN_ECHO, 'voice_detected', 'voice_ended', ...GOODBYE]);
    expect(story.events.map(({ sequence }) => sequence)).toEqual(story.events.map((_, index) => index + 1));
    expect(story.calls.size).toBe(0);
    expect(story.arrivals.legs).toBe(0);
  });

  it('plays back every frame in the turn it arrived', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.speaks(100, 8031);
    expect(caller.heard).toHaveLength(5);
    expect(caller.heardAtMs).toEqual([1020, 1040, 1060, 1080, 1100]);
    expect(new Set(caller.heard.flatMap((frame) => [...frame]))).toEqual(new Set([caller.heard[0]![0]]));
  });

  it('names the onset in media time, and who spoke how loud', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.silent(200);
    caller.speaks(400);
    caller.silent(400);
    const voice = { role: 'caller', onset_ms: 200, level_dbfs: expect.closeTo(-12.2, 0) as number };
    expect(story.only('voice_detected').data).toMatchObject({ ...voice, at_ms: 240 });
    expect(story.only('voice_ended').data).toMatchObject({ ...voice, duration_ms: 400 });
  });

  it('hung up in mid-word has the word ended first', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.speaks(500);
    caller.hangsUp();
    expect(story.types).toEqual([...PLAIN_ECHO, 'voice_detected', 'voice_ended', ...GOODBYE]);
    expect(story.only('voice_ended').data).toMatchObject({ onset_ms: 0, at_ms: 500, duration_ms: 500 });
  });

  it('lifts the call’s head out of the stream’s parameters', () => {
    const story = new Story();
    const parameters = { from: '+1', direction: 'outbound', lead_id: '884', campaign: 'november' };
    story.arrives({ parameters });
    expect(story.only('call_started').data).toMatchObject({
      from: '+1',
      direction: 'outbound',
      lead_id: '884',
      agent_id: 'echo',
      state: 'active',
      dialect: 'twilio',
      codec: 'PCMU/8000',
      metadata: { campaign: 'november', provider_call_id: 'CA0', provider_stream_id: 'MZ0' },
    });
  });

  it('is complete in call_completed: legs, talk times, quality, timeline', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.speaks(1000);
    caller.hangsUp();
    const { data } = story.only('call_completed');
    expect(data).toMatchObject({ state: 'ended', duration_ms: 1000, reason: 'provider_stop', cost: null });
    expect(data['talk_ms']).toEqual({ caller: 1000, agent: 0 });
    expect(data['legs']).toMatchObject([
      { role: 'caller', dialect: 'twilio', reason: 'provider_stop' },
      { role: 'agent', dialect: 'echo', reason: 'call_ended' },
    ]);
    expect(Object.values(data['quality'] as object)).toMatchObject([
      { received_frames: 50, sent_frames: 50 },
    ]);
    expect((data['timeline'] as { type: string }[]).map(({ type }) => type)).toContain('voice_detected');
  });
});

describe('a call ends exactly once', () => {
  it('with connection_lost when the socket goes without a word', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.losesItsSocket();
    caller.losesItsSocket();
    caller.hangsUp();
    expect(story.types).toEqual([...PLAIN_ECHO, ...GOODBYE]);
    expect(story.only('call_ended').data['reason']).toBe('connection_lost');
  });

  it.each([
    ['native', 'caller_hangup'],
    ['twilio', 'connection_lost'],
  ] as const)('by a clean close: of %s it is a %s', (dialect, reason) => {
    const story = new Story({ limits: { resumeWindowMs: dialect === 'native' ? 30_000 : 0 } });
    story.arrives({ dialect }).closesItsSocket(1000);
    expect(story.only('call_ended').data['reason']).toBe(reason);
  });

  it('with protocol_error when the caller breaks its protocol', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.sends({ bytes: new TextEncoder().encode('{not json'), isBinary: false });
    expect(story.only('call_ended').data['reason']).toBe('protocol_error');
    expect(caller.socket.closed).toEqual({ closeCode: 4400, reason: 'not_json' });
  });

  it('with max_duration when its time is up', () => {
    const story = new Story({ limits: { durationMaxMs: 5_000 } });
    const caller = story.arrives();
    story.passes(4_999);
    expect(story.calls.size).toBe(1);
    story.passes(1);
    expect(story.only('call_ended').data).toMatchObject({ reason: 'max_duration', duration_ms: 5_000 });
    expect(caller.socket.closed).toEqual({ closeCode: 1000, reason: 'call_ended' });
  });

  it('with silence_timeout when nobody has spoken for long, and says so first', () => {
    const story = new Story({ limits: { silenceMs: 3_000 } });
    const caller = story.arrives();
    caller.speaks(1_000);
    caller.silent(2_000);
    story.passes(0);
    expect(story.calls.size).toBe(1);
    caller.silent(2_000);
    story.passes(0);
    expect(story.types.slice(-5)).toEqual(['silence_timeout', ...GOODBYE]);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it('after the resume window when one is set', () => {
    const story = new Story({ limits: { resumeWindowMs: 2_000 } });
    story.arrives({ dialect: 'native' }).losesItsSocket();
    story.passes(1_999);
    expect(story.calls.size).toBe(1);
    story.passes(1);
    expect(story.only('call_ended').data['reason']).toBe('connection_lost');
  });
});

describe('a caller on the line', () => {
  it('has its digits told', () => {
    const story = new Story();
    const caller = story.arrives();
    for (const message of caller.caller.dtmf('5')) caller.sends(message);
    expect(story.only('dtmf_received').data).toMatchObject({ digit: '5', source: 'out_of_band' });
  });

  it('is told the call’s events in-band where it asks for them', () => {
    const story = new Story();
    const caller = story.arrives({ dialect: 'native' });
    caller.speaks(100);
    expect(caller.inbandTypes).toEqual(['leg_connected', 'voice_detected']);
  });

  it('never has frames wait on a socket that is not read: they are dropped and counted', () => {
    const story = new Story();
    const caller = story.arrives();
    caller.socket.isWedged = true;
    caller.speaks(100);
    expect(caller.heard).toHaveLength(0);
    expect(story.groups.of('twilio', 'caller').frames).toMatchObject({
      droppedBusyFrames: 5,
      playedFrames: 0,
    });
  });

  it('with the silent agent hears nothing and is heard', () => {
    const story = new Story();
    const caller = story.arrives({ agentId: 'silent' });
    caller.speaks(200);
    expect(caller.heard).toHaveLength(0);
    expect(story.types).toContain('voice_detected');
  });

  it('without an agent is still a call', () => {
    const story = new Story();
    const caller = story.arrives({ agentId: null });
    caller.speaks(200);
    caller.hangsUp();
    expect(story.types).toEqual([
      'call_started',
      'leg_connected',
      'voice_detected',
      'voice_ended',
      'leg_disconnected',
      'call_ended',
      'call_completed',
    ]);
  });
});
