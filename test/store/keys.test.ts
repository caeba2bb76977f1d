import { expect, it } from 'vitest';
import type { ApiKey } from '../../src/api/ports.ts';
import { WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, tempPath } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };

function keyOf(id: string, change: Partial<ApiKey> = {}): ApiKey {
  return {
    id,
    workspaceId: WORKSPACE,
    name: `key ${id}`,
    secretHash: `hash of ${id}`,
    hint: 'omf_live_…abcd',
    testMode: false,
    scopes: ['calls:read', 'keys:manage'],
    apiVersion: '2025-11-01',
    ratePerMinute: null,
    ipAllow: ['192.0.2.0/24'],
    createdAt: '2026-11-20T12:00:00.000Z',
    expiresAt: null,
    lastUsedAt: null,
    ...change,
  };
}

describeOnEachEngine('a key', () => {
  it('is found by hash and by id, also after a restart', async () => {
    const path = tempPath();
    const key = keyOf('key_1', { testMode: true, ratePerMinute: 90, expiresAt: '2027-01-01T00:00:00.000Z' });
    const first = await openTempStore({ path });
    expect(await first.keys.count()).toBe(0);
    await first.keys.create(key);
    await first.close();
    const { keys } = await openTempStore({ path });
    expect(await keys.byHash('hash of key_1')).toEqual(key);
    expect(await keys.byHash('hash of nobody')).toBeUndefined();
    expect(await keys.get(WORKSPACE, 'key_1')).toEqual(key);
    expect(await keys.get('ws_other', 'key_1')).toBeUndefined();
    expect(await keys.count()).toBe(1);
  });

  it('changes in what is named and in nothing else', async () => {
    const { keys } = await openTempStore();
    await keys.create(keyOf('key_1'));
    await keys.create(keyOf('key_2'));
    const changed = await keys.update(WORKSPACE, 'key_1', {
      name: 'renamed',
      scopes: ['ops'],
      ratePerMinute: 5,
    });
    const expected = keyOf('key_1', { name: 'renamed', scopes: ['ops'], ratePerMinute: 5 });
    expect(changed).toEqual(expected);
    expect(await keys.get(WORKSPACE, 'key_1')).toEqual(expected);
    expect(await keys.get(WORKSPACE, 'key_2')).toEqual(keyOf('key_2'));
    expect(await keys.update('ws_other', 'key_1', { name: 'stolen' })).toBeUndefined();
  });

  it('is removed by its own workspace only', async () => {
    const { keys } = await openTempStore();
    await keys.create(keyOf('key_1'));
    expect(await keys.remove('ws_other', 'key_1')).toBe(false);
    expect(await keys.remove(WORKSPACE, 'key_1')).toBe(true);
    expect(await keys.remove(WORKSPACE, 'key_1')).toBe(false);
  });

  it('rotates whole: the old one expires and the new one joins, or neither', async () => {
    const { keys } = await openTempStore();
    await keys.create(keyOf('key_1'));
    const soon = '2026-11-21T12:00:00.000Z';
    await keys.rotate('key_1', soon, keyOf('key_2'));
    expect(await keys.byHash('hash of key_1')).toMatchObject({ expiresAt: soon });
    expect(await keys.byHash('hash of key_2')).toMatchObject({ expiresAt: null });
    await expect(keys.rotate('key_2', soon, keyOf('key_3', { secretHash: 'hash of key_1' }))).rejects.toThrow(
      /unique/i,
    );
    expect(await keys.get(WORKSPACE, 'key_2')).toMatchObject({ expiresAt: null });
    await expect(keys.rotate('key_9', soon, keyOf('key_4'))).rejects.toMatchObject({ code: 'not_found' });
    expect(await keys.count()).toBe(2);
  });
});

describeOnEachEngine('a list', () => {
  async function openList(keysMade: number) {
    const { keys } = await openTempStore();
    for (let n = 1; n <= keysMade; n++) {
      const createdAt = `2026-11-20T12:00:0${Math.floor(n / 2)}.000Z`;
      await keys.create(keyOf(`key_${n}`, { createdAt }));
    }
    await keys.create(keyOf('key_test', { testMode: true }));
    await keys.create(keyOf('key_foreign', { workspaceId: 'ws_other' }));
    return keys;
  }
  const newestFirst = (from: number, to: number) =>
    Array.from({ length: from - to + 1 }, (_, index) => `key_${from - index}`);

  it('follows its cursor to the end, each row once, whatever comes in meanwhile', async () => {
    const keys = await openList(7);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await keys.list({ ...PAGE, limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      await keys.create(keyOf(`key_new_${seen.length}`, { createdAt: '2027-01-01T00:00:00.000Z' }));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(newestFirst(7, 1));
  });

  it('serves numbered pages and the total', async () => {
    const keys = await openList(7);
    const second = await keys.list({ ...PAGE, limit: 3, page: 2 });
    expect(second.items.map(({ id }) => id)).toEqual(newestFirst(4, 2));
    expect(second.total).toBe(7);
    const third = await keys.list({ ...PAGE, limit: 3, page: 3 });
    expect(third.items.map(({ id }) => id)).toEqual(['key_1']);
    expect(third.nextCursor).toBeNull();
    expect((await keys.list({ ...PAGE, limit: 3, page: 9 })).items).toEqual([]);
  });

  it('says of no next page when the last row ends one exactly', async () => {
    const keys = await openList(6);
    const first = await keys.list({ ...PAGE, limit: 3 });
    const second = await keys.list({ ...PAGE, limit: 3, cursor: first.nextCursor! });
    expect(second.items).toHaveLength(3);
    expect(second.nextCursor).toBeNull();
  });

  it.each([
    '',
    'x',
    'bm9uc2Vuc2U',
    Buffer.from('["a"]').toString('base64url'),
    Buffer.from('[{},1]').toString('base64url'),
  ])('refuses the cursor %o, which is not its own', async (cursor) => {
    const keys = await openList(1);
    await expect(keys.list({ ...PAGE, cursor })).rejects.toMatchObject({
      code: 'invalid_argument',
      field: 'cursor',
    });
  });

  it('shows test keys to test keys only', async () => {
    const keys = await openList(1);
    expect((await keys.list({ ...PAGE, testMode: true })).items.map(({ id }) => id)).toEqual(['key_test']);
  });
});
