import { describe, expect, it } from 'vitest';
import type { OwnToolCall, OwnTools } from '../../../src/call/agents/own-tools.ts';
import type { HttpTool } from '../../../src/events/agents.ts';
import type { CommandResult } from '../../../src/events/commands.ts';
import { openAgentStory } from './scripted-backends.ts';

const LOOKUP: HttpTool = {
  name: 'lookup',
  description: 'Looks an account up.',
  parameters: { type: 'object', properties: { account: { type: 'string' } } },
  timeout_ms: 3_000,
  request: null,
};

function openScene({ isCarriedOut = true } = {}) {
  const asked: { readonly call: OwnToolCall; readonly callId: string; readonly timeLimitMs: number }[] = [];
  const pending: ((result: CommandResult) => void)[] = [];
  const ownTools: OwnTools = {
    run: (call, { id: callId }, timeLimitMs) => {
      asked.push({ call, callId, timeLimitMs });
      return new Promise((resolve) => pending.push(resolve));
    },
  };
  const options = isCarriedOut ? { ownTools } : {};
  const { story, backends } = openAgentStory({ tools: ['end_call'], http_tools: [LOOKUP] }, options);
  const caller = story.arrives({ agentId: 'front-desk' });
  const agent = backends[0]!;
  agent.answers();
  agent.speaks(1);
  const calls = (name: string, args: object | string = {}): void =>
    agent.says({ type: 'tool_call', id: 't-1', name, arguments: args });
  return { story, caller, agent, asked, pending, calls };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

describe('a function of an agent’s own', () => {
  it('is told to the backend beside the house’s own', () => {
    const { name, description, parameters } = LOOKUP;
    const tools = openScene().agent.hello['tools'] as { readonly name: string }[];
    expect(tools.map((tool) => tool.name)).toEqual(['end_call', 'lookup']);
    expect(tools[1]).toEqual({ name, description, parameters });
  });

  it('is carried out elsewhere, its result told to the agent, both in the timeline', async () => {
    const { story, caller, agent, asked, pending, calls } = openScene();
    calls('lookup', { account: 'A1' });
    expect(asked).toEqual([
      {
        call: { agentId: 'front-desk', tool: 'lookup', id: 't-1', argumentsText: '{"account":"A1"}' },
        callId: story.only('call_started').resource.id,
        timeLimitMs: 3_000,
      },
    ]);
    expect(story.only('tool_called').data).toMatchObject({ tool: 'lookup', tool_call_id: 't-1' });
    agent.speaks(10);
    story.passes(400);
    expect(caller.heard).toHaveLength(11);
    pending[0]!({ ok: true, value: { open: true } });
    await turns();
    expect(agent.told('tool_result')).toMatchObject([{ id: 't-1', ok: true, value: { open: true } }]);
    expect(story.only('tool_result').data).toMatchObject({ ok: true, error: null, duration_ms: 400 });
    caller.hangsUp();
    const completed = story.only('call_completed').data;
    expect(completed['tools']).toMatchObject([{ name: 'lookup', ok: true }]);
    const timeline = completed['timeline'] as { readonly type: string }[];
    expect(timeline.map(({ type }) => type)).toEqual(expect.arrayContaining(['tool_called', 'tool_result']));
  });

  it('says what went wrong with it', async () => {
    const { story, agent, pending, calls } = openScene();
    calls('lookup');
    pending[0]!({ ok: false, fault: 'payload_too_large', detail: 'too much' });
    await turns();
    expect(agent.told('tool_result')).toMatchObject([
      { ok: false, value: { error: 'payload_too_large', detail: 'too much' } },
    ]);
    expect(story.only('tool_result').data).toMatchObject({ ok: false, error: 'payload_too_large' });
  });

  it('is not asked with arguments that are no object, or too long', () => {
    const { agent, asked, calls } = openScene();
    calls('lookup', '[1]');
    calls('lookup', `{"a":"${'x'.repeat(70_000)}"}`);
    expect(asked).toEqual([]);
    expect(agent.told('tool_result')).toMatchObject([
      { value: { error: 'invalid_argument' } },
      { value: { error: 'payload_too_large' } },
    ]);
  });

  it('that is still under way when the call ends has failed, once', async () => {
    const { story, caller, pending, calls } = openScene();
    calls('lookup');
    caller.hangsUp();
    expect(story.only('tool_result').data).toMatchObject({ ok: false, error: 'unavailable' });
    pending[0]!({ ok: true, value: {} });
    await turns();
    expect(story.types.filter((type) => type === 'tool_result')).toHaveLength(1);
    expect(story.types.at(-1)).toBe('call_completed');
  });

  it('is refused in words where nobody carries such things out', () => {
    const { agent, calls } = openScene({ isCarriedOut: false });
    calls('lookup');
    expect(agent.told('tool_result')).toMatchObject([{ value: { error: 'failed_precondition' } }]);
  });
});
