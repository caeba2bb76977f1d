import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BAD_ADDRESSES, BAD_URLS } from '../fakes/bad-addresses.ts';
import { HookDesk } from '../fakes/hook-desk.ts';
import { HookReceiver } from '../fakes/hook-receiver.ts';
import { until } from '../fakes/until.ts';
import { endpointOf, eventOf } from '../store/samples.ts';

let desk: HookDesk;
beforeAll(async () => {
  desk = await HookDesk.open({ egressAllow: [] });
});
afterAll(() => desk.close());

const URLS = [
  ...BAD_ADDRESSES.map((address) => `http://${address.includes(':') ? `[${address}]` : address}/`),
  ...BAD_URLS,
];
/** What a URL cannot even be sent to: it is no HTTP URL at all. */
const isHttp = (url: string) => /^https?:$/.test(URL.parse(url)?.protocol ?? '');
let hooks = 0;

describe('an address no hook may reach', () => {
  it.each(URLS)('%s is refused on save, for the hook and for its token', async (url) => {
    const saved = await desk.ask('POST', '/webhooks', { url, events: ['*'] });
    expect([saved.status >= 400 && saved.status < 500, saved.body.error?.field]).toEqual([true, 'url']);
    const auth = { type: 'oauth2', token_url: url, client_id: 'me', client_secret: 'hidden' };
    const token = await desk.ask('POST', '/webhooks', { url: 'http://1.1.1.1/', events: ['*'], auth });
    expect([token.status >= 400 && token.status < 500, token.body.error?.field]).toEqual([
      true,
      'auth.token_url',
    ]);
  });

  // As if it had been saved before the operator closed the way.
  it.each(URLS)('%s is refused on test and on send, were it saved', async (url) => {
    const id = `whk_${++hooks}`;
    const endpoint = endpointOf(id, { url, testMode: false, headers: {}, retryDelaysMs: [] });
    await desk.store.endpoints.create(endpoint);
    await desk.delivery.refreshEndpoints();
    const event = eventOf(`call_${id}`, 1);
    const refused = isHttp(url) ? 'blocked' : 'other';
    expect((await desk.delivery.sendTest(endpoint, event.envelope)).errorClass).toBe(refused);
    await desk.publish(event);
    const query = { workspaceId: 'ws_default', testMode: false, limit: 1, page: 1, endpointId: id };
    await expect
      .poll(async () => (await desk.store.deliveries.list(query)).items[0])
      .toMatchObject({ state: 'dead', attempts: 1, lastError: refused });
    await desk.store.endpoints.remove('ws_default', id);
    await desk.delivery.refreshEndpoints();
  });

  it('is reached where the operator named it', async () => {
    const open = await HookDesk.open({ egressAllow: ['127.0.0.0/8'] });
    const receiver = await HookReceiver.open();
    try {
      const { id } = await open.hook({ url: receiver.url() });
      expect((await open.ask('POST', `/webhooks/${id}/test`)).body.data.delivered).toBe(true);
      await open.publish(eventOf('call_open', 1));
      await until(() => receiver.received.length === 2);
    } finally {
      await open.close();
      await receiver.close();
    }
  });
});
