import { describe, expect, it } from 'vitest';
import { bargeInFor } from '../../src/call/barge-in/barge-in.ts';
import type { BargeInPolicy } from '../../src/call/barge-in/interruption.ts';
import { l16 } from '../../src/media/format.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import type { StoryParty } from './story.ts';
import { Succession } from './succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

interface Scene {
  readonly story: Succession;
  readonly caller: StoryParty;
  readonly agent: StoryParty;
}

function openScene(policy: BargeInPolicy): Scene {
  const parts = [bargeInFor({ policy, hangoverMs: VOICE_DEFAULTS.stopMs })];
  const story = new Succession({ ports: { parts } });
  const caller = story.arrives(NATIVE);
  return { story, caller, agent: story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id }) };
}

/** The agent says two seconds at once, and the caller speaks over them. */
function interrupt({ caller, agent }: Scene): void {
  agent.bursts(100);
  caller.silent(400);
  caller.speaks(100);
}

async function afterDeath({ story, caller, agent }: Scene, first: 'caller' | 'agent'): Promise<Scene> {
  story.dies();
  if (first === 'caller') {
    const callerBack = await story.comesBack(caller);
    return { story, caller: callerBack, agent: await story.comesBack(agent) };
  }
  const agentBack = await story.comesBack(agent);
  agentBack.bursts(5);
  return { story, caller: await story.comesBack(caller), agent: agentBack };
}

const told = ({ story }: Scene) => story.events.filter(({ type }) => type === 'barge_in');

describe('a caller whose node died', () => {
  it.each(['caller', 'agent'] as const)('can interrupt its agent again, the %s back first', async (first) => {
    const scene = openScene('clear');
    interrupt(scene);
    expect(told(scene)).toHaveLength(1);
    const after = await afterDeath(scene, first);
    interrupt(after);
    expect(told(after)).toHaveLength(2);
    expect(told(after)[1]!.data).toMatchObject({
      leg_id: scene.caller.legId,
      interrupted_leg_id: scene.agent.legId,
    });
    after.caller.hangsUp();
    const { interruptions } = scene.story.told('call_completed');
    expect(interruptions).toEqual({ [scene.caller.legId]: 2 });
    expect(scene.story.node.failures).toEqual([]);
  });

  it('does not find its agent paused by an interruption of before', async () => {
    const scene = openScene('pause');
    interrupt(scene);
    const after = await afterDeath(scene, 'caller');
    after.agent.bursts(10);
    after.caller.forgets();
    after.caller.silent(400);
    expect(after.caller.heard.length).toBeGreaterThanOrEqual(9);
    expect(scene.story.node.clock.pendingTasks).toBeLessThanOrEqual(1);
  });
});
