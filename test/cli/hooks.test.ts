import { afterEach, describe, expect, it } from 'vitest';
import { HookDesk } from '../fakes/hook-desk.ts';
import { answers, HookReceiver } from '../fakes/hook-receiver.ts';
import { until } from '../fakes/until.ts';
import { eventOf } from '../store/samples.ts';
import { runCommand } from './run-command.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function openBoth() {
  const desk = await HookDesk.open();
  closing.push(() => desk.close());
  await desk.api.listen();
  const receiver = await HookReceiver.open();
  closing.push(() => receiver.close());
  const start = (...args: readonly string[]) =>
    runCommand(args, `http://127.0.0.1:${desk.api.port}`, desk.key);
  const run = async (...args: readonly string[]) => {
    const started = start(...args);
    return { code: await started.code, out: started.out, err: started.err };
  };
  return { desk, receiver, start, run };
}

describe('omnivoice hooks', () => {
  it('makes, tries, rotates, lists and removes an endpoint', async () => {
    const { receiver, run } = await openBoth();
    const made = await run('hooks', 'create', receiver.url(), '--format', 'omniflow', '--events', 'call.*');
    expect(made).toMatchObject({ code: 0, err: '' });
    const [id] = /whk_\w+/.exec(made.out)!;
    expect(made.out).toMatch(/^whsec_\S+\n/);
    expect((await run('hooks', 'test', id)).out).toMatch(/test {2}200 {2}[\d.]+ ms {2}delivered/);
    expect((await run('hooks', 'rotate', id, '--overlap', '0')).out).toMatch(/^whsec_/);
    const list = await run('hooks', 'list');
    expect(list.out).toMatch(new RegExp(`${id} +http://127.* +omniflow +call\\.\\* +on`));
    expect((await run('hooks', 'disable', id)).code).toBe(0);
    expect((await run('hooks', 'enable', id)).out).toBe(`${id} is on\n`);
    expect((await run('hooks', 'remove', id)).out).toBe(`${id} is removed\n`);
    expect((await run('hooks', 'show', id)).code).toBe(1);
  }, 30_000);

  it('shows what failed, and sends it again', async () => {
    const { desk, receiver, run } = await openBoth();
    receiver.behaviour = answers.inTurn(answers.status(500), answers.status(500), answers.status(200));
    const { id } = await desk.hook({ url: receiver.url(), retry_policy: [0.001] });
    await desk.publish(eventOf('call_cli', 1));
    await until(() => receiver.received.length === 2);
    await expect.poll(async () => (await desk.ask('GET', '/dead-letters')).body.data.length).toBe(1);
    const dead = await run('hooks', 'dead', '--since', '2020-01-01');
    const [delivery] = /dlv_\w+/.exec(dead.out)!;
    const log = await run('hooks', 'log', delivery);
    expect(log.out).toMatch(/dead\n {2}1 event {2}500 .*http_5xx.*next 20.*\n {2}2 retry {2}500 /);
    expect((await run('hooks', 'recover', id, '--since', '2020-01-01')).out).toBe('1 are sent again\n');
    await until(() => receiver.received.length === 3);
    expect((await run('hooks', 'replay', delivery, '--as-new-event')).out).toMatch(/sends evt_\w+ again/);
    await until(() => receiver.received.length === 4);
    const all = JSON.parse((await run('hooks', 'deliveries', id, '--json')).out) as { state: string }[];
    expect(all).toHaveLength(3);
    expect((await run('hooks', 'dead', '--since', 'soon')).code).toBe(2);
  }, 30_000);
});

describe('omnivoice calls', () => {
  it('lists and shows what the journal told of', async () => {
    const { desk, run } = await openBoth();
    await desk.publish(eventOf('call_seen', 1), eventOf('call_seen', 2));
    expect((await run('calls', 'list')).out).toMatch(/call_seen +active +\+15550100 +\+15550199 +echo/);
    expect((await run('calls', 'show', 'call_seen')).out).toMatch(/#1 call_started\n.*#2 voice_detected/);
    expect((await run('calls', 'show', 'call_none')).code).toBe(1);
  }, 30_000);
});

describe('omnivoice events tail', () => {
  it('prints what is kept from a cursor on, and leaves at Ctrl-C', async () => {
    const { desk, start } = await openBoth();
    await desk.publish(eventOf('call_tail', 1), eventOf('call_other', 1));
    const from = `${desk.store.journal.epoch}-0`;
    const tail = start('events', 'tail', '--call', 'call_tail', '--from', from);
    await until(() => tail.out.includes('call_tail'), 'the call is in the tail', 15_000);
    tail.child.kill('SIGINT');
    expect(await tail.code).toBe(0);
    expect(tail.out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}call_started +call_tail #1\n$/);
  }, 30_000);
});
