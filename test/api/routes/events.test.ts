import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

async function read(query = '') {
  const { status, body } = await house.request('GET', `/api/v1/events${query}`);
  const ids = status === 200 ? body.data.map(({ id }: { id: string }) => id) : [];
  return { status, ids, meta: body.meta, error: body.error };
}

it('reads the history oldest first, by cursor until nothing is left', async () => {
  for (let i = 0; i < 5; i++) house.journal.commit();
  const seen: string[] = [];
  let cursor: string | null = 'e1-0';
  for (let pages = 0; cursor !== null && pages < 10; pages++) {
    const { ids, meta } = await read(`?limit=2&cursor=${cursor}`);
    seen.push(...ids);
    cursor = meta.page.next_cursor;
  }
  expect(seen).toEqual(['evt_1', 'evt_2', 'evt_3', 'evt_4', 'evt_5']);
  expect(cursor).toBeNull();
});

it('reads by page too, as far back as that is cheap', async () => {
  for (let i = 0; i < 5; i++) house.journal.commit();
  expect((await read('?limit=2&page=2')).ids).toEqual(['evt_3', 'evt_4']);
  expect((await read('?limit=2&page=3')).ids).toEqual(['evt_5']);
  expect((await read('?limit=2&page=4')).ids).toEqual([]);
  expect(await read('?limit=200&page=51')).toMatchObject({ status: 400, error: { field: 'page' } });
});

it('filters by type and by call', async () => {
  house.journal.commit({ type: 'call_started' });
  house.journal.commit({ type: 'call_started', resource: { type: 'call', id: 'call_2' } });
  house.journal.commit();
  expect((await read('?types=call.*,leg_connected')).ids).toEqual(['evt_1', 'evt_2']);
  expect((await read('?types=call_started&call_id=call_2')).ids).toEqual(['evt_2']);
});

it('tells of what was trimmed since the cursor', async () => {
  for (let i = 0; i < 5; i++) house.journal.commit();
  house.journal.trim(4);
  expect(await read('?cursor=e1-1')).toMatchObject({
    ids: ['evt_4', 'evt_5'],
    meta: { gap: { from: 2, to: 3 } },
  });
  expect((await read('?cursor=e1-3')).meta).not.toHaveProperty('gap');
  expect((await read('?cursor=other-9')).meta.gap).toEqual({ from: null, to: null });
});

it('refuses a cursor that is none', async () => {
  expect(await read('?cursor=last')).toMatchObject({ status: 400, error: { field: 'cursor' } });
});

it('shows test keys test events only', async () => {
  house.journal.commit();
  house.journal.commit({ test_mode: true });
  const headers = { authorization: `Bearer ${house.key({ testMode: true })}` };
  const { body } = await house.request('GET', '/api/v1/events', undefined, headers);
  expect(body.data).toMatchObject([{ id: 'evt_2' }]);
});
