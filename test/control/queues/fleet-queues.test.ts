import { describe, expect, it } from 'vitest';
import { MEMBERS_MAX } from '../../../src/control/queues/call-queue.ts';
import { FleetScene } from './fleet-scene.ts';
import { OWNER } from './queue-scene.ts';

/** Two hosts; the first keeps the queues, and has said so for long enough. */
async function openTwo() {
  const scene = new FleetScene();
  const [near, far] = [scene.host(), scene.host()];
  await scene.passes(3_000);
  return { scene, near, far };
}

describe('a queue of hosts that share a database', () => {
  it('offers a call of one host to a member at another, who takes it', async () => {
    const { scene, near, far } = await openTwo();
    const member = far.member();
    await scene.passes(200);
    near.wants('ho_1');
    await scene.passes(200);
    expect(member.offer).toMatchObject({ handover_id: 'ho_1', expires_in_ms: 15_000 });
    member.accept();
    await scene.passes(200);
    expect(member.of('accepted')).toMatchObject([{ handover_id: 'ho_1', join: { token: 'ho_1' } }]);
    expect(member.told.at(-1)).toEqual({ type: 'state', state: 'away' });
    expect(near.waiting.get('ho_1')!.claims.length).toBe(1);
  });

  it('asks the node of another host for the way in by that host', async () => {
    const { scene, near, far } = await openTwo();
    const member = near.member();
    far.wants('ho_1');
    await scene.passes(200);
    member.accept();
    await scene.passes(200);
    expect(member.of('accepted').length).toBe(1);
    expect(far.waiting.get('ho_1')!.claims.length).toBe(1);
  });

  it('rings at one member at a time, whoever is idle for longest first, wherever they are', async () => {
    const { scene, near, far } = await openTwo();
    const members = [];
    for (const host of [far, near, far, near]) {
      members.push(host.member());
      await scene.passes(500);
    }
    near.wants('ho_1');
    const asked: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await scene.passes(200);
      const ringing = members.filter(({ openHandoverId }) => openHandoverId === 'ho_1');
      expect(ringing.length).toBe(1);
      asked.push(members.indexOf(ringing[0]!));
      await scene.passes(15_000);
    }
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it('offers first what waits first, whichever host it waits at', async () => {
    const { scene, near, far } = await openTwo();
    for (const [host, id] of [
      [far, 'ho_1'],
      [near, 'ho_2'],
      [far, 'ho_3'],
    ] as const) {
      host.wants(id);
      await scene.passes(300);
    }
    const members = [near.member(), far.member(), near.member()];
    await scene.passes(300);
    expect(new Set(members.map(({ openHandoverId }) => openHandoverId))).toEqual(
      new Set(['ho_1', 'ho_2', 'ho_3']),
    );
    const later = far.member();
    far.wants('ho_4');
    await scene.passes(300);
    expect(later.openHandoverId).toBe('ho_4');
  });

  it('ends for a caller when every member of all hosts has declined', async () => {
    const { scene, near, far } = await openTwo();
    const members = [near.member(), far.member()];
    await scene.passes(200);
    far.wants('ho_1');
    for (let turn = 0; turn < 2; turn++) {
      await scene.passes(200);
      expect(far.waiting.has('ho_1')).toBe(true);
      members.find(({ openHandoverId }) => openHandoverId === 'ho_1')!.decline();
    }
    await scene.passes(200);
    expect(far.waiting.has('ho_1')).toBe(false);
  });

  it('is listed whole at every host', async () => {
    const { scene, near, far } = await openTwo();
    near.member();
    far.member(false);
    far.wants('ho_1');
    await scene.passes(200);
    const shown = [
      { name: 'sales', members: [{ state: 'offered' }, { state: 'away' }], waiting: [{ state: 'offered' }] },
    ];
    expect(await near.queues.list(OWNER)).toMatchObject(shown);
    const listing = far.queues.list(OWNER);
    await scene.passes(200);
    expect(await listing).toMatchObject(shown);
  });

  it('asks no member any more whose host is gone, and offers its call to the next', async () => {
    const { scene, near, far } = await openTwo();
    far.member();
    await scene.passes(500);
    const other = near.member();
    near.wants('ho_1');
    await scene.passes(200);
    expect(other.offer).toBeUndefined();
    await scene.kill(far);
    await scene.passes(6_500);
    expect(other.openHandoverId).toBe('ho_1');
  });

  it('goes on at another host in the same order when the one that kept it is killed', async () => {
    const { scene, near, far } = await openTwo();
    const third = scene.host();
    const first = far.member();
    await scene.passes(500);
    const second = third.member();
    await scene.passes(500);
    far.wants('ho_1');
    await scene.passes(300);
    expect(first.openHandoverId).toBe('ho_1');
    third.wants('ho_2');
    await scene.passes(300);
    expect(second.openHandoverId).toBe('ho_2');
    await scene.kill(near);
    await scene.passes(1_000);
    scene.moveTo(third);
    await scene.passes(2_000);
    // What was offered is not to be had by that offer any more.
    expect([first, second].map((one) => one.of('withdrawn'))).toMatchObject([
      [{ reason: 'unavailable' }],
      [{ reason: 'unavailable' }],
    ]);
    await scene.passes(1_000);
    expect([first.openHandoverId, second.openHandoverId]).toEqual(['ho_1', 'ho_2']);
    second.accept();
    first.accept();
    await scene.passes(300);
    expect([first, second].map((one) => one.of('accepted').length)).toEqual([1, 1]);
  });

  it('keeps its order where it is kept anew: nobody is asked before all have said what waits', async () => {
    const { scene, near, far } = await openTwo();
    near.wants('ho_1');
    await scene.passes(1_000);
    far.wants('ho_2');
    await scene.passes(1_000);
    scene.moveTo(far);
    // It knows of its own at once, and hears of the other's within two seconds.
    far.says('ho_2');
    const members = [far.member(), near.member()];
    await scene.passes(2_000);
    expect(members.map(({ offer }) => offer)).toEqual([undefined, undefined]);
    await scene.passes(1_000);
    expect(members.map(({ openHandoverId }) => openHandoverId)).toEqual(['ho_1', 'ho_2']);
  });

  it('tells a member at another host once that there is no room, and takes it in when there is', async () => {
    const { scene, near, far } = await openTwo();
    const there = Array.from({ length: MEMBERS_MAX }, () => near.member(false));
    const member = far.member();
    await scene.passes(7_000);
    expect(member.told).toMatchObject([{ type: 'error', code: 'overloaded' }]);
    there[0]!.seat.leave();
    await scene.passes(2_500);
    expect(member.told.slice(1)).toEqual([{ type: 'state', state: 'ready' }]);
    expect(near.queues.stats.refusedMembers).toBeGreaterThan(0);
  });

  it('takes up what is said while nobody keeps it', async () => {
    const { scene, near, far } = await openTwo();
    scene.moveTo(undefined);
    await scene.passes(500);
    const member = far.member();
    near.wants('ho_1');
    await scene.passes(1_000);
    expect(member.told).toEqual([]);
    scene.moveTo(far);
    await scene.passes(3_500);
    expect(member.openHandoverId).toBe('ho_1');
  });

  it('says nothing under a lease that has run out', async () => {
    const { scene, near, far } = await openTwo();
    const [here, there] = [near.member(), far.member()];
    near.wants('ho_1');
    await scene.passes(200);
    expect(here.openHandoverId).toBe('ho_1');
    // It stood still: its timers run before it has heard that another one keeps the queues.
    scene.moveTo(far);
    scene.clock.advance(15_000);
    expect(here.of('withdrawn')).toMatchObject([{ reason: 'unavailable' }]);
    await scene.passes(5_000);
    const ringing = [here, there].filter(({ openHandoverId }) => openHandoverId === 'ho_1');
    expect(ringing.length).toBe(1);
  });

  it('goes on when the database was away', async () => {
    const { scene, near, far } = await openTwo();
    const member = far.member();
    await scene.passes(500);
    scene.letters.isAway = true;
    near.wants('ho_1');
    await scene.passes(3_000);
    // Nobody can renew a lease either.
    scene.moveTo(undefined);
    await scene.passes(7_000);
    expect(far.queues.mail.stats.failures).toBeGreaterThan(0);
    scene.letters.isAway = false;
    await scene.passes(500);
    scene.moveTo(far);
    await scene.passes(3_500);
    member.accept();
    await scene.passes(300);
    expect(member.of('accepted').length).toBe(1);
  });
});
