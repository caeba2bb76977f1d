import type { Store } from '../../src/store/store.ts';
import { attemptOf, eventOf, eventsOf, GOOD } from '../../test/store/samples.ts';
import { callOf, ENDPOINTS, OLD_UNIX_MS, RARE_AGENT, RARE_TYPE, WORKSPACE } from './fill.ts';

/** One thing a store is asked, again and again; `run` tells how many rows came of it. */
export interface Step {
  readonly name: string;
  readonly times: number;
  /** Rows that must come of each run; absent where any number may. */
  readonly rows?: number;
  run(store: Store, round: number): Promise<number>;
}

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };
const START = { position: 0, id: '' };

/** Everything that acceptance asks of the SQL of journal and log. */
export function stepsOf(rows: number, run: string): readonly Step[] {
  const middle = Math.floor(rows / 2);
  const read = { workspaceId: WORKSPACE, testMode: false, limit: 50 };
  const rare = Math.min(50, Math.floor((rows - 7) / 1_000_003) + 1);
  const [first, , , off] = ENDPOINTS;
  return [
    {
      name: 'insert: one event, three deliveries',
      times: 1_000,
      rows: 1,
      run: async ({ journal }, n) => (await journal.append([eventOf(`call_${run}_${n}`, 1)])).length,
    },
    {
      name: 'insert: fifty events of a call',
      times: 100,
      rows: 50,
      run: async ({ journal }, n) => (await journal.append(eventsOf(`call_${run}b_${n}`, 50))).length,
    },
    {
      name: 'claim: the oldest owed',
      times: 200,
      rows: 1,
      run: async ({ outbox }) => (await outbox.unfinished(START, 1)).length,
    },
    {
      name: 'claim: 256 that are owed',
      times: 50,
      rows: 256,
      run: async ({ outbox }) => (await outbox.unfinished(START, 256)).length,
    },
    {
      name: 'claim: what follows in a lane',
      times: 200,
      run: async ({ outbox }, n) => {
        const place = { endpointId: first, resourceId: callOf(rows - n) };
        return (await outbox.following(place, 0, 50)).length;
      },
    },
    { name: 'settle: an attempt and its delivery', times: 300, rows: 1, run: settle },
    {
      name: 'list: the events of a call',
      times: 300,
      rows: 50,
      run: async ({ journal }, n) =>
        (await journal.read({ ...read, resourceId: callOf(middle + n * 50) })).length,
    },
    {
      name: 'list: a page of events',
      times: 300,
      rows: 50,
      run: async ({ journal }, n) => (await journal.read({ ...read, after: middle + n })).length,
    },
    {
      name: 'list: events of a rare type',
      times: 100,
      rows: rare,
      run: async ({ journal }) => (await journal.read({ ...read, types: [RARE_TYPE] })).length,
    },
    {
      name: 'list: events of a family of twenty types',
      times: 100,
      rows: 50,
      run: async ({ journal }, n) =>
        (await journal.read({ ...read, types: ['kind.*'], after: middle + n })).length,
    },
    {
      name: 'list: events of a rare agent',
      times: 100,
      run: async ({ journal }) => (await journal.read({ ...read, agentId: RARE_AGENT })).length,
    },
    {
      name: 'list: test events, of which there are none',
      times: 100,
      rows: 0,
      run: async ({ journal }) => (await journal.read({ ...read, testMode: true })).length,
    },
    {
      name: 'list: deliveries of an endpoint',
      times: 100,
      rows: 50,
      run: async ({ deliveries }) => (await deliveries.list({ ...PAGE, endpointId: first })).items.length,
    },
    {
      name: 'list: deliveries, by a cursor half way back',
      times: 100,
      rows: 50,
      run: async ({ deliveries }, n) => {
        const cursor = Buffer.from(JSON.stringify([middle - n, 'dlv_'])).toString('base64url');
        return (await deliveries.list({ ...PAGE, endpointId: first, cursor })).items.length;
      },
    },
    {
      name: 'list: dead deliveries of an endpoint that was switched off',
      times: 100,
      rows: 0,
      run: async ({ deliveries }) =>
        (await deliveries.list({ ...PAGE, endpointId: off, state: 'dead' })).items.length,
    },
    {
      name: 'list: dead letters',
      times: 100,
      run: async ({ deliveries }) => (await deliveries.deadLetters(PAGE)).items.length,
    },
    {
      name: 'list: attempts of a delivery',
      times: 300,
      rows: 1,
      run: async ({ deliveries }, n) =>
        (await deliveries.attempts(`dlv_${String(middle + n).padStart(26, '0')}`)).length,
    },
    {
      name: 'purge: five hundred events with all that came of them',
      times: 20,
      rows: 500,
      run: async (store) => (await store.purge({ beforeUnixMs: OLD_UNIX_MS, limit: 500 })).events,
    },
  ];
}

async function settle({ outbox }: Store): Promise<number> {
  const [owed] = await outbox.unfinished(START, 1);
  if (owed === undefined) return 0;
  await outbox.record(attemptOf(owed.id, owed.attempts + 1, { ...GOOD, id: `att_${owed.id}` }), {
    state: 'delivered',
    nextAttemptUnixMs: null,
  });
  return 1;
}
