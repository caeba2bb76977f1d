import { afterEach, describe, expect, it } from 'vitest';
import type { CommandResult } from '../../../src/events/commands.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { HookReceiver } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { tempPath } from '../../store/temp-store.ts';
import { EVENT, Scene } from './inbound-scene.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('an inbound hook', () => {
  it('makes an event of what it is told, which hooks and history then tell', async () => {
    const scene = await Scene.open();
    const receiver = await HookReceiver.open();
    closing.push(() => receiver.close());
    await scene.desk.hook({ url: receiver.url(), events: ['custom.*'] });
    const { id, url } = await scene.hook({
      mapping: { order: { pointer: '/id' }, amount: { pointer: '/sum', default: 0 }, by: { value: 'shop' } },
      resource: { type: 'order', id_pointer: '/id' },
    });
    const { status, body } = await scene.send(url, { id: 'o-17', sum: 12.5 });
    expect([status, body.success, body.data.duplicate]).toEqual([202, true, false]);
    await scene.send(url, { id: 'o-17' });
    const events = await scene.events();
    expect(events.map(({ sequence, resource }) => [sequence, resource])).toEqual([
      [1, { type: 'order', id: `${id}/o-17` }],
      [2, { type: 'order', id: `${id}/o-17` }],
    ]);
    expect(events[0]).toMatchObject({
      type: 'custom.order.paid',
      workspace_id: 'ws_default',
      test_mode: false,
      data: {
        order: 'o-17',
        amount: 12.5,
        by: 'shop',
        inbound_webhook_id: id,
        inbound_call_id: body.data.id,
      },
    });
    await until(() => receiver.received.length === 2);
    expect(receiver.received.map(({ body }) => JSON.parse(body).sequence)).toEqual([1, 2]);
    expect((await scene.log(id)).map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('does what it is for to a call: a handover, its end, a disposition, hanging up', async () => {
    const scene = await Scene.open();
    await scene.call('call_1');
    const { id, url } = await scene.hook({
      mapping: {
        call_id: { pointer: '/call' },
        disposition: { pointer: '/result' },
        handover_id: { pointer: '/handover' },
        'target.type': { value: 'queue' },
        'target.to': { pointer: '/queue' },
      },
      actions: [
        { type: 'start_handover', args: { mode: 'warm' } },
        { type: 'end_handover' },
        { type: 'set_disposition', args: { by: 'crm' } },
        { type: 'hang_up' },
      ],
    });
    const body = { call: 'call_1', result: 'sale', handover: 'ho_1', queue: 'sales' };
    expect((await scene.send(url, body)).status).toBe(202);
    await until(async () => (await scene.log(id, '?state=done')).length === 1);
    expect(scene.commands).toMatchObject([
      { name: 'call_command', call_id: 'call_1', workspace_id: 'ws_default', command: { name: 'hand_over' } },
      { command: { name: 'answer_handover', handover_id: 'ho_1', verdict: 'complete' } },
      { command: { name: 'set_disposition', disposition: 'sale', by: 'crm' } },
      { command: { name: 'hang_up' } },
    ]);
    expect(scene.commands[0]).toMatchObject({
      command: { target: { type: 'queue', to: 'sales' }, mode: 'warm' },
    });
  });

  it('tells in its log what a node refused, and goes on with the rest', async () => {
    const scene = await Scene.open({}, (command) =>
      JSON.stringify(command).includes('hang_up')
        ? { ok: true, value: {} }
        : { ok: false, fault: 'failed_precondition', detail: 'no handover is open' },
    );
    await scene.call('call_1');
    const actions = [{ type: 'end_handover', args: { handover_id: 'ho_1' } }, { type: 'hang_up' }];
    const { id, url } = await scene.hook({ mapping: { call_id: { pointer: '/call' } }, actions });
    await scene.send(url, { call: 'call_1' });
    await scene.send(url, { call: 'call_none' });
    await until(async () => (await scene.log(id, '?state=failed')).length === 2);
    expect((await scene.log(id)).map(({ error }) => error)).toEqual([
      { code: 'call_not_found', message: 'end_handover: there is no call call_none' },
      { code: 'failed_precondition', message: 'end_handover: no handover is open' },
    ]);
    expect(scene.commands).toHaveLength(2);
  });

  it('has its own answer where the sender wants one', async () => {
    const scene = await Scene.open();
    const object = await scene.hook({ response: { status: 200, body: { received: true } } });
    expect(await scene.send(object.url, {})).toMatchObject({ status: 200, text: '{"received":true}' });
    const text = await scene.hook({ response: { body: 'OK' } });
    const answer = await scene.send(text.url, {});
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([
      202,
      'OK',
      'text/plain; charset=utf-8',
    ]);
    const nothing = await scene.hook({ response: { status: 204 } });
    expect(await scene.send(nothing.url, {})).toMatchObject({ status: 204, text: '' });
  });

  it('takes JSON whatever it is called', async () => {
    const scene = await Scene.open();
    const { url } = await scene.hook();
    for (const type of ['application/json', 'application/cloudevents+json', 'text/plain', 'text/x-odd']) {
      expect((await scene.send(url, { a: 1 }, { 'content-type': type })).status).toBe(202);
    }
  });
});

describe('a call told twice', () => {
  it('is one call, for a day, however many tell it at once', async () => {
    const clock = new FakeClock();
    const scene = await Scene.open({ clock });
    const { url } = await scene.hook({ dedupe_pointer: '/id' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => scene.send(url, { id: 'o-1' })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(answers.filter(({ body }) => body.data.duplicate)).toHaveLength(9);
    expect(await scene.events()).toHaveLength(1);
    clock.advance(24 * 3_600_000 - 1);
    expect((await scene.send(url, { id: 'o-1' })).body.data.duplicate).toBe(true);
    clock.advance(1);
    expect((await scene.send(url, { id: 'o-1' })).body.data.duplicate).toBe(false);
    expect(scene.stats['inboundDuplicates']).toBe(10);
  });

  it('is known by its key: a number is not the text of it, another hook has its own, none is none', async () => {
    const scene = await Scene.open();
    const [one, other] = [
      await scene.hook({ dedupe_pointer: '/id' }),
      await scene.hook({ dedupe_pointer: '/id' }),
    ];
    const duplicates = [];
    for (const [{ url }, id] of [
      [one, 'x'],
      [other, 'x'],
      [one, 'y'],
      [one, 'x'],
      [one, null],
      [one, null],
    ] as const) {
      duplicates.push((await scene.send(url, { id })).body.data.duplicate);
    }
    expect(duplicates).toEqual([false, false, false, true, false, false]);
    expect(scene.stats['inboundWithoutKey']).toBe(2);
  });
});

describe('the rate of a hook', () => {
  it('is its own: beyond it 429, and another hook notices nothing', async () => {
    const clock = new FakeClock();
    const scene = await Scene.open({ clock });
    const { id, url } = await scene.hook({ rate_per_minute: 3 });
    const other = await scene.hook();
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await scene.send(url, {})).status);
    expect(statuses).toEqual([202, 202, 202, 429, 429]);
    expect((await scene.send(url, {})).headers['retry-after']).toBe('20');
    expect((await scene.send(other.url, {})).status).toBe(202);
    clock.advance(20_000);
    expect((await scene.send(url, {})).status).toBe(202);
    expect(scene.stats['inboundRateLimited']).toBe(3);
    expect(await scene.log(id, '?state=refused')).toEqual([]);
  });

  it('does not let a log grow: so many lines a minute, so many in all', async () => {
    const clock = new FakeClock();
    const scene = await Scene.open({ clock });
    const { id, url } = await scene.hook({ rate_per_minute: 6_000 });
    for (let minute = 0; minute < 5; minute++) {
      for (let n = 0; n < 70; n++) await scene.send(url, 'nonsense');
      clock.advance(60_000);
    }
    expect(scene.stats['inboundNotLogged']).toBe(50);
    const { body } = await scene.desk.ask('GET', `/inbound-webhooks/${id}/deliveries`);
    expect(body.meta.page.total).toBe(200);
    expect(scene.desk.store.stats.inbound.refusedForgotten).toBe(100);
  });
});

describe('what was accepted', () => {
  it('is carried out after a crash between the answer and the action', async () => {
    const path = tempPath();
    const never = Promise.withResolvers<CommandResult>();
    const first = await Scene.open({ path }, () => never.promise);
    await first.call('call_1');
    const { id, url } = await first.hook({
      mapping: { call_id: { pointer: '/call' }, disposition: { pointer: '/result' } },
      actions: [...EVENT.actions, { type: 'set_disposition' }],
    });
    expect((await first.send(url, { call: 'call_1', result: 'sale' })).status).toBe(202);
    await until(() => first.commands.length === 1);
    // As a kill would leave it: the command was sent, nobody heard what came of it.
    const second = await Scene.open({ path });
    await until(async () => (await second.log(id, '?state=done')).length === 1);
    expect(second.commands).toEqual(first.commands);
    expect(await second.events()).toHaveLength(1);
    expect((await second.send(url, { call: 'call_1', result: 'sale' })).status).toBe(202);
    never.resolve({ ok: true, value: {} });
  });

  it('is tried again while the node cannot be had, and given up after minutes', async () => {
    const clock = new FakeClock();
    let tries = 0;
    const unavailable = { ok: false, fault: 'unavailable', detail: 'no link' } as const;
    const scene = await Scene.open({ clock }, () => {
      tries++;
      return unavailable;
    });
    await scene.call('call_1');
    const { id, url } = await scene.hook({
      mapping: { call_id: { pointer: '/call' } },
      actions: [{ type: 'hang_up' }],
    });
    await scene.send(url, { call: 'call_1' });
    for (const [index, delayMs] of [1_000, 5_000, 15_000, 60_000, 300_000].entries()) {
      await until(async () => (await scene.log(id))[0].tries === index + 1);
      clock.advance(delayMs - 1);
      expect(tries).toBe(index + 1);
      await new Promise(setImmediate);
      clock.advance(50);
    }
    await until(async () => (await scene.log(id))[0].state === 'failed');
    expect((await scene.log(id))[0].error).toEqual({ code: 'unavailable', message: 'hang_up: no link' });
    expect(tries).toBe(6);
    expect(scene.desk.inbound.runner.stats).toMatchObject({ retries: 5, gaveUp: 1 });
  });
});
