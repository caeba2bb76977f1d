import { describe, expect, it } from 'vitest';
import { Handovers } from '../../src/call/handover/handovers.ts';
import type { Sounds } from '../../src/call/sounds/sounds.ts';
import type { CommandResult } from '../../src/events/commands.ts';
import { l16 } from '../../src/media/format.ts';
import { openInterruptionScene } from './interruptions.ts';
import { Succession } from './succession.ts';
import { Story, type StoryParty } from './story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

/** Half a second of one level. */
const SOUNDS: Sounds = {
  open: async (_, sampleRateHz) => ({ sampleRateHz, samples: new Int16Array(sampleRateHz / 2).fill(1234) }),
};

function openScene(options: ConstructorParameters<typeof Story>[0] = {}) {
  const story = new Story(options);
  const caller = story.arrives(NATIVE);
  const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  return { story, caller, agent };
}

/** What was heard, but for the silence that a mix fades out with. */
const levels = (party: StoryParty): number[] =>
  party.heard.map((frame) => frame[80]!).filter((level) => level !== 0);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

function counts(agent: StoryParty, frames: number): void {
  for (const level of upTo(frames)) agent.sendsFrame(level);
}

/** How the one leg it was about stands. */
function stateOf(result: CommandResult, of: 'paused' | 'resumed'): unknown {
  if (!result.ok) throw new Error(result.detail);
  return (result.value as Record<string, readonly unknown[]>)[of]![0];
}

describe('words that are paused', () => {
  it('wait, and go on with the very frame that was to come', () => {
    const { story, caller, agent } = openScene();
    counts(agent, 50);
    story.passes(210);
    const leg = { leg_id: caller.legId };
    const heard = caller.heard.length;
    const played = { ...leg, played_ms: 20 * heard, unplayed_ms: 20 * (50 - heard), playbacks: [] };
    expect(stateOf(story.asks('pause', leg), 'paused')).toEqual(played);
    story.passes(5_000);
    expect(heard).toBeGreaterThan(5);
    expect(levels(caller)).toEqual(upTo(heard));
    expect(story.types).not.toContain('playback_finished');
    expect(stateOf(story.asks('resume', leg), 'resumed')).toEqual(played);
    story.passes(2_000);
    expect(levels(caller)).toEqual(upTo(50));
    expect(story.only('playback_finished').data['played_ms']).toBe(1_000);
  });

  it('wait with what is said meanwhile, and with the marks behind it', () => {
    const { story, caller, agent } = openScene();
    story.asks('pause');
    counts(agent, 20);
    agent.says({ type: 'mark', name: 'end' });
    story.passes(1_000);
    expect([caller.heard.length, caller.marks.length]).toEqual([0, 0]);
    story.asks('resume');
    story.passes(1_000);
    caller.sends(caller.caller.markPlayed('end')!);
    expect(levels(caller)).toEqual(upTo(20));
    expect(story.only('mark_reached').data).toMatchObject({ name: 'end', played_ms: 400 });
  });

  it('may be dropped where they wait, and what is said after that is heard', () => {
    const { story, caller, agent } = openScene();
    counts(agent, 50);
    agent.says({ type: 'mark', name: 'end' });
    story.passes(110);
    story.asks('pause');
    const heard = caller.heard.length;
    const cleared = { leg_id: caller.legId, played_ms: 20 * heard, unplayed_ms: 20 * (50 - heard) };
    expect(story.asks('clear', { leg_id: caller.legId })).toEqual({
      ok: true,
      value: { cleared: [cleared] },
    });
    // What was heard of the speech the mark stood in, not what was said.
    expect(story.only('mark_reached').data).toMatchObject({ name: 'end', played_ms: 20 * heard });
    caller.forgets();
    counts(agent, 5);
    story.passes(300);
    expect(levels(caller)).toEqual(upTo(5));
  });

  it('stay paused where their agent takes them back and says others', () => {
    const { story, caller, agent } = openScene();
    story.asks('pause');
    counts(agent, 10);
    agent.says({ type: 'clear' });
    counts(agent, 3);
    story.passes(500);
    expect(levels(caller)).toEqual([]);
    story.asks('resume');
    story.passes(500);
    expect(levels(caller)).toEqual(upTo(3));
  });

  it('wait at one leg alone, where one leg was named', () => {
    const { story, caller, agent } = openScene();
    const listener = story.arrives({ ...NATIVE, role: 'supervisor', callId: story.call.id, mode: 'monitor' });
    story.asks('pause', { leg_id: caller.legId });
    counts(agent, 10);
    story.passes(400);
    expect([caller.heard.length, listener.heard.length > 0]).toEqual([0, true]);
  });

  it('wait though a sound is played over them, and are whole after it', async () => {
    const { story, caller, agent } = openScene({ ports: { sounds: SOUNDS } });
    counts(agent, 40);
    story.passes(210);
    story.asks('pause');
    await story.asksLater('play', { url: 'file:notice.wav', leg_id: caller.legId });
    story.passes(1_000);
    expect(levels(caller).filter((level) => level === 1234)).toHaveLength(25);
    story.asks('resume');
    story.passes(2_000);
    expect(levels(caller).filter((level) => level !== 1234 && level !== 0)).toEqual(upTo(40));
  });

  it('do not keep a live voice waiting', () => {
    const { story, caller, agent } = openScene();
    const human = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
    counts(agent, 40);
    story.passes(100);
    story.asks('pause');
    caller.forgets();
    for (let i = 0; i < 10; i++) {
      story.passes(20);
      human.sendsFrame(3_000);
    }
    story.passes(60);
    expect(levels(caller).filter((level) => level === 3_000)).toHaveLength(10);
  });

  it('are no interruption to speak over, and no talk that keeps a silent call alive', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('clear', {
      limits: { silenceMs: 10_000 },
    });
    agent.bursts(50);
    caller.silent(200);
    story.asks('pause');
    caller.speaks(1_000);
    expect([interrupted, story.types.includes('barge_in')]).toEqual([[], false]);
    for (let second = 0; second < 12; second++) story.passes(1_000);
    expect(story.only('call_ended').data['reason']).toBe('silence_timeout');
  });

  it('stay paused behind a cough, and a cough stays one behind a resume', () => {
    const { story, caller, agent, interrupted } = openInterruptionScene('pause');
    agent.bursts(100);
    caller.silent(400);
    caller.speaks(60);
    const heard = caller.heard.length;
    story.asks('pause');
    caller.silent(1_000);
    expect([caller.heard.length, interrupted]).toEqual([heard, []]);
    story.asks('resume');
    caller.silent(400);
    expect(caller.heard.length).toBeGreaterThan(heard);
  });

  it('are given back when the caller hangs up in the middle of it', () => {
    const { story, caller, agent } = openScene();
    counts(agent, 50);
    story.asks('pause');
    story.passes(100);
    caller.hangsUp();
    story.passes(1_000);
    expect(story.only('call_ended').data['reason']).toBe('caller_hangup');
    expect(story.failures).toEqual([]);
  });
});

describe('a sound that is paused', () => {
  it('goes on where it was, and tells what was played of it', async () => {
    const { story, caller } = openScene({ ports: { sounds: SOUNDS } });
    const begun = await story.asksLater('play', { url: 'file:there.wav', leg_id: caller.legId });
    const playback_id = begun.ok ? (begun.value as { playback_id: string }).playback_id : '';
    story.passes(210);
    const heard = caller.heard.length;
    const playbacks = [{ playback_id, played_ms: 20 * heard }];
    expect(stateOf(story.asks('pause', { leg_id: caller.legId }), 'paused')).toMatchObject({ playbacks });
    story.passes(3_000);
    expect(levels(caller)).toHaveLength(heard);
    story.asks('resume');
    story.passes(1_000);
    expect(levels(caller).filter((level) => level === 1234)).toHaveLength(25);
    expect(story.only('playback_finished').data).toMatchObject({ playback_id, played_ms: 500 });
  });
});

describe('a pause', () => {
  it('may be asked for by a caller for itself and for nobody else', () => {
    const { story, caller, agent } = openScene();
    counts(agent, 20);
    caller.says({ type: 'command', id: 'a', name: 'pause', args: { leg_id: caller.legId } });
    caller.says({ type: 'command', id: 'b', name: 'pause', args: {} });
    caller.says({ type: 'command', id: 'c', name: 'resume', args: { leg_id: agent.legId } });
    story.passes(500);
    expect(levels(caller)).toEqual([]);
    const denied = { ok: false, fault: 'permission_denied' };
    expect(caller.told('result')).toMatchObject([
      { id: 'a', ok: true, value: { paused: [{ leg_id: caller.legId, unplayed_ms: 400 }] } },
      { id: 'b', ...denied },
      { id: 'c', ...denied },
    ]);
  });

  it('goes on at the node that takes the call over, until somebody asks', async () => {
    const succession = new Succession();
    const caller = succession.arrives(NATIVE);
    const agent = succession.arrives({ ...NATIVE, role: 'agent', callId: succession.call.id });
    counts(agent, 20);
    succession.node.asks('pause', { leg_id: caller.legId });
    expect(succession.snapshot().members.map(({ place }) => place?.isPaused)).toEqual([true, undefined]);
    succession.dies();
    const back = await succession.comesBack(caller);
    const speaker = await succession.comesBack(agent);
    counts(speaker, 10);
    succession.node.passes(500);
    expect(back.heard).toEqual([]);
    succession.node.asks('resume');
    succession.node.passes(500);
    expect(levels(back)).toEqual(upTo(10));
  });

  it('may be ended for everybody before a line is back at the next node', async () => {
    const succession = new Succession();
    const caller = succession.arrives(NATIVE);
    const agent = succession.arrives({ ...NATIVE, role: 'agent', callId: succession.call.id });
    succession.node.asks('pause');
    succession.dies();
    succession.node.asks('resume');
    const back = await succession.comesBack(caller);
    const speaker = await succession.comesBack(agent);
    counts(speaker, 10);
    succession.node.passes(500);
    expect(levels(back)).toEqual(upTo(10));
  });

  it('goes on where a handover has failed, and is over where one has succeeded', () => {
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    const { story, caller, agent } = openScene({ ports: { parts } });
    const other = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    const handOver = (mode: string): string => {
      const target = { type: 'leg', to: other.legId };
      const begun = story.asks('hand_over', { target, mode, hold: 'silence' });
      return begun.ok ? (begun.value as { handover_id: string }).handover_id : begun.detail;
    };
    counts(agent, 20);
    story.asks('pause', { leg_id: caller.legId });
    const handover_id = handOver('warm');
    story.asks('answer_handover', { handover_id, verdict: 'cancel' });
    story.passes(500);
    expect(levels(caller)).toEqual([]);
    handOver('cold');
    counts(other, 10);
    story.passes(500);
    expect(levels(caller)).toEqual(upTo(10));
    expect(story.types).toContain('transfer_success');
  });
});
