import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { HookDesk } from '../../fakes/hook-desk.ts';
import { answers, HookReceiver, type Behaviour } from '../../fakes/hook-receiver.ts';
import { until } from '../../fakes/until.ts';
import { eventOf } from '../../store/samples.ts';
import { tempPath } from '../../store/temp-store.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const broken = answers.status(500);
const good = answers.status(200);

async function openDesk(path: string): Promise<HookDesk> {
  const desk = await HookDesk.open({ path });
  closing.push(() => desk.close());
  return desk;
}

async function aReceiver(...behaviours: readonly Behaviour[]): Promise<HookReceiver> {
  const receiver = await HookReceiver.open(answers.inTurn(...behaviours));
  closing.push(() => receiver.close());
  return receiver;
}

function changeStore(path: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

const logOf = async (desk: HookDesk, webhookId: string) => {
  const { body } = await desk.ask('GET', `/webhooks/${webhookId}/deliveries`);
  const whole = body.data.map(({ id }: { id: string }) => desk.ask('GET', `/deliveries/${id}`));
  return (await Promise.all(whole)).map((answer) => answer.body.data);
};

describe('the body of a hook', () => {
  it('is to the byte what its first attempt sent, also where the next release tells the event otherwise', async () => {
    const path = tempPath();
    const receiver = await aReceiver(broken, good);
    const before = await HookDesk.open({ path });
    const { id } = await before.hook({ url: receiver.url(), retry_policy: [3_600] });
    await before.publish(eventOf('call_1', 1, { data: { said: 'grüß “dich” \u2028 👋' } }));
    await until(() => before.store.stats.outbox.attempts === 1);
    await before.close();
    // What another release would make of the same event, and an hour that is over.
    changeStore(
      path,
      `update events set body = json_set(body, '$.data.new_field', 'of the next release')`,
      'update deliveries set next_attempt_unix_ms = 1',
    );
    const after = await openDesk(path);
    await until(() => receiver.received.length === 2);
    expect(receiver.received[1]!.body).toBe(receiver.received[0]!.body);
    await until(() => after.store.stats.outbox.attempts === 1);
    const [delivery] = await logOf(after, id);
    expect(delivery.state).toBe('delivered');
    expect(delivery.request_body).toBe(receiver.received[0]!.body);
  });

  it('is the same again in a replay, and told anew only under a new id', async () => {
    const path = tempPath();
    const receiver = await aReceiver(broken, good);
    const desk = await openDesk(path);
    const { id } = await desk.hook({ url: receiver.url(), retry_policy: [0.001] });
    await desk.publish(eventOf('call_1', 1));
    await until(() => desk.delivery.stats.delivered === 1);
    changeStore(path, `update events set body = json_set(body, '$.data.new_field', true)`);
    const [{ id: first }] = await logOf(desk, id);
    await desk.ask('POST', `/deliveries/${first}/replay`, {});
    await until(() => receiver.received.length === 3);
    await desk.ask('POST', `/deliveries/${first}/replay`, { as_new_event: true });
    await until(() => receiver.received.length === 4);
    const [once, twice, again, anew] = receiver.received.map(({ body }) => body);
    expect([twice, again]).toEqual([once, once]);
    expect(anew).toContain('new_field');
  });

  it('is shown with the events that it named', async () => {
    const receiver = await aReceiver(broken, broken, good);
    const desk = await openDesk(tempPath());
    const { id } = await desk.hook({ url: receiver.url(), retry_policy: [0.001] });
    const events = [eventOf('call_1', 1), eventOf('call_1', 2)];
    await desk.publish(...events);
    await until(() => desk.delivery.stats.delivered === 1);
    const [second, first] = await logOf(desk, id);
    expect([first.state, second.state]).toEqual(['dead', 'delivered']);
    expect(JSON.parse(second.request_body).previous_undelivered).toEqual([events[0]!.envelope.id]);
    expect(second.request_body).toBe(receiver.received[2]!.body);
  });
});
