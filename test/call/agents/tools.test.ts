import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../src/events/commands.ts';
import { AGENT_TOOLS, type AgentTerms } from '../../../src/events/agents.ts';
import type { MakeCallPart } from '../../../src/call/call-part.ts';
import { openAgentStory, type ScriptedBackend } from './scripted-backends.ts';

const TERMS: Partial<AgentTerms> = {
  tools: AGENT_TOOLS,
  qualification_threshold: 70,
  transfer: {
    target: { type: 'queue', to: 'sales' },
    mode: 'cold',
    hold: 'music',
    timeout_ms: 20_000,
  },
};

function openScene(terms: Partial<AgentTerms> = TERMS, part?: MakeCallPart) {
  const ports = part === undefined ? {} : { parts: [part] };
  const { story, backends } = openAgentStory(terms, { ports });
  const caller = story.arrives({ agentId: 'front-desk' });
  const agent = backends[0]!;
  agent.answers();
  agent.speaks(1);
  return { story, caller, agent };
}

function calls(agent: ScriptedBackend, name: string, args: object | string): void {
  agent.says({ type: 'tool_call', id: `t-${name}`, name, arguments: args });
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

describe('tools of an agent', () => {
  it('are told to the backend; nobody is offered a transfer that leads nowhere', () => {
    const names = (terms: Partial<AgentTerms>): string[] => {
      const tools = openScene(terms).agent.hello['tools'] as { name: string }[];
      return tools.map(({ name }) => name);
    };
    expect(names(TERMS)).toEqual([...AGENT_TOOLS]);
    expect(names({ tools: AGENT_TOOLS, transfer: null })).not.toContain('transfer_to_human');
  });

  it('write down a disposition and a score, and are told of in the post-call payload', () => {
    const { story, caller, agent } = openScene();
    calls(agent, 'set_disposition', { disposition: 'sold' });
    calls(agent, 'qualify', { score: 80, criteria: { budget: 'yes' } });
    expect(story.only('disposition_set').data).toMatchObject({ disposition: 'sold', by: 'agent' });
    expect(story.only('qualification_met').data).toMatchObject({ score: 80, threshold: 70 });
    expect(agent.told('tool_result')).toMatchObject([
      { id: 't-set_disposition', ok: true, value: { disposition: 'sold' } },
      { id: 't-qualify', ok: true, value: { met: true } },
    ]);
    caller.hangsUp();
    expect(story.only('call_completed').data['tools']).toMatchObject([
      { name: 'set_disposition', ok: true, error: null },
      { name: 'qualify', ok: true, error: null },
    ]);
  });

  it('hand the caller over by the agent’s own rules, and say what came of it', () => {
    const asked: unknown[] = [];
    const { agent } = openScene(TERMS, () => ({
      commands: ['hand_over'],
      command: (command) => {
        asked.push(command);
        return { ok: true, value: { handover_id: 'ho_1' } };
      },
    }));
    calls(agent, 'transfer_to_human', { reason: 'wants a person', summary: 'a refund' });
    expect(asked).toEqual([
      {
        name: 'hand_over',
        target: { type: 'queue', to: 'sales' },
        mode: 'cold',
        hold: 'music',
        timeout_ms: 20_000,
        reason: 'wants a person',
        context: { summary: 'a refund' },
      },
    ]);
    expect(agent.told('tool_result')).toMatchObject([{ ok: true, value: { handover_id: 'ho_1' } }]);
  });

  it('end the call once the last words were heard', () => {
    const { story, caller, agent } = openScene();
    agent.speaks(100);
    calls(agent, 'end_call', '');
    expect(agent.told('tool_result')).toMatchObject([{ ok: true }]);
    story.passes(2_000);
    expect(story.types).not.toContain('call_ended');
    story.passes(600);
    expect(caller.heard).toHaveLength(101);
    expect(story.only('call_ended').data['reason']).toBe('agent_hangup');
  });

  it('answer what is no tool, no JSON or no argument of theirs', () => {
    const { agent } = openScene({ tools: ['set_disposition'] });
    calls(agent, 'rm', {});
    calls(agent, 'qualify', { score: 1 });
    calls(agent, 'set_disposition', '{"dispo');
    calls(agent, 'set_disposition', {});
    expect(agent.told('tool_result').map(({ value }) => (value as { error: string }).error)).toEqual([
      'not_found',
      'not_found',
      'invalid_argument',
      'invalid_argument',
    ]);
  });

  it('are answered within eight seconds, whatever hangs, and audio goes on meanwhile', async () => {
    let finish: (result: CommandResult) => void = () => {};
    const { story, caller, agent } = openScene(TERMS, () => ({
      commands: ['hand_over'],
      command: () => new Promise((resolve) => (finish = resolve)),
    }));
    calls(agent, 'transfer_to_human', { reason: 'x' });
    agent.speaks(50);
    story.passes(7_900);
    expect(caller.heard).toHaveLength(51);
    expect(agent.told('tool_result')).toEqual([]);
    story.passes(100);
    expect(agent.told('tool_result')).toMatchObject([{ ok: false, value: { error: 'unavailable' } }]);
    finish({ ok: true, value: {} });
    await turns();
    expect(agent.told('tool_result')).toHaveLength(1);
  });

  it('say so where they broke', async () => {
    const { agent } = openScene(TERMS, () => ({
      commands: ['hand_over'],
      command: () => Promise.reject(new Error('broken')),
    }));
    calls(agent, 'transfer_to_human', { reason: 'x' });
    await turns();
    expect(agent.told('tool_result')).toMatchObject([{ ok: false, value: { error: 'internal' } }]);
  });

  it('are refused beyond sixteen at once', () => {
    const { agent } = openScene(TERMS, () => ({
      commands: ['hand_over'],
      command: () => new Promise(() => {}),
    }));
    for (let i = 0; i < 17; i++) calls(agent, 'transfer_to_human', { reason: 'x' });
    expect(agent.told('tool_result')).toMatchObject([{ ok: false, value: { error: 'rate_limited' } }]);
  });
});

describe('what an agent writes down', () => {
  it('becomes the transcript of the call, whole sentences only', () => {
    const { story, agent } = openScene();
    agent.says({ type: 'transcript', speaker: 'caller', text: 'Hel', final: false });
    agent.says({ type: 'transcript', speaker: 'caller', text: 'Hello there.', start_ms: 100, end_ms: 900 });
    expect(story.only('transcript_segment').data).toMatchObject({
      speaker: 'caller',
      text: 'Hello there.',
      start_ms: 100,
      end_ms: 900,
    });
    expect(story.call.notes.transcript).toHaveLength(1);
  });
});
