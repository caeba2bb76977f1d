import { describe, expect, it } from 'vitest';
import type { SupervisionMode } from '../../src/events/call-commands.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryParty } from './story.ts';
import { tonesIn } from './tones.ts';

// Whole cycles in 20 ms, so that a tone leaves no trace at the others' frequencies.
const CALLER_HZ = 400;
const AGENT_HZ = 700;
const BOSS_HZ = 1100;
const COACH_HZ = 1500;
const ALL_HZ = [CALLER_HZ, AGENT_HZ, BOSS_HZ, COACH_HZ];

interface Scene {
  readonly story: Story;
  readonly caller: StoryParty;
  readonly agent: StoryParty;
  readonly boss: StoryParty;
}

/** A caller by Twilio, an agent and a supervisor by `native`. */
function openScene(mode?: SupervisionMode): Scene {
  const story = new Story();
  const caller = story.arrives({ agentId: null });
  const { id: callId } = story.call;
  const agent = story.arrives({ dialect: 'native', role: 'agent', callId, agentId: null });
  const wish = mode === undefined ? {} : { mode };
  const boss = story.arrives({ dialect: 'native', role: 'supervisor', callId, agentId: null, ...wish });
  return { story, caller, agent, boss };
}

/** Everybody speaks for a while: whom each of them has heard once the change has settled. */
function whoHearsWhom({ story, caller, agent, boss }: Scene) {
  const tones = [
    [caller, CALLER_HZ],
    [agent, AGENT_HZ],
    [boss, BOSS_HZ],
  ] as const;
  story.sing(200, tones);
  for (const [party] of tones) party.forgets();
  story.sing(400, tones);
  const [byCaller, byAgent, byBoss] = [caller, agent, boss].map(({ heard }) => tonesIn(heard, ALL_HZ));
  return { byCaller, byAgent, byBoss };
}

const HEARD = {
  monitor: { byCaller: [AGENT_HZ], byAgent: [CALLER_HZ], byBoss: [CALLER_HZ, AGENT_HZ] },
  whisper: { byCaller: [AGENT_HZ], byAgent: [CALLER_HZ, BOSS_HZ], byBoss: [CALLER_HZ, AGENT_HZ] },
  barge: { byCaller: [AGENT_HZ, BOSS_HZ], byAgent: [CALLER_HZ, BOSS_HZ], byBoss: [CALLER_HZ, AGENT_HZ] },
  takeover: { byCaller: [BOSS_HZ], byAgent: [], byBoss: [CALLER_HZ] },
} as const;

describe('a supervisor', () => {
  it.each(Object.keys(HEARD) as SupervisionMode[])(
    'who comes in to %s is heard as that, and hears',
    (mode) => {
      const scene = openScene(mode);
      expect(whoHearsWhom(scene)).toEqual(HEARD[mode]);
      expect(scene.story.only('supervisor_joined').data).toMatchObject({ leg_id: scene.boss.legId, mode });
    },
  );

  it('listens only, where nobody said how', () => {
    expect(whoHearsWhom(openScene())).toEqual(HEARD.monitor);
  });

  it('goes from monitor to whisper to barge to takeover and back in mid-call', () => {
    const scene = openScene('monitor');
    for (const mode of ['whisper', 'barge', 'takeover', 'whisper', 'monitor'] as const) {
      expect(scene.story.asks('supervise', { leg_id: scene.boss.legId, mode })).toMatchObject({ ok: true });
      expect([mode, whoHearsWhom(scene)]).toEqual([mode, HEARD[mode]]);
    }
    const told = scene.story.events.filter(({ type }) => type.startsWith('supervisor_'));
    expect(told.map(({ type, data }) => `${type.slice(11)} ${String(data['mode'])}`)).toEqual([
      'joined monitor',
      'left monitor',
      'joined whisper',
      'left whisper',
      'joined barge',
      'left barge',
      'joined takeover',
      'left takeover',
      'joined whisper',
      'left whisper',
      'joined monitor',
    ]);
  });

  it('is one of two, and they hear each other only where one speaks up for all', () => {
    const scene = openScene('monitor');
    const { story, caller, agent, boss } = scene;
    const options = { role: 'supervisor', callId: story.call.id, agentId: null, mode: 'barge' } as const;
    const coach = story.arrives({ dialect: 'native', ...options });
    const tones = [
      [caller, CALLER_HZ],
      [agent, AGENT_HZ],
      [boss, BOSS_HZ],
      [coach, COACH_HZ],
    ] as const;
    story.sing(200, tones);
    for (const [party] of tones) party.forgets();
    story.sing(400, tones);
    expect(tonesIn(boss.heard, ALL_HZ)).toEqual([CALLER_HZ, AGENT_HZ, COACH_HZ]);
    expect(tonesIn(coach.heard, ALL_HZ)).toEqual([CALLER_HZ, AGENT_HZ]);
    expect(tonesIn(caller.heard, ALL_HZ)).toEqual([AGENT_HZ, COACH_HZ]);
  });

  it('cannot take over what another has, and nobody else can be a supervisor', () => {
    const { story, agent, boss } = openScene('takeover');
    const options = { role: 'supervisor', callId: story.call.id, agentId: null } as const;
    const coach = story.arrives({ dialect: 'native', ...options });
    const take = { leg_id: coach.legId, mode: 'takeover' };
    expect(story.asks('supervise', take)).toMatchObject({ ok: false, fault: 'conflict' });
    boss.hangsUp();
    expect(story.asks('supervise', take)).toMatchObject({ ok: true });
    const other = story.asks('supervise', { leg_id: agent.legId, mode: 'barge' });
    expect(other).toMatchObject({ ok: false, fault: 'failed_precondition' });
    const nobody = story.asks('supervise', { leg_id: 'leg_none', mode: 'barge' });
    expect(nobody).toMatchObject({ ok: false, fault: 'not_found' });
  });

  it('who took over and leaves gives the caller back to its agent', () => {
    const scene = openScene('takeover');
    whoHearsWhom(scene);
    scene.boss.hangsUp();
    const { byCaller, byAgent } = whoHearsWhom(scene);
    expect([byCaller, byAgent]).toEqual([[AGENT_HZ], [CALLER_HZ]]);
    expect(scene.story.only('supervisor_left').data).toMatchObject({ mode: 'takeover' });
  });

  it('on a line of 16 kHz hears a call of 8 kHz, and is heard there', () => {
    const story = new Story();
    const caller = story.arrives({ agentId: null });
    const { id: callId } = story.call;
    const wide = { dialect: 'native', format: l16(16_000), callId, agentId: null } as const;
    const agent = story.arrives({ ...wide, role: 'agent' });
    const boss = story.arrives({ ...wide, role: 'supervisor', mode: 'barge' });
    story.sing(600, [
      [caller, CALLER_HZ],
      [agent, AGENT_HZ],
      [boss, BOSS_HZ],
    ]);
    expect(tonesIn(caller.heard, ALL_HZ)).toEqual([AGENT_HZ, BOSS_HZ]);
    expect(tonesIn(agent.heard, ALL_HZ, 16_000)).toEqual([CALLER_HZ, BOSS_HZ]);
    expect(tonesIn(boss.heard, ALL_HZ, 16_000)).toEqual([CALLER_HZ, AGENT_HZ]);
  });
});
