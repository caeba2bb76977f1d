import { expect, it } from 'vitest';
import { AgentFailures } from '../../src/control/agent-failures.ts';
import type { Notice } from '../../src/control/notices.ts';
import type { CommittedEvent } from '../../src/events/journal.ts';
import { FakeClock } from '../fakes/clock.ts';
import { anEnvelope } from '../fakes/outbox.ts';

function openScene() {
  const clock = new FakeClock();
  const told: Notice[] = [];
  const failures = new AgentFailures((notice) => void told.push(notice), clock);
  const commit = (callId: string, data: object, type = 'agent_failed'): void => {
    const envelope = anEnvelope(callId, 3, { type, data: { call_id: callId, agent_id: 'agt_1', ...data } });
    failures.committed([{ envelope } as CommittedEvent]);
  };
  return { clock, told, failures, commit };
}

const LAST = { provider: 'second', error: 'refused', fallback: null };

it('an agent has failed when no backend of it was left for a call, and not before', () => {
  const { told, commit } = openScene();
  commit('call_1', { provider: 'first', error: 'rejected', fallback: 'second' });
  commit('call_1', { provider: null, error: 'not_published', fallback: null });
  commit('call_1', LAST, 'call_ended');
  expect(told).toEqual([]);
  commit('call_1', LAST);
  expect(told).toEqual([
    {
      type: 'agent.failed',
      workspace_id: 'ws_1',
      resource: { type: 'agent', id: 'agt_1' },
      test_mode: false,
      data: { agent_id: 'agt_1', call_id: 'call_1', provider: 'second', error: 'refused', calls: 1 },
    },
  ]);
});

it('an agent that fails call after call is told of once a minute, with how many calls it were', () => {
  const { clock, told, failures, commit } = openScene();
  for (let call = 0; call < 5; call++) commit(`call_${call}`, LAST);
  commit('call_6', { ...LAST, agent_id: 'agt_2' });
  clock.advance(60_000);
  commit('call_7', LAST);
  expect(told.map(({ data }) => [data['agent_id'], data['calls']])).toEqual([
    ['agt_1', 1],
    ['agt_2', 1],
    ['agt_1', 5],
  ]);
  expect(failures.stats).toEqual({ heldBack: 4, forgotten: 0 });
});

it('remembers a thousand agents that failed, and tells of the longest known anew', () => {
  const { told, failures, commit } = openScene();
  for (let agent = 0; agent <= 1_000; agent++) commit('call_1', { ...LAST, agent_id: `agt_${agent}` });
  expect(failures.stats.forgotten).toBe(1);
  commit('call_2', { ...LAST, agent_id: 'agt_1' });
  expect(told.length).toBe(1_001);
  commit('call_2', { ...LAST, agent_id: 'agt_0' });
  expect(told.length).toBe(1_002);
});
