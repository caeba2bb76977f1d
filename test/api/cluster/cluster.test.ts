import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestApi, type TestApi } from '../open-test-api.ts';

let house: TestApi;
beforeEach(async () => {
  house = await openTestApi();
});
afterEach(() => house.api.close());

describe('the cluster over REST', () => {
  it('is shown as the control process sees it', async () => {
    const { status, body } = await house.request('GET', '/api/v1/cluster');
    expect(status).toBe(200);
    expect(body.data).toEqual(house.cluster.view());
  });

  it('is for keys of the operators', async () => {
    const ask = (scopes: string[]) => {
      const headers = { authorization: `Bearer ${house.key({ scopes })}` };
      return house.request('GET', '/api/v1/cluster', undefined, headers);
    };
    expect((await ask(['calls:read', 'voice:connect'])).status).toBe(403);
    expect((await ask(['ops'])).status).toBe(200);
  });
});
