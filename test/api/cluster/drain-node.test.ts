import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

const drain = (id: string, headers?: { authorization: string }) =>
  house.request('POST', `/api/v1/nodes/${id}/drain`, undefined, headers);

describe('a node that is told to leave over REST', () => {
  it('is told so, each time it is asked, by the name of its life', async () => {
    const { id } = house.cluster.view().nodes[0]!;
    for (let times = 1; times <= 2; times++) {
      const { status, body } = await drain(id);
      expect([status, body.data]).toEqual([202, { id, state: 'draining' }]);
    }
    expect(house.nodes.drained).toEqual([id, id]);
  });

  it('is none that is not there', async () => {
    const { status, body } = await drain('n9-nobody');
    expect([status, body.error?.code]).toEqual([404, 'not_found']);
    expect(house.nodes.drained).toEqual([]);
  });

  it('may be out of reach, which is said', async () => {
    const { id } = house.cluster.view().nodes[0]!;
    house.nodes.result = { ok: false, fault: 'unavailable', detail: 'the node is not connected' };
    expect((await drain(id)).status).toBe(503);
  });

  it('is left alone by keys that are not the operators’', async () => {
    const authorization = `Bearer ${house.key({ scopes: ['calls:write', 'voice:connect'] })}`;
    expect((await drain('n0', { authorization })).status).toBe(403);
  });
});
