import { beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { Fleet } from '../../../src/control/fleet.ts';
import { openQueues } from '../../../src/control/queues/open-queues.ts';
import type { QueueAsk } from '../../../src/events/asks.ts';
import { openStore } from '../../../src/store/store.ts';
import { until } from '../../fakes/until.ts';
import type { Cluster } from '../../fakes/postgres/cluster.ts';
import { createDatabase, dropDatabase, freshName, sharedCluster } from '../../fakes/postgres/databases.ts';
import { TEST_KEYS } from '../../store/samples.ts';
import { atTheEnd } from '../../store/temp-store.ts';
import { OWNER, TestMember } from './queue-scene.ts';

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await sharedCluster();
});

/** What a control process has of queues, with a node that gives everybody the way in. */
async function openHost(databaseUrl: string) {
  const clock = systemClock;
  const store = await openStore({ path: '', databaseUrl, clock, encryptionKeys: TEST_KEYS });
  const fleet = new Fleet({ store, clock, log: SILENT });
  const claimed: string[] = [];
  const nodes = {
    command: async (_: unknown, { call_id }: { readonly call_id: string }) => {
      claimed.push(call_id);
      return { ok: true as const, value: { join: { ws_url: 'ws://x', token: call_id }, context: {} } };
    },
  };
  const queues = openQueues({ store, nodes, fleet, clock, log: SILENT });
  const delivery = {
    accept: () => undefined,
    entered: () => undefined,
    left: async () => undefined,
    refreshEndpoints: async () => undefined,
    resendFound: async () => undefined,
  };
  await fleet.join({ delivery, streams: { publish: () => undefined } });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await queues.close();
    await fleet.close();
    await store.close();
  };
  atTheEnd(close);
  return { queues, fleet, claimed, close };
}

type Host = Awaited<ReturnType<typeof openHost>>;

function join({ queues }: Host): TestMember {
  const member = new TestMember();
  const wire = { tell: (news: JsonObject) => void member.told.push(news) };
  member.seat = queues.join(OWNER, 'sales', { label: null, wire });
  member.say('ready');
  return member;
}

/** A node of that host says until it is stopped that a handover waits. */
function wait({ queues }: Host, id: string): () => void {
  const ask: QueueAsk = {
    name: 'queue_handover',
    workspace_id: OWNER.workspaceId,
    test_mode: OWNER.testMode,
    queue: 'sales',
    call_id: `call_of_${id}`,
    handover_id: id,
    standing: 'waiting',
    since_unix_ms: systemClock.unixMs(),
    remaining_ms: 60_000,
    offer: { mode: 'cold', reason: null, context: {} },
  };
  let cancel: () => void = () => undefined;
  const say = (): void => {
    void queues.answer(ask, `inc_of_${id}`);
    cancel = systemClock.after(500, say);
  };
  say();
  return () => cancel();
}

it('a queue of two control processes on one database rings at either, and outlives the one that kept it', async () => {
  const name = freshName();
  atTheEnd(() => dropDatabase(cluster, name));
  const url = await createDatabase(cluster, name);
  const one = await openHost(url);
  const two = await openHost(url);
  const [here, there] = [join(one), join(two)];
  const members = [here, there];
  const stopFirst = wait(one, 'ho_1');
  const stopSecond = wait(two, 'ho_2');
  await until(() => members.every(({ openHandoverId }) => openHandoverId !== undefined));
  expect(new Set(members.map(({ openHandoverId }) => openHandoverId))).toEqual(new Set(['ho_1', 'ho_2']));
  for (const member of members) member.accept();
  await until(() => members.every((member) => member.of('accepted').length === 1));
  expect([one.claimed, two.claimed]).toEqual([['call_of_ho_1'], ['call_of_ho_2']]);
  stopFirst();
  stopSecond();
  // Whichever of them kept the queues: the other one does from now on, for those that are left.
  const keeper = one.fleet.territory.holds('queues') ? one : two;
  const other = keeper === one ? two : one;
  await keeper.close();
  const left = other === two ? there : here;
  left.say('ready');
  const stop = wait(other, 'ho_3');
  await until(() => left.openHandoverId === 'ho_3', 'the third handover is offered', 20_000);
  stop();
}, 60_000);
