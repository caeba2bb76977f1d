import { describe, expect, it } from 'vitest';
import { refuse } from '../../src/base/errors.ts';
import type { CallPart } from '../../src/call/call-part.ts';
import { done } from '../../src/call/commands/outcome.ts';
import type { Sounds } from '../../src/call/sounds/sounds.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type PartyOptions, type StoryParty } from './story.ts';
import { amplitudeOf } from './tones.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

function openScene(options: ConstructorParameters<typeof Story>[0] = {}, caller: PartyOptions = NATIVE) {
  const story = new Story(options);
  const one = story.arrives(caller);
  const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  return { story, caller: one, agent };
}

/** Half a second of one level. */
const SOUNDS: Sounds = {
  open: async (url, sampleRateHz) =>
    url === 'file:there.wav'
      ? { sampleRateHz, samples: new Int16Array(sampleRateHz / 2).fill(1234) }
      : refuse('failed_precondition', `there is no sound ${url}`),
};

describe('playing', () => {
  it('a file is heard to its end, and its end is told', async () => {
    const { story, caller } = openScene({ ports: { sounds: SOUNDS } });
    const result = await story.asksLater('play', { url: 'file:there.wav', leg_id: caller.legId });
    expect(result).toMatchObject({ ok: true, value: { leg_ids: [caller.legId] } });
    story.passes(1_000);
    expect(caller.heard.filter((frame) => frame[80] === 1234)).toHaveLength(25);
    expect(story.only('playback_finished').data).toMatchObject({
      leg_id: caller.legId,
      playback_id: expect.stringMatching(/^play_/) as string,
      played_ms: 500,
    });
    expect(story.call.roster.caller!.ear!.isMixing).toBe(false);
  });

  it('to everybody reaches everybody, at its gain, until it is cleared', async () => {
    const { story, caller, agent } = openScene({ ports: { sounds: SOUNDS } });
    await story.asksLater('play', { url: 'file:there.wav', loop: true, gain_ratio: 2 });
    story.passes(2_000);
    for (const party of [caller, agent]) expect(party.heard.at(-1)![80]).toBe(2468);
    story.asks('clear');
    for (const party of [caller, agent]) party.forgets();
    story.passes(100);
    // The frame that ends it fades out.
    for (const party of [caller, agent]) expect(party.heard.length).toBeLessThanOrEqual(1);
    expect(story.types).not.toContain('playback_finished');
  });

  it.each([
    ['file:missing.wav', 'failed_precondition'],
    ['tone:unheard-of', 'invalid_argument'],
    ['tone:9999', 'invalid_argument'],
  ])('%s is refused with %s', async (url, fault) => {
    const { story } = openScene({ ports: { sounds: SOUNDS } });
    expect(await story.asksLater('play', { url })).toMatchObject({ ok: false, fault });
  });

  it('to a leg that left while the file was fetched, or in a call that ended, is refused', async () => {
    const { story, caller, agent } = openScene({ ports: { sounds: SOUNDS } });
    const first = story.asksLater('play', { url: 'file:there.wav', leg_id: agent.legId });
    const second = story.asksLater('play', { url: 'file:there.wav', leg_id: caller.legId });
    agent.hangsUp();
    expect(await first).toMatchObject({ ok: false, fault: 'not_found' });
    expect(await second).toMatchObject({ ok: true });
    const third = story.asksLater('play', { url: 'file:there.wav' });
    caller.hangsUp();
    expect(await third).toMatchObject({ ok: false, fault: 'failed_precondition' });
  });

  it('too much at once is refused', () => {
    const { story } = openScene();
    for (let i = 0; i < 4; i++) expect(story.asks('play', { url: 'tone:440', loop: true }).ok).toBe(true);
    expect(story.asks('play', { url: 'tone:440' })).toMatchObject({ ok: false, fault: 'conflict' });
  });

  it('files where a node has none is refused by name', () => {
    const { story } = openScene();
    expect(story.asks('play', { url: 'file:there.wav' })).toEqual({
      ok: false,
      fault: 'failed_precondition',
      detail: 'playing files and URLs is not available on this node',
    });
  });
});

describe('keys', () => {
  it('are said in the words of the protocol that has them', () => {
    const { story, caller } = openScene();
    expect(story.asks('dtmf', { digits: '1#' })).toMatchObject({ value: { source: 'out_of_band' } });
    expect(caller.told('dtmf').map(({ digit }) => digit)).toEqual(['1', '#']);
  });

  it('are heard as tones by everybody else', () => {
    const { story, caller } = openScene({}, { agentId: null });
    expect(story.asks('dtmf', { digits: '1' })).toMatchObject({ value: { source: 'in_band' } });
    story.passes(300);
    // ITU-T Q.23: 1 is 697 and 1209 Hz. Of 100 ms each at −10 and −8 dBm0.
    const tone = caller.heard.slice(1, 5);
    for (const hz of [697, 1209]) expect(amplitudeOf(tone, hz)).toBeGreaterThan(3000);
    for (const hz of [770, 1336]) expect(amplitudeOf(tone, hz)).toBeLessThan(1500);
  });
});

describe('what is noted', () => {
  it('is told as it is said, and again when the call is over', () => {
    const { story, caller } = openScene();
    story.asks('set_disposition', { disposition: 'callback' });
    story.asks('set_disposition', { disposition: 'sale', by: 'crm' });
    story.asks('qualify', { score: 3, threshold: 5 });
    story.asks('qualify', { score: 6, threshold: 5, criteria: { budget: true } });
    story.asks('qualify', { score: 7, threshold: 5 });
    const segments = [{ speaker: 'caller', text: 'hello', start_ms: 0, end_ms: 400 }];
    expect(story.asks('add_transcript', { segments })).toMatchObject({ value: { segments: 1 } });
    caller.hangsUp();
    const set = story.events.filter(({ type }) => type === 'disposition_set').map(({ data }) => data['by']);
    expect(set).toEqual(['api', 'crm']);
    expect(story.only('qualification_met').data).toMatchObject({ score: 6, criteria: { budget: true } });
    expect(story.only('transcript_segment').data).toMatchObject(segments[0]!);
    expect(story.only('call_completed').data).toMatchObject({
      disposition: 'sale',
      qualification: { score: 7, threshold: 5 },
    });
  });
});

describe('a transfer', () => {
  it('is refused where neither protocol nor account can do it, naming what is missing', () => {
    const { story } = openScene();
    const result = story.asks('transfer', { to: '+15550123' });
    expect(result).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect(JSON.stringify(result)).toContain('native');
  });
});

describe('a command in a leg’s own socket', () => {
  const says = (party: StoryParty, name: string, args: object = {}, id: string | null = 'c-1') =>
    party.says({ type: 'command', id, name, args });

  it('does what it does from outside, and is answered by its id', () => {
    const { story, agent } = openScene();
    says(agent, 'hold', { on: true });
    says(agent, 'set_disposition', { disposition: 'sale' }, 'c-2');
    says(agent, 'qualify', { score: 'much' }, 'c-3');
    says(agent, 'make_coffee', {}, 'c-4');
    expect(agent.told('result')).toMatchObject([
      { id: 'c-1', ok: true, value: { on: true, source: 'music' } },
      { id: 'c-2', ok: true },
      { id: 'c-3', ok: false, fault: 'invalid_argument' },
      { id: 'c-4', ok: false, fault: 'invalid_argument' },
    ]);
    expect(story.only('hold_started')).toBeDefined();
  });

  it('is answered before the end it asks for', () => {
    const { story, agent } = openScene();
    says(agent, 'hang_up');
    expect(agent.told('result')).toEqual([{ type: 'result', id: 'c-1', ok: true, value: {} }]);
    expect(story.only('call_ended').data['reason']).toBe('agent_hangup');
  });

  it.each(['invite', 'supervise', 'transfer', 'play', 'remove_leg', 'hand_over', 'record', 'fork'])(
    'that only the house’s own people may give is refused to a caller: %s',
    (name) => {
      const { caller } = openScene();
      const target = { type: 'phone', to: '+1900' };
      const args = { leg_id: 'x', mode: 'barge', role: 'human', to: '+1900', url: 'tone:440', target };
      says(caller, name, name === 'invite' ? { role: 'supervisor' } : { ...args, action: 'start' });
      const refused = [{ ok: false, fault: expect.stringMatching(/permission_denied|invalid/) as string }];
      expect(caller.told('result')).toMatchObject(refused);
    },
  );

  it('lets a caller mute itself and nobody else', () => {
    const { caller, agent } = openScene();
    says(caller, 'mute', { leg_id: caller.legId, on: true }, 'a');
    says(caller, 'mute', { leg_id: agent.legId, on: true }, 'b');
    expect(caller.told('result')).toMatchObject([
      { id: 'a', ok: true },
      { id: 'b', ok: false, fault: 'permission_denied' },
    ]);
  });
});

describe('what is built on top of calls', () => {
  it.each([
    ['hand_over', { target: { type: 'queue', to: 'sales' } }, 'handing over'],
    ['answer_handover', { handover_id: 'x', verdict: 'accept' }, 'handing over'],
    ['record', { action: 'start' }, 'recording'],
    ['fork', { url: 'wss://stt.example/' }, 'forking'],
    ['invite', { role: 'human' }, 'inviting'],
  ])('%s is refused by name until it is fitted', (name, args, what) => {
    const { story } = openScene();
    const detail = `${what} is not available on this node`;
    expect(story.asks(name, args)).toEqual({ ok: false, fault: 'failed_precondition', detail });
  });

  it('carries out its commands, seats who comes, and hears of everything', () => {
    const heard: string[] = [];
    const part: CallPart = {
      commands: ['record'],
      command: (command) => done({ asked: command.name }),
      seatOf: ({ party }) => (party.role === 'human' ? 'aside' : undefined),
      onJoined: ({ party }) => void heard.push(`joined ${party.role}`),
      onLeft: ({ party }) => void heard.push(`left ${party.role}`),
      onFrame: ({ party }) => void heard.push(`frame ${party.role}`),
      completion: () => ({ recordings: ['rec_1'] }),
      onEnding: () => void heard.push('ending'),
    };
    const { story, caller } = openScene({ ports: { parts: [() => part] } });
    const human = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    expect(story.asks('record', { action: 'start' })).toEqual(done({ asked: 'record' }));
    caller.speaks(20);
    expect(human.heard).toEqual([]);
    human.hangsUp();
    caller.hangsUp();
    expect(heard).toEqual([
      'joined caller',
      'joined agent',
      'joined human',
      'frame caller',
      'left human',
      'ending',
    ]);
    expect(story.only('call_completed').data['recordings']).toEqual(['rec_1']);
  });
});
