import { expect, it } from 'vitest';
import { openAgentStory } from './scripted-backends.ts';

it('what an agent was refused and what was forgotten of it is counted at the end of its call', () => {
  const ownTools = { run: () => new Promise<never>(() => {}) };
  const tool = { name: 'wait', description: '', parameters: {}, timeout_ms: 5_000, request: null };
  const { story, backends, counts } = openAgentStory({ http_tools: [tool] }, { ownTools });
  const caller = story.arrives({ agentId: 'front-desk' });
  backends[0]!.answers();
  for (let i = 0; i < 18; i++) {
    backends[0]!.says({ type: 'tool_call', id: `c${i}`, name: 'wait', arguments: {} });
    for (const text of ['a', 'b', 'c', 'd'])
      backends[0]!.says({ type: 'transcript', speaker: 'caller', text });
  }
  caller.hangsUp();
  expect(counts).toMatchObject({ tools: 2, untoldTools: 0, forgottenTools: 0, forgottenTurns: 12 });
});
