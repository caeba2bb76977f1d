import type { Store } from '../../src/store/store.ts';
import { attemptOf, endpointOf, eventsOf, hookOf, WORKSPACE } from './samples.ts';
import { openTempStore } from './temp-store.ts';

const PAGE = { workspaceId: WORKSPACE, testMode: false, limit: 2, page: 1 };

/** Uses every port in every way that makes a different statement. */
export async function useEverything(path: string): Promise<void> {
  const first = await openTempStore({ path });
  await first.endpoints.create(endpointOf('whk_1'));
  await first.journal.commit({ incarnation: 'nod_1', first: 1, records: eventsOf('call_1', 3) });
  await first.close();
  const store = await openTempStore({ path });
  const { journal, outbox, endpoints, deliveries, calls, keys, credentials, idempotency } = store;
  await journal.commit({ incarnation: 'nod_2', first: 1, records: eventsOf('call_1', 60) });
  await journal.append(eventsOf('call_1', 2));
  for (const filter of [
    {},
    { testMode: true },
    { resourceId: 'call_1' },
    { agentId: 'echo' },
    { types: ['call.*', 'dtmf_received'] },
    { testMode: false, agentId: 'echo', types: ['call.*'] },
    { testMode: false, resourceId: 'call_1', agentId: 'echo', types: ['x'] },
  ]) {
    await journal.read({ workspaceId: WORKSPACE, limit: 10, after: 5, ...filter });
  }
  await journal.bounds();
  await journal.openCalls('nod_1');
  await journal.listOpenCalls('nod_1');
  await journal.finish('call_1', () => []);
  await journal.openCall('call_1');
  await journal.incarnationsWithOpenCalls();
  await journal.forgetCursor('nod_1');
  const [owed] = await outbox.unfinished({ position: 0, id: '' }, 10);
  await outbox.load(owed!.id);
  await outbox.following({ endpointId: 'whk_1', resourceId: 'call_1' }, 0, 10);
  await outbox.undelivered(10);
  for (const filter of [
    {},
    { state: 'active' },
    { direction: 'inbound' },
    { agentId: 'echo' },
    { from: 'a' },
    { to: 'b' },
    { state: 'active', direction: 'inbound', agentId: 'echo', from: 'a', to: 'b' },
  ]) {
    await calls.list({ ...PAGE, ...filter });
    await calls.list({ ...PAGE, ...filter, page: 2 });
    const cursor = Buffer.from('["2027","call_2"]').toString('base64url');
    await calls.list({ ...PAGE, ...filter, cursor });
  }
  await calls.get(WORKSPACE, 'call_1');
  const ofHook = { ...PAGE, endpointId: 'whk_1' };
  const log = await deliveries.list(ofHook);
  await deliveries.list({ ...ofHook, cursor: log.nextCursor! });
  await deliveries.list({ ...ofHook, state: 'retrying' });
  await deliveries.get(PAGE, owed!.id);
  await deliveries.attempts(owed!.id);
  await outbox.record(attemptOf(owed!.id, 1), { state: 'dead', nextAttemptUnixMs: null });
  const range = { ...PAGE, limit: 1, sinceUnixMs: 1, untilUnixMs: 9e12 };
  await deliveries.deadLetters(range);
  const cursor = Buffer.from(`[9e12,"${owed!.id}"]`).toString('base64url');
  await deliveries.deadLetters({ ...range, endpointId: 'whk_1', cursor });
  await deliveries.replay([{ deliveryId: owed!.id, replayId: 'dlv_again', sentAs: null }]);
  await endpoints.update(WORKSPACE, 'whk_1', { description: 'x' });
  await endpoints.list(PAGE);
  await endpoints.remove(WORKSPACE, 'whk_1');
  await keys.list(PAGE);
  await credentials.list(PAGE);
  await idempotency.find('key_1', 'x');
  await idempotency.remember('key_1', 'x', { bodyHash: '', status: 1, answer: {}, expiresUnixMs: 0 });
  await useInbound(store);
  await store.purge({ beforeUnixMs: 9e12, limit: 10 });
  await useRecordings(store);
}

async function useInbound({ inbound }: Store): Promise<void> {
  const hook = hookOf('inh_1');
  await inbound.create(hook);
  await inbound.update(hook);
  const command = { action: 'hang_up', callId: 'call_1', command: { name: 'hang_up' } } as const;
  const events = [{ type: 'custom.x', data: {} }];
  const call = { hook, resource: { type: 'inbound', id: 'inh_1' }, region: 'local', keyHash: 'k' };
  for (const id of ['inc_1', 'inc_2']) {
    await inbound.accept({ ...call, id, plan: { commands: [command], events } }, () => undefined);
  }
  await inbound.refused({ id: 'inc_3', hookId: 'inh_1', fault: 'not_json', detail: '' });
  await inbound.due(9e12, 10);
  await inbound.nextDueUnixMs();
  await inbound.progressed('inc_1', { done: 1, tries: 1, error: null, dueUnixMs: null });
  await inbound.list(PAGE);
  const log = { ...PAGE, hookId: 'inh_1' };
  const cursor = Buffer.from('[9e12,"inc_2"]').toString('base64url');
  for (const query of [log, { ...log, page: 2 }, { ...log, cursor }, { ...log, state: 'refused' as const }]) {
    await inbound.log(query);
  }
  await inbound.remove('inh_1');
}

/** Recordings, found by everything they are asked by. */
async function useRecordings({ recordings, calls }: Store): Promise<void> {
  const place = { workspaceId: WORKSPACE, testMode: false };
  const open = { state: 'recording', durationMs: null, bytes: null, sha256: null, reason: null } as const;
  const facts = { format: 'wav_g711', sampleRateHz: 8000, startedAt: '2026-11-20T12:00:00.000Z' };
  const recording = { ...place, ...open, ...facts, id: 'rec_1', callId: 'call_1' };
  await recordings.add(recording);
  await recordings.has('rec_1');
  await recordings.get(place, 'rec_1');
  await recordings.list({ ...place, limit: 2, page: 1 });
  await recordings.list({ ...place, limit: 2, page: 1, callId: 'call_1' });
  await recordings.unsettled(10);
  await recordings.startedBefore('2026-11-21', 10);
  const end = { ...open, state: 'ready' } as const;
  await recordings.tellEnd(recording, (await calls.get(WORKSPACE, 'call_1'))!, end, 'http://x');
  await recordings.settle('rec_1', end);
  await recordings.remove('rec_1');
}
