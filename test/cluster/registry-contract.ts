import { expect, it } from 'vitest';
import type { ClaimWish, Registry } from '../../src/cluster/registry.ts';
import { nodeRecord } from '../fakes/node-records.ts';

let calls = 0;
/** A call nobody has heard of: the suite shares its registry. */
const newCall = (): string => `call_${++calls}`;

const wish = (callId: string, facts: Partial<ClaimWish> = {}): ClaimWish => ({
  callId,
  reason: 'new',
  expectedOwner: null,
  tokenFloor: 0,
  ...facts,
});

async function claimed(registry: Registry, owner: string, callId: string, facts = {}): Promise<number> {
  const claim = await registry.claim(owner, wish(callId, facts));
  if (claim.result !== 'claimed') throw new Error(`not claimed but ${claim.result}`);
  return claim.token;
}

/** What every registry promises, whatever is behind it. */
export function describeRegistry(open: () => Registry): void {
  it('tells everybody who beats of everybody who did, and of its own life', async () => {
    const registry = open();
    const first = await registry.beat(nodeRecord('n0-beat'));
    const second = await registry.beat(nodeRecord('n1-beat', { legs: 3 }));
    expect(second?.epoch).toBe(first?.epoch);
    expect(second?.nodes.map(({ incarnation }) => incarnation)).toContain('n0-beat');
    expect(second?.nodes.find(({ incarnation }) => incarnation === 'n1-beat')?.legs).toBe(3);
    expect(second?.epochAgeMs).toBeGreaterThanOrEqual(0);
  });

  it('no longer names a node that left', async () => {
    const registry = open();
    await registry.beat(nodeRecord('n0-left'));
    await registry.leave('n0-left');
    const answer = await registry.beat(nodeRecord('n1-stays'));
    expect(answer?.nodes.map(({ incarnation }) => incarnation)).not.toContain('n0-left');
  });

  it('names those who beat to somebody who does not', async () => {
    const registry = open();
    await registry.beat(nodeRecord('n0-seen', { legs: 4 }));
    await registry.beat(nodeRecord('n1-gone'));
    await registry.leave('n1-gone');
    const nodes = new Map((await registry.nodes())?.map((node) => [node.incarnation, node]));
    expect(nodes.get('n0-seen')?.legs).toBe(4);
    expect(nodes.has('n1-gone')).toBe(false);
  });

  it('lets one node begin a call, and names it to the others', async () => {
    const registry = open();
    const callId = newCall();
    expect(await registry.find(callId)).toBe('unknown');
    const token = await claimed(registry, 'n0', callId);
    const moved = { result: 'moved', owner: 'n0', token };
    expect(await registry.claim('n1', wish(callId))).toEqual(moved);
    expect(await registry.find(callId)).toEqual({ state: 'live', owner: 'n0', token, sequence: 0 });
  });

  it('gives the same token to a node that asks again because it heard no answer', async () => {
    const registry = open();
    const callId = newCall();
    const token = await claimed(registry, 'n0', callId);
    expect(await claimed(registry, 'n0', callId)).toBe(token);
  });

  it('gives a call with its snapshot to one of two who want it, with a greater token', async () => {
    const registry = open();
    const callId = newCall();
    const token = await claimed(registry, 'n0', callId);
    await registry.save('n0', { callId, token, sequence: 7, snapshot: '{"a":1}' });
    const arrival = { reason: 'arrival', expectedOwner: 'n0' } as const;
    const taken = await registry.claim('n1', wish(callId, arrival));
    expect(taken).toMatchObject({ result: 'claimed', snapshot: '{"a":1}', previousOwner: 'n0' });
    expect(await registry.claim('n2', wish(callId, arrival))).toMatchObject({ result: 'moved', owner: 'n1' });
    expect(taken.result === 'claimed' && taken.token > token).toBe(true);
    expect(await registry.find(callId)).toMatchObject({ owner: 'n1', sequence: 7 });
  });

  it('takes over only what has a record', async () => {
    const arrival = { reason: 'arrival', expectedOwner: 'n0' } as const;
    expect(await open().claim('n1', wish(newCall(), arrival))).toEqual({ result: 'unknown' });
  });

  it('gives no token that is not above the highest the claimer has seen', async () => {
    const registry = open();
    const floor = 8_000_000_000_000_000;
    const callId = newCall();
    expect(await claimed(registry, 'n0', callId, { tokenFloor: floor })).toBe(floor + 1);
    expect(await claimed(registry, 'n1', callId, { reason: 'handover', expectedOwner: 'n0' })).toBe(
      floor + 2,
    );
  });

  it('fences the former owner, and nobody because a record is missing', async () => {
    const registry = open();
    const callId = newCall();
    const token = await claimed(registry, 'n0', callId);
    await claimed(registry, 'n1', callId, { reason: 'arrival', expectedOwner: 'n0' });
    expect(await registry.save('n0', { callId, token, sequence: 1, snapshot: '{}' })).toBe('fenced');
    expect(await registry.end('n0', callId, token)).toBe('fenced');
    const lost = newCall();
    expect(await registry.save('n0', { callId: lost, token: 5, sequence: 9, snapshot: '{}' })).toBe('saved');
    expect(await registry.find(lost)).toEqual({ state: 'live', owner: 'n0', token: 5, sequence: 9 });
  });

  it('lets the greater token win where two take themselves for the owner', async () => {
    const registry = open();
    const callId = newCall();
    const save = { callId, sequence: 1, snapshot: '{}' };
    await registry.save('n0', { ...save, token: 5 });
    expect(await registry.save('n1', { ...save, token: 5 })).toBe('fenced');
    expect(await registry.save('n1', { ...save, token: 6 })).toBe('saved');
    expect(await registry.save('n0', { ...save, token: 5 })).toBe('fenced');
    expect(await registry.find(callId)).toMatchObject({ owner: 'n1', token: 6 });
  });

  it('keeps the newer of two saves that overtook each other', async () => {
    const registry = open();
    const callId = newCall();
    const token = await claimed(registry, 'n0', callId);
    await registry.save('n0', { callId, token, sequence: 9, snapshot: '"newer"' });
    expect(await registry.save('n0', { callId, token, sequence: 8, snapshot: '"late"' })).toBe('saved');
    const taken = await registry.claim('n1', wish(callId, { reason: 'arrival', expectedOwner: 'n0' }));
    expect(taken).toMatchObject({ snapshot: '"newer"' });
  });

  it('finds a call by the alias it was last saved under', async () => {
    const registry = open();
    const callId = newCall();
    const alias = `alias-of-${callId}`;
    const token = await claimed(registry, 'n0', callId);
    expect(await registry.findAlias(alias)).toBe('unknown');
    await registry.save('n0', { callId, token, sequence: 1, snapshot: '{}', alias });
    await registry.save('n0', { callId, token, sequence: 2, snapshot: '{}' });
    expect(await registry.findAlias(alias)).toEqual({ callId });
  });

  it('lets what has ended stay ended', async () => {
    const registry = open();
    const callId = newCall();
    const token = await claimed(registry, 'n0', callId);
    expect(await registry.end('n0', callId, token)).toBe('saved');
    expect(await registry.end('n0', callId, token)).toBe('ended');
    expect(await registry.save('n0', { callId, token, sequence: 1, snapshot: '{}' })).toBe('ended');
    expect(await registry.claim('n1', wish(callId))).toEqual({ result: 'ended' });
    expect(await registry.find(callId)).toEqual({ state: 'ended' });
  });

  it('gives no orphan away before its owner is long gone', async () => {
    const registry = open();
    const callId = newCall();
    await registry.beat(nodeRecord('n0-orphan'));
    await claimed(registry, 'n0-orphan', callId);
    await registry.leave('n0-orphan');
    const orphan = wish(callId, { reason: 'orphan', expectedOwner: 'n0-orphan' });
    expect(await registry.claim('n1', orphan)).toMatchObject({ result: 'moved' });
    expect((await registry.orphans()).map((found) => found.callId)).not.toContain(callId);
  });
}
