import { bargeInFor, type Interruptible } from '../../src/call/barge-in/barge-in.ts';
import type { BargeInPolicy } from '../../src/call/barge-in/interruption.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { Story, type PartyOptions, type StoryOptions, type StoryParty } from './story.ts';

/** A caller, an agent that says what was told of its interruptions, and the rule between them. */
export interface InterruptionScene {
  readonly story: Story;
  readonly caller: StoryParty;
  readonly agent: StoryParty;
  /** What the agent was told: which item, and how much of it was heard. */
  readonly interrupted: { readonly itemId: string | null; readonly playedMs: number }[];
}

export function openInterruptionScene(
  policy: BargeInPolicy,
  options: StoryOptions & { readonly caller?: PartyOptions } = {},
): InterruptionScene {
  const part = bargeInFor({ policy, hangoverMs: VOICE_DEFAULTS.stopMs });
  const story = new Story({ ...options, ports: { parts: [part] } });
  const caller = story.arrives({ agentId: null, ...options.caller });
  const callId = story.only('call_started').resource.id;
  const format = options.caller?.format ?? PCMU_8K;
  const agent = story.arrives({ dialect: 'native', role: 'agent', callId, agentId: null, format });
  const interrupted: { itemId: string | null; playedMs: number }[] = [];
  const told: Interruptible = {
    interrupt: (itemId, playedMs) => void interrupted.push({ itemId, playedMs }),
  };
  const member = story.call.roster.find(agent.legId)!;
  member.agent = { ...member.agent!, ...told };
  return { story, caller, agent, interrupted };
}
