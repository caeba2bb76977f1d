import { describe, expect, it } from 'vitest';
import { OWNER, QueueScene, settled } from './queue-scene.ts';

describe('a queue', () => {
  it('asks whoever is idle for longest, and the next one when nobody answers for 15 seconds', async () => {
    const scene = new QueueScene();
    const first = scene.member();
    await scene.passes(1_000);
    const second = scene.member();
    scene.wants('ho_1');
    expect([first.openHandoverId, second.openHandoverId]).toEqual(['ho_1', undefined]);
    expect(first.offer).toMatchObject({ call_id: 'call_of_ho_1', expires_in_ms: 15_000, mode: 'cold' });
    await scene.passes(14_000);
    expect(second.openHandoverId).toBe(undefined);
    await scene.passes(1_000);
    expect(first.of('withdrawn')).toMatchObject([{ reason: 'timeout' }]);
    expect(second.openHandoverId).toBe('ho_1');
    await scene.passes(15_000);
    expect(first.openHandoverId).toBe('ho_1');
    expect(scene.queues.stats).toMatchObject({ offers: 3, unanswered: 2 });
  });

  it('gives the way in to who accepts, and does not ask it again before it is ready', async () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    member.accept();
    await settled();
    expect(member.of('accepted')).toMatchObject([
      { call_id: 'call_of_ho_1', handover_id: 'ho_1', join: { token: 'ho_1' }, context: {} },
    ]);
    expect(member.told.at(-1)).toEqual({ type: 'state', state: 'away' });
    scene.over('ho_1');
    scene.wants('ho_2');
    expect(member.openHandoverId).toBe(undefined);
    member.say('ready');
    expect(member.openHandoverId).toBe('ho_2');
  });

  it('does not ask again who declined, and gives the call back when everybody has', async () => {
    const scene = new QueueScene();
    const [first, second] = [scene.member(), scene.member()];
    scene.wants('ho_1');
    first.decline();
    expect([first.openHandoverId, second.openHandoverId]).toEqual([undefined, 'ho_1']);
    second.decline();
    await settled();
    expect(scene.commands.map(({ command }) => command)).toEqual([
      { name: 'answer_handover', handover_id: 'ho_1', verdict: 'decline' },
    ]);
    expect(scene.queues.list(OWNER)).toMatchObject([{ waiting: [] }]);
  });

  it('serves first who waits first, one offer to a member at a time', async () => {
    const scene = new QueueScene();
    scene.wants('ho_1');
    await scene.passes(1_000);
    scene.wants('ho_2');
    const member = scene.member();
    expect(member.openHandoverId).toBe('ho_1');
    expect(member.of('offer')).toHaveLength(1);
    scene.over('ho_1');
    expect(member.of('withdrawn')).toMatchObject([{ reason: 'gone' }]);
    expect(member.openHandoverId).toBe('ho_2');
  });

  it('asks the next one when a member leaves or goes away', async () => {
    const scene = new QueueScene();
    const [first, second, third] = [scene.member(), scene.member(), scene.member()];
    scene.wants('ho_1');
    first.seat.leave();
    expect(second.openHandoverId).toBe('ho_1');
    second.say('away');
    expect([second.openHandoverId, third.openHandoverId]).toEqual([undefined, 'ho_1']);
    expect(second.told.at(-1)).toEqual({ type: 'state', state: 'away' });
  });

  it('takes the second of two answers to one offer for what it is', async () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    member.accept();
    member.accept();
    member.decline();
    await settled();
    expect(member.of('error')).toMatchObject([{ code: 'conflict' }, { code: 'conflict' }]);
    expect(member.of('accepted')).toHaveLength(1);
    expect(scene.commands).toHaveLength(1);
  });

  it('tells who accepted while the caller hung up that the call is gone', async () => {
    const scene = new QueueScene();
    scene.isHolding = true;
    const member = scene.member();
    scene.wants('ho_1');
    member.accept();
    scene.over('ho_1');
    scene.wants('ho_2');
    expect(member.of('offer')).toHaveLength(1);
    scene.held.shift()?.();
    await settled();
    expect(member.of('withdrawn')).toMatchObject([{ reason: 'gone' }]);
    expect(member.openHandoverId).toBe('ho_2');
    expect(scene.queues.stats.tooLate).toBe(1);
  });

  it('asks the next one when who accepted does not come', async () => {
    const scene = new QueueScene();
    const [first, second] = [scene.member(), scene.member()];
    scene.wants('ho_1');
    first.accept();
    await settled();
    expect(scene.queues.list(OWNER)).toMatchObject([{ waiting: [{ state: 'claimed' }] }]);
    await scene.passes(14_000);
    expect(second.openHandoverId).toBe(undefined);
    await scene.passes(2_000);
    expect(second.openHandoverId).toBe('ho_1');
  });

  it('waits for a node that does not answer, and asks again once it says that the call waits', async () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    scene.isUnavailable = true;
    member.accept();
    await settled();
    expect(member.of('withdrawn')).toMatchObject([{ reason: 'unavailable' }]);
    scene.isUnavailable = false;
    await scene.passes(2_000);
    expect(member.openHandoverId).toBe('ho_1');
  });

  it('forgets a call whose node says nothing of it for six seconds', async () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    scene.waiting.clear();
    await scene.passes(6_000);
    expect(member.of('withdrawn')).toMatchObject([{ reason: 'gone' }]);
    expect(scene.queues.stats.lapsed).toBe(1);
  });

  it('is whole again two seconds after control was started anew, in the order calls waited', async () => {
    const scene = new QueueScene();
    scene.wants('ho_1');
    await scene.passes(1_000);
    scene.wants('ho_2');
    scene.member().accept();
    await settled();
    await scene.restarts();
    const member = scene.member(false);
    await scene.passes(2_000);
    const waiting = [
      { handover_id: 'ho_1', state: 'claimed' },
      { handover_id: 'ho_2', state: 'waiting' },
    ];
    expect(scene.queues.list(OWNER)).toMatchObject([{ name: 'sales', waiting }]);
    member.say('ready');
    expect(member.openHandoverId).toBe('ho_2');
  });

  it('listens to the owner of a call, and not to the one before', async () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    const { ask } = scene.waiting.get('ho_1')!;
    await scene.queues.answer(ask, 'inc_2');
    await scene.queues.answer({ ...ask, standing: 'over' }, 'inc_1');
    expect(member.openHandoverId).toBe('ho_1');
    await scene.queues.answer({ ...ask, standing: 'over' }, 'inc_2');
    expect(member.openHandoverId).toBe(undefined);
  });

  it('knows no other workspace, nor test mode', () => {
    const scene = new QueueScene();
    scene.wants('ho_1');
    for (const owner of [
      { ...OWNER, testMode: true },
      { ...OWNER, workspaceId: 'ws_2' },
    ]) {
      const told: object[] = [];
      const wire = { tell: (news: object) => void told.push(news) };
      scene.queues.join(owner, 'sales', { label: null, wire }).say({ type: 'ready' });
      expect(told).toEqual([{ type: 'state', state: 'ready' }]);
      expect(scene.queues.list(owner)).toMatchObject([{ waiting: [] }]);
    }
  });

  it('has no more members and no more waiting calls than it can hold, and counts who is refused', async () => {
    const scene = new QueueScene();
    for (let i = 0; i < 200; i++) scene.member(false);
    expect(() => scene.member()).toThrow('200 members');
    for (let i = 0; i < 501; i++) scene.wants(`ho_${i}`);
    const { ask } = scene.waiting.get('ho_500')!;
    expect(await scene.queues.answer(ask, 'inc_1')).toMatchObject({ ok: false, fault: 'overloaded' });
    expect(scene.queues.stats).toMatchObject({ refusedMembers: 1, refusedWaiting: 2 });
  });

  it('is gone when nobody is in it and nothing waits', () => {
    const scene = new QueueScene();
    const member = scene.member();
    scene.wants('ho_1');
    scene.over('ho_1');
    member.seat.leave();
    member.seat.leave();
    member.say('ready');
    expect(scene.queues.list(OWNER)).toEqual([]);
    expect(scene.clock.pendingTasks).toBe(0);
  });
});
