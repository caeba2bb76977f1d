import { expect, it } from 'vitest';
import { callEnvelopes } from '../../fakes/call-envelopes.ts';
import { describeOnEachEngine, openTempStore } from '../temp-store.ts';
import type { Envelope, EventRecord } from '../../../src/events/envelope.ts';

const recordOf = (envelope: Envelope): EventRecord => ({
  envelope,
  stamps: { receivedAtMs: 1, decidedAtMs: 2 },
});

/** A call of four events, over. */
async function openScene(callId = 'call_1') {
  const store = await openTempStore();
  const { next } = callEnvelopes(callId);
  const told = [
    next('call_started'),
    next('transcript_segment', { speaker: 'caller', text: 'My number is 555.', start_ms: 0, end_ms: 9 }),
    next('handover_started', { target: { type: 'phone', to: '+15550177' }, reason: 'wants Jane Doe' }),
    next('call_ended', { reason: 'caller_hangup', duration_ms: 1_234 }, 'ended'),
    next('call_completed', { reason: 'caller_hangup', duration_ms: 1_234, cost: null }, 'ended'),
  ];
  await store.journal.append(told.map(recordOf));
  const analysed = (sequence: number): EventRecord => {
    const envelope = next('call_analyzed', {}, 'ended');
    return recordOf({ ...envelope, id: `${envelope.id}_${sequence}`, sequence });
  };
  return { store, analysed };
}

describeOnEachEngine('calls that are to be analysed', () => {
  it('are those the journal has completed, from the cursor on', async () => {
    const { store } = await openScene();
    const { analyses } = store;
    const from = await analyses.cursor();
    const { calls, upTo } = await analyses.completedAfter(from, 10);
    expect(calls).toEqual([{ position: 5, callId: 'call_1' }]);
    expect(upTo).toBe(5);
    await analyses.moveTo(5);
    await analyses.moveTo(3);
    expect(await analyses.cursor()).toBe(5);
    expect((await analyses.completedAfter(5, 10)).calls).toEqual([]);
  });

  it('are taken by one at a time, until its time is over', async () => {
    const { analyses } = (await openScene()).store;
    expect(await analyses.claim('call_1', 1_000, 31_000)).toBe('mine');
    expect(await analyses.claim('call_1', 2_000, 32_000)).toBe('taken');
    expect(await analyses.claim('call_1', 31_000, 61_000)).toBe('mine');
  });

  it('are told of once, however many try, and numbered on', async () => {
    const { store, analysed } = await openScene();
    const { analyses, journal } = store;
    const material = (await analyses.materialOf('call_1'))!;
    expect(material.envelopes.map(({ type }) => type)).toEqual(['transcript_segment', 'call_completed']);
    const told = await Promise.all(
      [1, 2, 3].map(() => analyses.tell(material, (last) => [analysed(last + 1)])),
    );
    expect(told.flatMap((one) => (one.type === 'told' ? one.events : []))).toHaveLength(1);
    expect(await analyses.claim('call_1', 1, 2)).toBe('told');
    const events = await journal.read({ workspaceId: 'ws_default', resourceId: 'call_1', limit: 20 });
    expect(events.map(({ envelope }) => envelope.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('that were erased meanwhile are looked at anew', async () => {
    const { store, analysed } = await openScene();
    const material = (await store.analyses.materialOf('call_1'))!;
    await store.erasure.erase('call_1', '2026-11-20T13:00:00.000Z');
    const told = await store.analyses.tell(material, (last) => [analysed(last + 1)]);
    expect(told).toEqual({ type: 'changed' });
    const anew = (await store.analyses.materialOf('call_1'))!;
    expect((await store.analyses.tell(anew, (last) => [analysed(last + 1)])).type).toBe('told');
  });
});

describeOnEachEngine('an erased call', () => {
  it('has its ids, times and figures, and nobody’s numbers or words', async () => {
    const { store } = await openScene();
    const { calls, journal, erasure } = store;
    const before = (await calls.get('ws_default', 'call_1'))!;
    await erasure.erase('call_1', '2026-11-20T13:00:00.000Z');
    const after = (await calls.get('ws_default', 'call_1'))!;
    expect(after.head).toEqual({ ...before.head, from: null, to: null, metadata: {} });
    expect(after.timeline).toEqual(before.timeline);
    expect(after.erased_at).toBe('2026-11-20T13:00:00.000Z');
    const filters = { workspaceId: 'ws_default', testMode: false, limit: 10, page: 1 };
    expect((await calls.list({ ...filters, from: '+15550100' })).items).toEqual([]);
    const kept = await journal.read({ workspaceId: 'ws_default', resourceId: 'call_1', limit: 20 });
    expect(kept).toHaveLength(5);
    const text = JSON.stringify(kept);
    for (const word of ['555', 'Jane', 'number']) expect(text).not.toContain(word);
    expect(kept[1]!.envelope.data).toMatchObject({ text: null, start_ms: 0, lead_id: '884' });
    expect(kept[4]!.envelope.data).toMatchObject({ reason: 'caller_hangup', duration_ms: 1_234 });
    await erasure.erase('call_1', '2026-11-20T14:00:00.000Z');
    expect((await calls.get('ws_default', 'call_1'))!.erased_at).toBe('2026-11-20T13:00:00.000Z');
  });

  it('leaves others as they are', async () => {
    const { store } = await openScene();
    const { next } = callEnvelopes('call_2');
    await store.journal.append([recordOf(next('call_started'))]);
    await store.erasure.erase('call_1', '2026-11-20T13:00:00.000Z');
    const other = await store.journal.read({ workspaceId: 'ws_default', resourceId: 'call_2', limit: 5 });
    expect(other[0]!.envelope.data).toMatchObject({ from: '+15550100', to: '+15550199' });
  });
});
