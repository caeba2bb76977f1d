import { expect, it } from 'vitest';
import { endpointOf, eventsOf, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };

describeOnEachEngine('an endpoint', () => {
  it('comes back as it was made, from memory and from the file', async () => {
    const path = tempPath();
    const endpoint = endpointOf('whk_1', {
      events: ['call.*'],
      agentId: 'echo',
      testMode: true,
      keys: { symmetric: 'whsec_new', shared: 'as agreed', asymmetric: 'whsk_1' },
      retiringKeys: [{ symmetric: 'whsec_old', shared: null, asymmetric: null, untilUnixMs: 5 }],
      signatures: { omniflow: 'base64', voiceoi: true, secretHeader: 'x-secret', ed25519: true },
      auth: { kind: 'basic', username: 'crm', password: 'hidden' },
      format: 'omniai',
      apiVersion: '2025-06-01',
      success: 'only_200',
      description: 'the CRM',
      disabledReason: 'by_request',
      ordering: 'bounded',
      holdMs: 5_000,
      enabled: false,
    });
    const first = await openTempStore({ path });
    await first.endpoints.create(endpoint);
    expect(await first.endpoints.get(WORKSPACE, 'whk_1')).toEqual(endpoint);
    await first.close();
    const second = await openTempStore({ path });
    expect(await second.endpoints.get(WORKSPACE, 'whk_1')).toEqual(endpoint);
    expect(await second.outbox.endpoints()).toEqual([endpoint]);
    expect((await second.endpoints.list({ ...PAGE, testMode: true })).items).toEqual([endpoint]);
  });

  it('has its secrets and headers encrypted in the file', async () => {
    const path = tempPath();
    const { endpoints } = await openTempStore({ path });
    await endpoints.create(endpointOf('whk_1'));
    const [row] = await rowsIn(path, 'select * from endpoints');
    expect(row).toMatchObject({
      secrets: expect.stringMatching(/^enc:v1:k1:/),
      headers: expect.stringMatching(/^enc:v1:k1:/),
    });
    expect(JSON.stringify(row)).not.toMatch(/whsec_|receiver-token/);
  });

  it('is read with an old key of the ring, and the store does not open without it', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    await first.endpoints.create(endpointOf('whk_1'));
    await first.close();
    const fresh = { id: 'k2', key: new Uint8Array(32).fill(9) };
    await expect(openTempStore({ path, encryptionKeys: [fresh] })).rejects.toThrow(
      /key "k1", which is not in/,
    );
    const rotated = await openTempStore({
      path,
      encryptionKeys: [fresh, { id: 'k1', key: new Uint8Array(32).fill(7) }],
    });
    expect(await rotated.endpoints.get(WORKSPACE, 'whk_1')).toEqual(endpointOf('whk_1'));
  });

  it('is seen by its workspace only', async () => {
    const { endpoints, deliveries } = await openTempStore();
    await endpoints.create(endpointOf('whk_1', { workspaceId: 'ws_other' }));
    expect(await endpoints.get(WORKSPACE, 'whk_1')).toBeUndefined();
    expect(await endpoints.remove(WORKSPACE, 'whk_1')).toBe(false);
    expect((await endpoints.list(PAGE)).total).toBe(0);
    expect((await deliveries.list({ ...PAGE, endpointId: 'whk_1' })).total).toBe(0);
  });

  it('leaves no secret behind when it is removed', async () => {
    const path = tempPath();
    const { endpoints, journal } = await openTempStore({ path });
    await endpoints.create(endpointOf('whk_1'));
    await journal.append(eventsOf('call_1', 2));
    const [before] = await rowsIn(path, 'select secrets from endpoints');
    expect(await endpoints.remove(WORKSPACE, 'whk_1')).toBe(true);
    expect(await endpoints.remove(WORKSPACE, 'whk_1')).toBe(false);
    expect(await endpoints.get(WORKSPACE, 'whk_1')).toBeUndefined();
    expect((await endpoints.list(PAGE)).items).toEqual([]);
    const [after] = await rowsIn(path, 'select secrets from endpoints');
    expect(String(after!['secrets']).length).toBeLessThan(String(before!['secrets']).length);
  });

  it('of a test key is all that a test key sees; a live key sees what it may make', async () => {
    const { endpoints } = await openTempStore();
    await endpoints.create(endpointOf('whk_both', { testMode: null }));
    await endpoints.create(endpointOf('whk_live', { testMode: false }));
    await endpoints.create(endpointOf('whk_test', { testMode: true }));
    const ids = async (testMode: boolean) =>
      (await endpoints.list({ ...PAGE, testMode })).items.map(({ id }) => id);
    expect(await ids(true)).toEqual(['whk_test']);
    expect(await ids(false)).toEqual(['whk_test', 'whk_live', 'whk_both']);
  });
});

describeOnEachEngine('the deliveries of an endpoint', () => {
  it('are listed newest first, page after page, of one mode', async () => {
    const { endpoints, deliveries, journal } = await openTempStore();
    await endpoints.create(endpointOf('whk_1'));
    await journal.append(eventsOf('call_1', 5));
    await journal.append(
      eventsOf('call_2', 2).map(({ envelope, stamps }) => ({
        stamps,
        envelope: { ...envelope, test_mode: true },
      })),
    );
    const first = await deliveries.list({ ...PAGE, endpointId: 'whk_1', limit: 3 });
    const rest = await deliveries.list({ ...PAGE, endpointId: 'whk_1', cursor: first.nextCursor! });
    expect(first.total).toBe(5);
    expect([...first.items, ...rest.items]).toHaveLength(5);
    expect(rest.nextCursor).toBeNull();
    expect(rest.items.at(-1)!.eventType).toBe('call_started');
    expect((await deliveries.list({ ...PAGE, endpointId: 'whk_1', testMode: true })).total).toBe(2);
  });
});
