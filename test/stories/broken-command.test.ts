import { expect, it } from 'vitest';
import { Story } from './story.ts';

it('a command that breaks later is answered as one, and breaks nothing else', async () => {
  const broken = { commands: ['record'] as const, command: () => Promise.reject(new Error('broken')) };
  const story = new Story({ ports: { parts: [() => broken] } });
  story.arrives({ dialect: 'native', agentId: 'silent' });
  const callId = story.only('call_started').resource.id;
  const human = story.arrives({ dialect: 'native', role: 'human', callId, agentId: null });
  human.says({ type: 'command', id: 'c1', name: 'record', args: { action: 'start' } });
  await new Promise((later) => setImmediate(later));
  expect(human.told('result')).toMatchObject([{ id: 'c1', ok: false, fault: 'internal' }]);
  expect(story.types).not.toContain('call_ended');
});
