import { expect, it } from 'vitest';
import type { Publication, StoredAgent } from '../../src/api/agents/agent-desk.ts';
import { publishedEvent } from '../../src/api/agents/agent-events.ts';
import { backend, TERMS } from '../call/agents/scripted-backends.ts';
import { FakeClock } from '../fakes/clock.ts';
import { WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const PLACED = { clock: new FakeClock(), region: 'local' };
const PLACE = { workspaceId: WORKSPACE, testMode: false };
const draft = { ...TERMS, backends: [{ ...backend('first'), api_key: 'sk-secret' }] };

function agentOf(id: string): StoredAgent {
  const createdAt = '2026-11-20T12:00:00.000Z';
  return { ...PLACE, id, draft, published: null, version: 0, createdAt, publishedAt: null };
}

function publicationOf(id: string): Publication {
  const publishedAt = '2026-11-20T13:00:00.000Z';
  const eventOf: Publication['eventOf'] = (place) => publishedEvent(agentOf(id), PLACED, place);
  return { id, terms: draft, publishedAt, eventOf };
}

describeOnEachEngine('agents', () => {
  it('come back as they were made, to their own workspace and mode', async () => {
    const { agents } = await openTempStore();
    await agents.create(agentOf('agt_1'));
    expect(await agents.get(PLACE, 'agt_1')).toEqual(agentOf('agt_1'));
    expect(await agents.get({ ...PLACE, testMode: true }, 'agt_1')).toBeUndefined();
    expect(await agents.get({ ...PLACE, workspaceId: 'ws_other' }, 'agt_1')).toBeUndefined();
    expect((await agents.list({ ...PLACE, limit: 10, page: 1 })).items).toEqual([agentOf('agt_1')]);
    expect(await agents.count(PLACE)).toBe(1);
  });

  it('are told to the nodes as they were published, with nothing that was drafted since', async () => {
    const { agents } = await openTempStore();
    await agents.create(agentOf('agt_1'));
    await agents.create(agentOf('agt_2'));
    expect((await agents.view()).agents).toEqual([]);
    await agents.publish(publicationOf('agt_1'));
    await agents.redraft('agt_1', { ...draft, greeting: 'Later.' });
    const { version, agents: published } = await agents.view();
    expect(version).toBe(1);
    expect(published).toEqual([{ ...PLACE, id: 'agt_1', version: 1, terms: draft }]);
    expect(await agents.get(PLACE, 'agt_1')).toMatchObject({ version: 1, draft: { greeting: 'Later.' } });
  });

  it('are published together with their event, numbered without a hole, and nothing of their terms in it', async () => {
    const { agents, journal } = await openTempStore();
    await agents.create(agentOf('agt_1'));
    expect(await agents.publish(publicationOf('agt_none'))).toEqual([]);
    await agents.publish(publicationOf('agt_1'));
    const [told] = await agents.publish(publicationOf('agt_1'));
    expect(told!.envelope).toMatchObject({ type: 'agent.published', sequence: 2, data: { version: 2 } });
    const kept = await journal.read({ workspaceId: WORKSPACE, resourceId: 'agt_1', limit: 10 });
    expect(kept.map(({ envelope }) => [envelope.sequence, envelope.data['version']])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(JSON.stringify(kept)).not.toContain('sk-secret');
  });

  it('are not published where their event cannot be told', async () => {
    const { agents } = await openTempStore();
    await agents.create(agentOf('agt_1'));
    const eventOf = (): never => {
      throw new Error('no event');
    };
    await expect(agents.publish({ ...publicationOf('agt_1'), eventOf })).rejects.toThrow('no event');
    expect(await agents.get(PLACE, 'agt_1')).toMatchObject({ version: 0, published: null });
    expect((await agents.view()).agents).toEqual([]);
  });

  it('have the keys of their backends encrypted in the file', async () => {
    const path = tempPath();
    const { agents } = await openTempStore({ path });
    await agents.create(agentOf('agt_1'));
    await agents.publish(publicationOf('agt_1'));
    const [row] = await rowsIn(path, 'select * from agents');
    expect(JSON.stringify(row)).not.toContain('sk-secret');
    expect(row).toMatchObject({ draft: expect.stringMatching(/^enc:v1:k1:/) as string });
    expect(row).toMatchObject({ published: expect.stringMatching(/^enc:v1:k1:/) as string });
  });
});
