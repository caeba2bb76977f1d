import { expect, it } from 'vitest';
import type { CallQuery } from '../../src/api/ports.ts';
import { applyToCall, type CallView } from '../../src/events/call-view.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import { eventOf, WORKSPACE } from './samples.ts';
import { describeOnEachEngine, openTempStore, rowsIn, tempPath } from './temp-store.ts';

const FIRST: CallQuery = { workspaceId: WORKSPACE, testMode: false, limit: 50, page: 1 };

function wholeCall(id: string): EventRecord[] {
  return [
    eventOf(id, 1),
    eventOf(id, 2, { type: 'leg_connected', data: { leg_id: 'leg_1', role: 'caller', dialect: 'twilio' } }),
    eventOf(id, 3, { type: 'voice_detected', data: { leg_id: 'leg_1' } }),
    eventOf(id, 4, { type: 'leg_disconnected', data: { leg_id: 'leg_1', reason: 'caller_hangup' } }),
    eventOf(id, 5, { type: 'call_ended', data: { state: 'ended', reason: 'caller_hangup' } }),
    eventOf(id, 6, { type: 'call_completed', data: { state: 'ended', quality: { mos: 4.1 }, cost: null } }),
  ];
}

function viewOf(records: readonly EventRecord[]): CallView | undefined {
  return records.reduce<CallView | undefined>(
    (view, { envelope }) => applyToCall(view, envelope, 'nod_1'),
    undefined,
  );
}

describeOnEachEngine('a call', () => {
  it('is told as its events told it, at every moment', async () => {
    const { journal, calls } = await openTempStore();
    const records = wholeCall('call_1');
    for (let count = 1; count <= records.length; count++) {
      await journal.commit({ incarnation: 'nod_1', first: count, records: records.slice(count - 1, count) });
      expect(await calls.get(WORKSPACE, 'call_1')).toEqual(viewOf(records.slice(0, count)));
    }
  });

  it('is told the same after a restart in the middle, and when it comes in one batch', async () => {
    const path = tempPath();
    const records = wholeCall('call_1');
    const first = await openTempStore({ path });
    await first.journal.commit({ incarnation: 'nod_1', first: 1, records: records.slice(0, 3) });
    await first.close();
    const second = await openTempStore({ path });
    await second.journal.commit({ incarnation: 'nod_1', first: 4, records: records.slice(3) });
    const whole = wholeCall('call_2');
    await second.journal.commit({ incarnation: 'nod_1', first: 7, records: whole });
    expect(await second.calls.get(WORKSPACE, 'call_1')).toEqual(viewOf(records));
    expect(await second.calls.get(WORKSPACE, 'call_2')).toEqual(viewOf(whole));
  });

  it('is told to its own workspace only', async () => {
    const { journal, calls } = await openTempStore();
    await journal.append([eventOf('call_1', 1)]);
    expect(await calls.get('ws_other', 'call_1')).toBeUndefined();
    expect(await calls.get(WORKSPACE, 'call_2')).toBeUndefined();
  });

  it('does not exist without its start, and that is counted', async () => {
    const { journal, calls, stats } = await openTempStore();
    await journal.append([eventOf('call_1', 7)]);
    expect(await calls.get(WORKSPACE, 'call_1')).toBeUndefined();
    expect(stats.journal).toMatchObject({ viewlessEvents: 1, committedEvents: 1 });
  });

  it('writes its growing timeline once, when it is complete', async () => {
    const path = tempPath();
    const { journal } = await openTempStore({ path });
    const records = wholeCall('call_1');
    await journal.append(records.slice(0, 5));
    expect(await rowsIn(path, 'select timeline from calls')).toEqual([{ timeline: null }]);
    await journal.append(records.slice(5));
    const [row] = await rowsIn(path, 'select timeline from calls');
    expect(JSON.parse(String(row!['timeline']))).toHaveLength(6);
  });
});

describeOnEachEngine('the list of calls', () => {
  async function openList() {
    const { journal, calls } = await openTempStore();
    const start = (id: string, minute: number, data: object = {}, testMode = false) =>
      eventOf(id, 1, {
        test_mode: testMode,
        data: { started_at: `2026-11-20T12:0${minute}:00.000Z`, ...data },
      });
    await journal.append([
      start('call_1', 1),
      start('call_2', 2, { direction: 'outbound', to: '+15550123' }),
      start('call_3', 3, { agent_id: 'silent', from: '+15550124' }),
      start('call_4', 4, {}, true),
      start('call_5', 5, { state: 'ended' }),
    ]);
    return (change: Partial<CallQuery> = {}) => calls.list({ ...FIRST, ...change });
  }
  const ids = (items: readonly CallView[]) => items.map(({ id }) => id);

  it('is newest first, without timelines, of one mode', async () => {
    const list = await openList();
    const page = await list();
    expect(ids(page.items)).toEqual(['call_5', 'call_3', 'call_2', 'call_1']);
    expect(page).toMatchObject({ total: 4, nextCursor: null });
    expect(page.items.every(({ timeline }) => timeline.length === 0)).toBe(true);
    expect(ids((await list({ testMode: true })).items)).toEqual(['call_4']);
    expect((await list({ workspaceId: 'ws_other' })).total).toBe(0);
  });

  it.each([
    [{ state: 'ended' }, ['call_5']],
    [{ direction: 'outbound' }, ['call_2']],
    [{ agentId: 'silent' }, ['call_3']],
    [{ from: '+15550124' }, ['call_3']],
    [{ to: '+15550123' }, ['call_2']],
    [{ to: '+15550199', direction: 'inbound', state: 'active' }, ['call_3', 'call_1']],
  ])('filters by %o', async (filter, expected) => {
    const list = await openList();
    const page = await list(filter);
    expect(ids(page.items)).toEqual(expected);
    expect(page.total).toBe(expected.length);
  });
});

describeOnEachEngine('open calls', () => {
  it('are found by the incarnation that ran them until they are complete', async () => {
    const { journal } = await openTempStore();
    await journal.commit({ incarnation: 'nod_1', first: 1, records: wholeCall('call_1') });
    await journal.commit({ incarnation: 'nod_1', first: 7, records: wholeCall('call_2').slice(0, 5) });
    await journal.commit({ incarnation: 'nod_2', first: 1, records: [eventOf('call_3', 1)] });
    expect(await journal.incarnationsWithOpenCalls()).toEqual(['nod_1', 'nod_2']);
    const [open] = await journal.openCalls('nod_1');
    expect(open).toMatchObject({ id: 'call_2', sequence: 5, completed: false, end_reason: 'caller_hangup' });
    expect(open!.timeline).toHaveLength(5);

    // As the reaper does it: numbered on from the view, with no spool behind it.
    const [completed] = await journal.append([
      eventOf('call_2', open!.sequence + 1, { type: 'call_completed' }),
    ]);
    expect(completed!.position).toBe(13);
    expect(await journal.openCalls('nod_1')).toEqual([]);
    expect(await journal.incarnationsWithOpenCalls()).toEqual(['nod_2']);
    expect(await journal.openCall('call_2')).toBeUndefined();
    expect(await journal.openCall('call_3')).toMatchObject({ id: 'call_3', incarnation: 'nod_2' });
  });

  it('are listed by what is asked of many: where they began, and how far they were told', async () => {
    const { journal } = await openTempStore();
    const [first, ...rest] = wholeCall('call_2').slice(0, 5);
    const abroad = { ...first!, envelope: { ...first!.envelope, region: 'south' } };
    const records = [...wholeCall('call_1'), abroad, ...rest];
    await journal.commit({ incarnation: 'nod_1', first: 1, records });
    expect(await journal.listOpenCalls('nod_1')).toEqual([{ id: 'call_2', region: 'south', sequence: 5 }]);
    expect(await journal.listOpenCalls('nod_2')).toEqual([]);
  });

  it('are found by the incarnation that went on with them', async () => {
    const { journal } = await openTempStore();
    const fenced = (fence: number, sequence: number) => [{ ...eventOf('call_1', sequence), fence }];
    await journal.commit({ incarnation: 'nod_1', first: 1, records: fenced(1, 1) });
    await journal.commit({ incarnation: 'nod_2', first: 1, records: fenced(2, 2) });
    expect(await journal.openCalls('nod_1')).toEqual([]);
    expect(await journal.openCalls('nod_2')).toMatchObject([{ id: 'call_1', sequence: 2 }]);
    expect(await journal.incarnationsWithOpenCalls()).toEqual(['nod_2']);
  });
});
