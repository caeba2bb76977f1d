import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { Handovers } from '../../../src/call/handover/handovers.ts';
import type { AgentTerms } from '../../../src/events/agents.ts';
import { l16 } from '../../../src/media/format.ts';
import type { CallPorts } from '../../../src/call/ports.ts';
import { Succession } from '../../stories/succession.ts';
import { backend, scriptAgent, type ScriptedBackend } from './scripted-backends.ts';

const CALLER = { dialect: 'native', format: l16(8000), agentId: 'front-desk' } as const;
const CHAIN = { backends: [backend('first'), backend('second')] };

function openScene(terms: Partial<AgentTerms> = CHAIN, ports: CallPorts = {}) {
  const { part, fit, backends } = scriptAgent(terms);
  const story = new Succession({ ports: { ...ports, parts: [...(ports.parts ?? []), part] } });
  fit(story.node);
  const caller = story.arrives(CALLER);
  const agentLegIds = (): unknown[] =>
    story.events
      .filter(({ type, data }) => type === 'leg_connected' && data['role'] === 'agent')
      .map(({ data }) => data['leg_id']);
  return { story, backends, caller, agentLegIds };
}

/** It has answered, was heard to greet, and has listened. */
function talks(first: ScriptedBackend, { node }: Succession): void {
  first.answers();
  first.speaks(5);
  node.passes(200);
  first.says({ type: 'transcript', speaker: 'agent', text: 'Hello.' });
  first.says({ type: 'transcript', speaker: 'caller', text: 'My name is Ada.' });
}

describe('an agent whose node died', () => {
  it('is dialled anew when the caller is back, knows what was said, and does not greet again', async () => {
    const { story, backends, caller } = openScene();
    talks(backends[0]!, story);
    story.dies();
    story.node.passes(1_000);
    expect(backends).toHaveLength(1);
    const back = await story.comesBack(caller);
    expect(backends.map(({ url }) => url)).toEqual(Array(2).fill('wss://first.example/agent'));
    expect(backends[1]!.hello['greeting']).toBeUndefined();
    expect(backends[1]!.hello['history']).toEqual([
      { speaker: 'agent', text: 'Hello.' },
      { speaker: 'caller', text: 'My name is Ada.' },
    ]);
    back.speaks(400);
    backends[1]!.answers();
    expect(backends[1]!.audioFramesHeard).toBe(20);
    backends[1]!.speaks(10);
    back.silent(300);
    expect(back.heard.length).toBeGreaterThanOrEqual(10);
    expect(story.types).not.toContain('agent_failed');
    expect(story.node.failures).toEqual([]);
  });

  it('is cut short by the caller there, and what it said before stays said', async () => {
    const { story, backends, caller } = openScene();
    talks(backends[0]!, story);
    story.dies();
    await story.comesBack(caller);
    const [, again] = backends;
    again!.answers();
    again!.says({ type: 'agent_speaking', item_id: 'item-1' });
    again!.speaks(100);
    const [, leg] = story.call.legs;
    story.call.roster.get(leg!.id)!.agent!.interrupt('item-1', 0);
    again!.closes();
    expect(backends[2]!.hello['history']).toEqual([
      { speaker: 'agent', text: 'Hello.' },
      { speaker: 'caller', text: 'My name is Ada.' },
    ]);
  });

  it('is told of its words only what was heard of them', async () => {
    const { story, backends, caller } = openScene();
    const [first] = backends;
    first!.answers();
    first!.says({ type: 'agent_speaking', item_id: 'item-1' });
    first!.speaks(100);
    first!.says({ type: 'transcript', speaker: 'agent', text: 'one two three four five six seven eight' });
    first!.says({ type: 'agent_spoke', item_id: 'item-1' });
    story.node.passes(1_000);
    const heardFrames = caller.heard.length;
    expect(heardFrames).toBeGreaterThan(45);
    expect(heardFrames).toBeLessThan(52);
    story.dies();
    await story.comesBack(caller);
    expect(backends[1]!.hello['history']).toEqual([{ speaker: 'agent', text: 'one two three four' }]);
  });

  it('sits where it sat, on the leg it had', async () => {
    const { story, backends, caller, agentLegIds } = openScene();
    talks(backends[0]!, story);
    story.dies();
    await story.comesBack(caller);
    backends[1]!.answers();
    const [before, after] = agentLegIds();
    expect(after).toBe(before);
    expect(story.call.conversation.partner?.party.id).toBe(before);
    expect(story.types).not.toContain('leg_disconnected');
    backends[1]!.says({ type: 'transcript', speaker: 'agent', text: 'Where were we?' });
    expect(story.events.at(-1)).toMatchObject({ type: 'transcript_segment', data: { leg_id: before } });
  });

  it('is closed, or no longer dialled, where the call was surrendered', () => {
    for (const isAnswered of [true, false]) {
      const { story, backends } = openScene();
      if (isAnswered) talks(backends[0]!, story);
      story.dies();
      expect(backends[0]!.socket.closed !== undefined).toBe(isAnswered);
      expect(backends[0]!.isCancelled).toBe(!isAnswered);
      const told = story.events.length;
      if (!isAnswered) backends[0]!.answers();
      expect(backends[0]!.socket.closed).toBeDefined();
      story.node.passes(20_000);
      expect(story.events).toHaveLength(told);
      expect(backends).toHaveLength(1);
    }
  });

  it('greets where it had not been heard yet', async () => {
    const { story, backends, caller, agentLegIds } = openScene();
    story.dies();
    await story.comesBack(caller);
    expect(backends[1]!.hello['greeting']).toBe('Hello.');
    backends[1]!.answers();
    expect(agentLegIds()).toHaveLength(1);
  });

  it('gives its place up where the next backend has to take over', async () => {
    const { story, backends, caller, agentLegIds } = openScene();
    talks(backends[0]!, story);
    story.dies();
    await story.comesBack(caller);
    backends[1]!.refuses();
    backends[2]!.answers();
    expect(backends[2]!.url).toBe('wss://second.example/agent');
    const [before, after] = agentLegIds();
    expect(after).not.toBe(before);
    expect(story.told('leg_disconnected')).toMatchObject({ leg_id: before, reason: 'connection_lost' });
    expect(story.told('agent_failed')).toMatchObject({ provider: 'first', fallback: 'second' });
    expect(story.call.conversation.partner?.party.id).toBe(after);
  });

  it('that nobody answers for ends the call', async () => {
    const { story, backends, caller } = openScene({});
    talks(backends[0]!, story);
    story.dies();
    await story.comesBack(caller);
    backends[1]!.refuses();
    expect(story.told('call_ended')['reason']).toBe('no_agent');
  });

  it('stays out of the call it was taken out of', async () => {
    const { story, backends, caller } = openScene();
    talks(backends[0]!, story);
    const [, agentLeg] = story.call.legs;
    story.node.asks('remove_leg', { leg_id: agentLeg!.id });
    story.dies();
    await story.comesBack(caller);
    story.node.passes(60_000);
    expect(backends).toHaveLength(1);
  });

  it('is taken out of the call while it is dialled anew', async () => {
    const { story, backends, caller, agentLegIds } = openScene();
    talks(backends[0]!, story);
    story.dies();
    await story.comesBack(caller);
    story.node.asks('remove_leg', { leg_id: agentLegIds()[0] });
    expect(backends[1]!.isCancelled).toBe(true);
    backends[1]!.answers();
    expect(backends[1]!.socket.closed).toBeDefined();
    expect(story.types.filter((type) => type === 'call_ended')).toEqual([]);
  });

  it('has its time from the start of the call', async () => {
    const { story, backends, caller } = openScene({ duration_max_ms: 30_000 });
    talks(backends[0]!, story);
    story.node.passes(20_000);
    story.dies({ afterMs: 1_000 });
    await story.comesBack(caller);
    backends[1]!.answers();
    story.node.passes(8_799);
    expect(story.types).not.toContain('call_ended');
    story.node.passes(1);
    expect(story.told('call_ended')['reason']).toBe('max_duration');
  });

  it('is given up after as many losses as before', async () => {
    const { story, backends, caller } = openScene();
    talks(backends[0]!, story);
    backends[0]!.closes();
    talks(backends[1]!, story);
    story.dies();
    await story.comesBack(caller);
    talks(backends[2]!, story);
    backends[2]!.closes();
    expect(backends.map(({ url }) => url.slice(6, 11))).toEqual(['first', 'first', 'first', 'secon']);
  });

  it('keeps the newest of a long talk', async () => {
    const { story, backends, caller } = openScene();
    talks(backends[0]!, story);
    for (let i = 0; i < 40; i++) {
      backends[0]!.says({ type: 'transcript', speaker: 'caller', text: `${i} ${'ä'.repeat(350)}` });
    }
    const saved = story.saved();
    expect(Buffer.byteLength(saved)).toBeLessThan(65_536);
    const { history } = story.snapshot().parts['agent'] as { history: JsonObject[] };
    expect(Buffer.byteLength(JSON.stringify(history))).toBeLessThanOrEqual(16_386);
    story.dies({ saved });
    await story.comesBack(caller);
    const said = backends[1]!.hello['history'] as { text: string }[];
    expect(said.at(-1)!.text).toMatch(/^39 /);
    expect(said.length).toBeLessThan(40);
  });
});

describe('tools of an agent whose node died', () => {
  const TOOLS = { ...CHAIN, tools: ['set_disposition', 'end_call'] as const };
  const call = (id: string, name: string, args: object): object => {
    return { type: 'tool_call', id, name, arguments: JSON.stringify(args) };
  };

  it('are told of at the end, those of both nodes', async () => {
    const { story, backends, caller } = openScene(TOOLS);
    talks(backends[0]!, story);
    backends[0]!.says(call('t-1', 'set_disposition', { disposition: 'callback' }));
    story.dies();
    const back = await story.comesBack(caller);
    backends[1]!.answers();
    backends[1]!.says(call('t-2', 'set_disposition', { disposition: 'sale' }));
    back.hangsUp();
    expect(story.told('call_completed')['tools']).toMatchObject([
      { name: 'set_disposition', ok: true },
      { name: 'set_disposition', ok: true },
    ]);
  });

  it('end the call the agent said goodbye to, and nobody is dialled for it', async () => {
    const { story, backends, caller } = openScene(TOOLS);
    talks(backends[0]!, story);
    backends[0]!.says(call('t-1', 'end_call', {}));
    story.dies({ afterMs: 100 });
    await story.comesBack(caller);
    expect(backends).toHaveLength(1);
    story.node.passes(1_000);
    expect(story.told('call_ended')['reason']).toBe('agent_hangup');
  });

  it('have a result each, also where the node died over them', async () => {
    const slow = new Promise<never>(() => {});
    const ports: CallPorts = {
      invitations: { mint: () => slow },
      parts: [(desk) => new Handovers(desk)],
    };
    const transfer = {
      target: { type: 'queue', to: 'sales' },
      mode: 'cold',
      hold: 'music',
      timeout_ms: 9_000,
    };
    const terms = { ...CHAIN, tools: ['transfer_to_human'], transfer } as unknown as Partial<AgentTerms>;
    const { story, backends, caller } = openScene(terms, ports);
    talks(backends[0]!, story);
    backends[0]!.says(call('t-1', 'transfer_to_human', { reason: 'asked for a person' }));
    story.dies();
    expect(story.types).not.toContain('tool_result');
    await story.comesBack(caller);
    expect(story.told('tool_result')).toMatchObject({ tool_call_id: 't-1', ok: false, error: 'unavailable' });
    expect(story.types.filter((type) => type === 'tool_called')).toHaveLength(1);
  });
});
