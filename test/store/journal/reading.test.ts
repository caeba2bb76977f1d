import { expect, it } from 'vitest';
import { isSelected } from '../../../src/events/catalogue.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import type { JournalQuery } from '../../../src/events/journal.ts';
import type { Store } from '../../../src/store/store.ts';
import { eventOf, WORKSPACE } from '../samples.ts';
import { describeOnEachEngine, openTempStore } from '../temp-store.ts';

const TYPES = [
  'call_started',
  'call_ended',
  'voice_detected',
  'custom.order.paid',
  'custom.order',
  'customer.created',
];
const AGENTS = ['echo', 'silent', null];
const SEED = 20_261_121;

/** Numbers that look thrown and are the same each time (Lehmer's generator). */
function diceOf(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => (state = (state * 48_271) % 2_147_483_647) % sides;
}

function eventsThrown(count: number): EventRecord[] {
  const dice = diceOf(SEED);
  const last = new Map<string, number>();
  return Array.from({ length: count }, () => {
    const resource = `call_${dice(20)}`;
    const sequence = (last.get(resource) ?? 0) + 1;
    last.set(resource, sequence);
    return eventOf(resource, sequence, {
      type: TYPES[dice(TYPES.length)]!,
      test_mode: dice(4) === 0,
      workspace_id: dice(5) === 0 ? 'ws_other' : WORKSPACE,
      data: { agent_id: AGENTS[dice(AGENTS.length)] },
    });
  });
}

async function readAll({ journal }: Store, query: Omit<JournalQuery, 'limit' | 'workspaceId'>) {
  const ids: string[] = [];
  for (let after = 0; ;) {
    const page = await journal.read({ ...query, workspaceId: WORKSPACE, after, limit: 7 });
    ids.push(...page.map(({ envelope }) => envelope.id));
    expect(page.map(({ position }) => position)).toEqual(
      page.map(({ position }) => position).sort((a, b) => a - b),
    );
    if (page.length < 7) return ids;
    after = page.at(-1)!.position;
  }
}

describeOnEachEngine('the journal, read by pages', () => {
  it.each<Omit<JournalQuery, 'limit' | 'workspaceId'>>([
    {},
    { testMode: false },
    { testMode: true },
    { testMode: false, types: ['*'] },
    { testMode: false, types: ['custom.*'] },
    { testMode: false, types: ['call.*', 'customer.created'] },
    { types: ['call_ended'] },
    { testMode: false, types: ['nothing.like.it'] },
    { testMode: false, agentId: 'echo' },
    { agentId: 'silent', types: ['custom.*'] },
    { testMode: true, agentId: 'nobody' },
    { testMode: false, resourceId: 'call_3' },
    { testMode: false, resourceId: 'call_3', types: ['call.*', 'x'], agentId: 'echo' },
  ])('tells all that %j lets pass, once and in order', async (query) => {
    const store = await openTempStore();
    const events = eventsThrown(400);
    for (let from = 0; from < events.length; from += 40)
      await store.journal.append(events.slice(from, from + 40));
    const due = events
      .map(({ envelope }) => envelope)
      .filter(({ workspace_id }) => workspace_id === WORKSPACE)
      .filter(({ test_mode }) => query.testMode === undefined || test_mode === query.testMode)
      .filter(({ type }) => isSelected(type, query.types ?? []))
      .filter(({ data }) => query.agentId === undefined || data['agent_id'] === query.agentId)
      .filter(({ resource }) => query.resourceId === undefined || resource.id === query.resourceId)
      .map(({ id }) => id);
    expect(await readAll(store, query), `seed ${SEED}`).toEqual(due);
  });

  it('passes over nothing that is committed while a page is read', async () => {
    const store = await openTempStore();
    await store.journal.append([eventOf('call_0', 1, { type: 'a' }), eventOf('call_0', 2, { type: 'b' })]);
    const seen: string[] = [];
    let after = 0;
    let made = 2;
    const types = ['a', 'b'];
    const commits: Promise<unknown>[] = [];
    for (let round = 0; round < 60; round++) {
      // Begun together: whose turn comes first between two strands is left to the store.
      const reading = store.journal.read({
        workspaceId: WORKSPACE,
        testMode: false,
        types,
        after,
        limit: 50,
      });
      for (const type of types) commits.push(store.journal.append([eventOf('call_0', ++made, { type })]));
      const page = await reading;
      seen.push(...page.map(({ envelope }) => String(envelope.sequence)));
      after = page.at(-1)?.position ?? after;
    }
    await Promise.all(commits);
    for (;;) {
      const page = await store.journal.read({
        workspaceId: WORKSPACE,
        testMode: false,
        types,
        after,
        limit: 50,
      });
      if (page.length === 0) break;
      seen.push(...page.map(({ envelope }) => String(envelope.sequence)));
      after = page.at(-1)!.position;
    }
    expect(seen).toEqual(Array.from({ length: made }, (_, index) => String(index + 1)));
  });
});
