import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../fakes/clock.ts';
import { EVENT, post, Scene } from './inbound-scene.ts';

describe('the token', () => {
  it('that is wrong is answered as an address that is not there, read nothing and logged nowhere', async () => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook({ rate_per_minute: 1 });
    const nowhere = await post(scene.desk.api.port, '/in-nobody/x', '{}', {
      'content-type': 'application/json',
    });
    for (const path of [`/in/${id}/wrong`, '/in/inh_none/wrong', `/in/${id}/${'x'.repeat(43)}`]) {
      const answer = await scene.send(`http://a${path}`, 'x'.repeat(2_000_000));
      expect(answer.status).toBe(404);
      expect(answer.body.error).toEqual(nowhere.body.error);
    }
    expect(scene.stats).toMatchObject({ inboundWrongToken: 3, inboundRateLimited: 0, inboundTooLarge: 0 });
    expect(await scene.log(id)).toEqual([]);
    expect(scene.desk.logged.filter((line) => JSON.stringify(line).includes('/in/'))).toEqual([]);
    // The budget is whole: guesses spent none of it.
    expect((await scene.send(url, {})).status).toBe(202);
  });

  it('is kept as a hash only, and shown once', async () => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook();
    const token = url.split('/').at(-1);
    expect(token.length).toBeGreaterThanOrEqual(43);
    for (const path of ['/inbound-webhooks', `/inbound-webhooks/${id}`]) {
      expect((await scene.desk.ask('GET', path)).text).not.toContain(token);
    }
    expect(JSON.stringify(scene.desk.logged)).not.toContain(token);
  });

  it('that was rotated is good for its overlap, then no more', async () => {
    const clock = new FakeClock();
    const scene = await Scene.open({ clock });
    const { id, url } = await scene.hook();
    const rotated = await scene.desk.ask('POST', `/inbound-webhooks/${id}/rotate-token`, {});
    expect(rotated.body.data.tokens).toHaveLength(2);
    const statuses = async () => [
      (await scene.send(url, {})).status,
      (await scene.send(rotated.body.data.url, {})).status,
    ];
    expect(await statuses()).toEqual([202, 202]);
    clock.advance(86_400_000 - 1);
    expect(await statuses()).toEqual([202, 202]);
    clock.advance(1);
    expect(await statuses()).toEqual([404, 202]);
    const leaked = await scene.desk.ask('POST', `/inbound-webhooks/${id}/rotate-token`, { overlap_s: 0 });
    expect((await scene.send(rotated.body.data.url, {})).status).toBe(404);
    expect((await scene.send(leaked.body.data.url, {})).status).toBe(202);
  });

  it('is of one hook: a removed one is not there any more', async () => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook({ dedupe_pointer: '/id' });
    expect((await scene.send(url, { id: 1 })).status).toBe(202);
    const other = await scene.hook();
    const crossed = other.url.replace(other.id, id);
    expect((await scene.send(crossed, {})).status).toBe(404);
    expect((await scene.desk.ask('DELETE', `/inbound-webhooks/${id}`)).body.data.deleted).toBe(true);
    expect((await scene.send(url, { id: 2 })).status).toBe(404);
    expect((await scene.desk.ask('GET', `/inbound-webhooks/${id}/deliveries`)).status).toBe(404);
  });
});

describe('a signature', () => {
  const secret = 'sixteen or more characters';
  const sign = (body: string, key = secret) =>
    `sha256= ${createHmac('sha256', key).update(body).digest('hex')}`;
  const signature = { header: 'X-Shop-Signature', secret, prefix: 'sha256=' };

  it('is asked for, of the bytes as they came, and may be rotated', async () => {
    const scene = await Scene.open();
    const { id, url, signature_secret: shown } = await scene.hook({ signature });
    expect(shown).toBe(secret);
    const body = '{ "a" : 1.0 }';
    const send = async (header: string) =>
      (await scene.send(url, body, { 'x-shop-signature': header })).status;
    expect(await send(sign(body))).toBe(202);
    expect(await send(sign('{"a":1}'))).toBe(401);
    expect(await send('')).toBe(401);
    const { body: rotated } = await scene.desk.ask('POST', `/inbound-webhooks/${id}/rotate-secret`, {});
    expect(await send(sign(body))).toBe(202);
    expect(await send(sign(body, rotated.data.signature_secret))).toBe(202);
    expect(scene.stats['inboundWrongSignature']).toBe(2);
    const refused = await scene.log(id, '?state=refused');
    expect(refused.map(({ error }) => error.code)).toEqual(['unauthenticated', 'unauthenticated']);
    expect((await scene.desk.ask('GET', `/inbound-webhooks/${id}`)).text).not.toContain(secret);
  });
});

describe('a body', () => {
  const schema = {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string' }, note: { type: 'string', pattern: '^(a+)+$' } },
  };

  it('that the schema does not let pass is refused with the place and the reason', async () => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook({ schema });
    expect((await scene.send(url, { id: 'x' })).status).toBe(202);
    const answer = await scene.send(url, { id: 7 });
    expect([answer.status, answer.body.error]).toEqual([
      422,
      { code: 'failed_precondition', message: '/id must be string' },
    ]);
    const [refused] = await scene.log(id, '?state=refused');
    expect(refused.error).toEqual({ code: 'failed_precondition', message: '/id must be string' });
    expect(await scene.events()).toHaveLength(1);
  });

  it('on which a pattern backtracks is given up, and control answers others all the while', async () => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook({ schema });
    const healthy = await scene.hook({ schema: { type: 'object' } });
    const spite = { id: 'x', note: `${'a'.repeat(50)}!` };
    const [slow, fast] = await Promise.all([scene.send(url, spite), scene.send(healthy.url, {})]);
    expect([slow.status, slow.body.error, fast.status]).toEqual([
      503,
      { code: 'unavailable', message: 'the schema of this hook took too long' },
      202,
    ]);
    expect((await scene.send(url, { id: 'x' })).status).toBe(503);
    expect((await scene.send(healthy.url, {})).status).toBe(202);
    expect(scene.desk.inbound.schemas.stats).toMatchObject({ overruns: 1, barred: 1 });
    expect(scene.stats['inboundSchemaUnavailable']).toBe(2);
    expect((await scene.log(id)).map(({ error }) => error.code)).toEqual(['unavailable', 'unavailable']);
  });

  it.each([
    ['is larger than 1 MiB', `"${'x'.repeat(1_048_576)}"`, 413, 'inboundTooLarge'],
    ['is nested too deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 400, 'inboundTooDeep'],
    ['would pollute', '{"__proto__":{"isAdmin":true}}', 400, 'inboundPollutes'],
    ['is not JSON', '<xml/>', 400, 'inboundNotJson'],
    ['is empty', '', 400, 'inboundNotJson'],
  ])('that %s is refused, counted and logged', async (_what, body, status, counter) => {
    const scene = await Scene.open();
    const { id, url } = await scene.hook();
    const answer = await scene.send(url, body);
    expect([answer.status, answer.body.success]).toEqual([status, false]);
    expect(scene.stats[counter]).toBe(1);
    expect(await scene.log(id, '?state=refused')).toHaveLength(1);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    expect(await scene.events()).toEqual([]);
  });

  it('that came compressed is refused in words', async () => {
    const scene = await Scene.open();
    const { url } = await scene.hook();
    const answer = await scene.send(url, '{}', { 'content-encoding': 'gzip' });
    expect([answer.status, answer.body.error.message]).toEqual([
      400,
      expect.stringContaining('not compressed'),
    ]);
  });

  it('that names no call, or no resource, is refused before anything is done', async () => {
    const scene = await Scene.open();
    const hook = await scene.hook({
      mapping: { call_id: { pointer: '/call' } },
      actions: [...EVENT.actions, { type: 'hang_up' }],
    });
    expect((await scene.send(hook.url, {})).body.error.message).toContain('hang_up: no call_id');
    const order = await scene.hook({ resource: { type: 'order', id_pointer: '/id' } });
    expect((await scene.send(order.url, { id: { deep: 1 } })).body.error.message).toContain(
      '/id names no order',
    );
    expect(await scene.events()).toEqual([]);
    expect(scene.stats['inboundActionRefused']).toBe(2);
  });

  it('whose event would be too large is refused', async () => {
    const scene = await Scene.open();
    const { url } = await scene.hook({ mapping: { all: { pointer: '' } } });
    expect((await scene.send(url, { text: 'x'.repeat(300_000) })).status).toBe(413);
    expect(scene.stats['inboundEventTooLarge']).toBe(1);
  });
});

describe('a hook somebody wishes for', () => {
  it.each([
    [{ actions: [{ type: 'tag' }] }, 422, 'actions.0.type'],
    [{ actions: [{ type: 'hang_up' }, { type: 'upsert_contact' }] }, 422, 'actions.1.type'],
    [{ actions: [{ type: 'explode' }] }, 400, 'actions.0.type'],
    [{ actions: [] }, 400, 'actions'],
    [{ actions: [{ type: 'publish_event', args: { event: 'call_ended' } }] }, 400, 'actions.0.type'],
    [{ resource: { type: 'call' } }, 422, 'resource.type'],
    [{ resource: { id_pointer: 'id' } }, 400, 'resource.id_pointer'],
    [{ dedupe_pointer: 'id' }, 400, 'dedupe_pointer'],
    [{ mapping: { a: {} } }, 400, 'mapping.a'],
    [{ schema: { type: 'nonsense' } }, 422, 'schema'],
    [{ schema: { $ref: 'https://evil.example/s.json' } }, 422, 'schema'],
    [{ schema: { description: 'x'.repeat(70_000) } }, 422, 'schema'],
    [{ schema: { pattern: '(' } }, 422, 'schema'],
    [{ signature: { header: 'X Y' } }, 400, 'signature.header'],
    [{ signature: { header: 'X-Y', secret: 'short' } }, 400, 'signature.secret'],
    [{ rate_per_minute: 0 }, 400, 'rate_per_minute'],
    [{ response: { status: 204, body: {} } }, 400, 'response.body'],
    [{ response: { body: { a: 'x'.repeat(5_000) } } }, 400, 'response.body'],
  ])('as %.80j is refused', async (wish, status, field) => {
    const scene = await Scene.open();
    const answer = await scene.desk.ask('POST', '/inbound-webhooks', { ...EVENT, ...wish });
    expect([answer.status, answer.body.error.field]).toEqual([status, field]);
    expect((await scene.desk.ask('GET', '/inbound-webhooks')).body.data).toEqual([]);
  });
});
