import { expect, it } from 'vitest';
import type { StoredCredential } from '../../src/api/ports.ts';
import { WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const SEALED = /^enc:v1:k1:/;
const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };

function credentialOf(id: string, change: Partial<StoredCredential> = {}): StoredCredential {
  return {
    id,
    secretHash: `hash of ${id}`,
    workspaceId: WORKSPACE,
    dialect: 'twilio',
    agentId: 'echo',
    testMode: false,
    label: 'main',
    createdAt: '2026-11-20T12:00:00.000Z',
    ...change,
  };
}

describeOnEachEngine('stream credentials', () => {
  it('come back as they were made, with and without a proof', async () => {
    const { credentials } = await openTempStore();
    const made = [
      credentialOf('sc_1'),
      credentialOf('sc_2', { verify: { auth_token: 'twilio-token' }, agentId: null, label: null }),
      credentialOf('sc_3', { verify: { ip_allow: ['192.0.2.0/24'] } }),
      credentialOf('sc_4', { verify: { auth_token: 'other', ip_allow: [] } }),
      credentialOf('sc_5', {
        verify: { bearer: 'b', signature_secret: 's', basic: { username: 'u', password: 'p' } },
        options: { l16_endian: 'big' },
        control: { account: 'AC1', secret: 'rest' },
      }),
    ];
    for (const credential of made) await credentials.create(credential);
    expect((await credentials.list(PAGE)).items.toReversed()).toEqual(made);
    const told = { id: 'sc_2', dialect: 'twilio', verify: { auth_token: 'twilio-token' } };
    expect(await credentials.bySecret('hash of sc_2')).toMatchObject(told);
    expect(await credentials.bySecret('hash of nobody')).toBeUndefined();
    expect((await credentials.list({ ...PAGE, workspaceId: 'ws_other' })).total).toBe(0);
    expect((await credentials.list({ ...PAGE, testMode: true })).total).toBe(0);
  });

  it('have the provider token encrypted in the file', async () => {
    const path = tempPath();
    const { credentials } = await openTempStore({ path });
    const basic = { username: 'u', password: 'basic-word' };
    const verify = { auth_token: 'twilio-token', basic, ip_allow: ['192.0.2.1'] };
    const control = { account: 'AC1', secret: 'rest-secret' };
    await credentials.create(credentialOf('sc_1', { verify, control }));
    const [row] = await rowsIn(path, 'select * from credentials');
    expect([row!['proof'], row!['control']]).toEqual([
      expect.stringMatching(SEALED),
      expect.stringMatching(SEALED),
    ]);
    for (const secret of ['twilio-token', 'basic-word', 'rest-secret']) {
      expect(JSON.stringify(row)).not.toContain(secret);
    }
  });

  it('never send the provider’s REST account to the nodes', async () => {
    const { credentials } = await openTempStore();
    await credentials.create(credentialOf('sc_1', { control: { account: 'AC1', secret: 'rest-secret' } }));
    expect(JSON.stringify(await credentials.view())).not.toContain('rest-secret');
  });

  it('have their REST account rotated and taken away, for their own workspace only', async () => {
    const { credentials } = await openTempStore();
    await credentials.create(credentialOf('sc_1'));
    expect(await credentials.controlOf(WORKSPACE, 'sc_1')).toBeUndefined();
    const control = { account: 'AC1', secret: 'rest-secret', base_url: 'https://api.example.com' };
    expect(await credentials.setControl(WORKSPACE, 'sc_1', control)).toMatchObject({ id: 'sc_1', control });
    expect(await credentials.controlOf(WORKSPACE, 'sc_1')).toEqual({ dialect: 'twilio', control });
    expect(await credentials.controlOf('ws_other', 'sc_1')).toBeUndefined();
    expect(await credentials.setControl('ws_other', 'sc_1', null)).toBeUndefined();
    expect(await credentials.view()).toMatchObject({ version: 2, credentials: [{ hasControl: true }] });
    expect(await credentials.setControl(WORKSPACE, 'sc_1', null)).not.toHaveProperty('control');
    const view = await credentials.view();
    expect([view.version, view.credentials[0]?.hasControl]).toEqual([3, undefined]);
  });

  it('are viewed whole for the nodes, under a version that grows with every change', async () => {
    const path = tempPath();
    const first = await openTempStore({ path });
    expect(await first.credentials.view()).toEqual({ version: 0, credentials: [] });
    await first.credentials.create(credentialOf('sc_1', { verify: { auth_token: 'x' } }));
    await first.credentials.create(credentialOf('sc_2', { workspaceId: 'ws_other', testMode: true }));
    const { label: _, createdAt: __, ...told } = credentialOf('sc_1', { verify: { auth_token: 'x' } });
    const view = await first.credentials.view();
    expect(view.version).toBe(2);
    expect(view.credentials[0]).toEqual(told);
    expect(view.credentials.map(({ id }) => id)).toEqual(['sc_1', 'sc_2']);
    await first.close();

    const { credentials } = await openTempStore({ path });
    expect(await credentials.remove(WORKSPACE, 'sc_2')).toBe(false);
    expect((await credentials.view()).version).toBe(2);
    expect(await credentials.remove(WORKSPACE, 'sc_1')).toBe(true);
    expect(await credentials.view()).toMatchObject({ version: 3, credentials: [{ id: 'sc_2' }] });
  });
});
