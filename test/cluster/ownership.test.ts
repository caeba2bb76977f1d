import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LocalRegistry } from '../../src/cluster/local-registry.ts';
import { Ownership, SNAPSHOT_BYTES_MAX } from '../../src/cluster/ownership.ts';
import type { ClaimWish } from '../../src/cluster/registry.ts';
import { CLAIM_NEW_MS, SAVE_COALESCED_MS, SAVE_EVERY_MS } from '../../src/cluster/timing.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FaultyRegistry } from '../fakes/faulty-registry.ts';

function openScene() {
  const clock = new FakeClock();
  const shared = new LocalRegistry(clock);
  const open = (incarnation: string) => {
    const registry = new FaultyRegistry(shared, clock);
    const sequences = new Map<string, number>();
    const fenced: string[] = [];
    const node = { isIsolated: false, snapshot: '{}' };
    const ownership = new Ownership({
      clock,
      registry,
      incarnation,
      isIsolated: () => node.isIsolated,
      snapshotOf: (callId) => {
        const sequence = sequences.get(callId);
        return sequence === undefined ? undefined : { sequence, snapshot: node.snapshot };
      },
      onFenced: (callId) => fenced.push(callId),
    });
    const speak = (callId: string, sequence: number): void => {
      sequences.set(callId, sequence);
      ownership.changed(callId);
    };
    return { ownership, registry, fenced, node, speak };
  };
  const pass = async (durationMs: number): Promise<void> => {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 5) {
      clock.advance(Math.min(5, durationMs - passedMs));
      await turn();
    }
  };
  /** Time passes until it is there. */
  const meanwhile = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { isThere: false };
    void promise.then(() => (state.isThere = true));
    while (!state.isThere) await pass(5);
    return promise;
  };
  return { clock, shared, open, pass, meanwhile };
}

const arrival = (callId: string, expectedOwner: string): ClaimWish => ({
  callId,
  reason: 'arrival',
  expectedOwner,
  tokenFloor: 0,
});

describe('ownership', () => {
  it('claims a new call, saves it with its first event, and coalesces those that follow', async () => {
    const { shared, open, pass, meanwhile } = openScene();
    const { ownership, speak } = open('a');
    await meanwhile(ownership.begin('call_1'));
    speak('call_1', 1);
    await pass(SAVE_COALESCED_MS);
    expect(await shared.find('call_1')).toMatchObject({ owner: 'a', sequence: 1 });
    for (let sequence = 2; sequence <= 40; sequence++) speak('call_1', sequence);
    await pass(SAVE_COALESCED_MS);
    expect(await shared.find('call_1')).toMatchObject({ sequence: 40, token: ownership.tokenOf('call_1') });
    expect(ownership.counts.saves).toBeLessThanOrEqual(3);
  });

  it('takes a new call all the same where the registry does not answer, and claims it later', async () => {
    const { clock, shared, open, pass } = openScene();
    const { ownership, registry, speak, fenced } = open('a');
    registry.fault = 'down';
    let hasBegun = false;
    void ownership.begin('call_1').then(() => (hasBegun = true));
    await pass(CLAIM_NEW_MS);
    expect(hasBegun).toBe(true);
    expect(ownership.tokenOf('call_1')).toBe(1);
    speak('call_1', 3);
    registry.fault = 'none';
    await pass(2_000);
    expect(await shared.find('call_1')).toMatchObject({ owner: 'a', sequence: 3 });
    expect(ownership.tokenOf('call_1')).toBeGreaterThan(clock.unixMs());
    expect([fenced, ownership.counts.unrecorded]).toEqual([[], 1]);
  });

  it('claims calls that began before anybody had heard of the node as soon as somebody has', async () => {
    const { shared, open, pass } = openScene();
    const { ownership, node } = open('n0');
    node.isIsolated = true;
    void ownership.begin('call_1');
    await pass(10);
    expect(await shared.find('call_1')).toBe('unknown');
    node.isIsolated = false;
    ownership.recordAll();
    await pass(5);
    expect(await shared.find('call_1')).toMatchObject({ owner: 'n0' });
  });

  it('takes a call over, and the former owner hears of it with its next event', async () => {
    const { open, pass, meanwhile } = openScene();
    const [a, b] = [open('a'), open('b')];
    await meanwhile(a.ownership.begin('call_1'));
    a.speak('call_1', 1);
    await pass(200);
    const claim = await meanwhile(b.ownership.take(arrival('call_1', 'a')));
    expect(claim).toMatchObject({ result: 'claimed', snapshot: '{}', previousOwner: 'a' });
    a.speak('call_1', 2);
    await pass(SAVE_COALESCED_MS);
    expect(a.fenced).toEqual(['call_1']);
    expect([a.ownership.ownedCalls, b.ownership.ownedCalls]).toEqual([0, 1]);
    expect([a.ownership.counts.fenced, b.ownership.counts.takeovers]).toEqual([1, 1]);
  });

  it('hears of it within five seconds where nothing happens, and where nothing can be saved', async () => {
    const { open, pass, meanwhile } = openScene();
    const [a, b] = [open('a'), open('b')];
    for (const callId of ['call_small', 'call_large']) {
      a.node.snapshot = callId === 'call_large' ? 'x'.repeat(SNAPSHOT_BYTES_MAX + 1) : '{}';
      await meanwhile(a.ownership.begin(callId));
      a.speak(callId, 1);
      await pass(200);
      await meanwhile(b.ownership.take(arrival(callId, 'a')));
      await pass(SAVE_EVERY_MS + 50);
    }
    expect(a.fenced).toEqual(['call_small', 'call_large']);
    expect(a.ownership.counts.snapshotsTooLarge).toBeGreaterThan(0);
  });

  it('claims nothing while isolated', async () => {
    const { shared, open, pass, meanwhile } = openScene();
    const [a, b] = [open('a'), open('b')];
    await meanwhile(a.ownership.begin('call_1'));
    b.node.isIsolated = true;
    expect(await meanwhile(b.ownership.take(arrival('call_1', 'a')))).toEqual({ result: 'unavailable' });
    void b.ownership.begin('call_2');
    await pass(500);
    expect(await shared.find('call_2')).toBe('unknown');
    b.node.isIsolated = false;
    await pass(1_000);
    expect(await shared.find('call_2')).toMatchObject({ owner: 'b' });
  });

  it('tells of an end until the registry has heard, also of a call it never heard of', async () => {
    const { shared, open, pass, meanwhile } = openScene();
    const { ownership, registry } = open('a');
    await meanwhile(ownership.begin('call_1'));
    registry.fault = 'mute';
    void ownership.begin('call_2');
    await pass(400);
    registry.fault = 'down';
    ownership.end('call_1');
    ownership.end('call_2');
    await pass(3_000);
    expect(ownership.ends.waiting).toBe(2);
    registry.fault = 'none';
    await pass(1_000);
    expect(ownership.ends.waiting).toBe(0);
    expect(await shared.find('call_1')).toEqual({ state: 'ended' });
    expect(await shared.find('call_2')).toEqual({ state: 'ended' });
  });

  it('leaves nothing running when it is closed', async () => {
    const { clock, open, pass, meanwhile } = openScene();
    const { ownership } = open('a');
    await meanwhile(ownership.begin('call_1'));
    await pass(200);
    ownership.close();
    await pass(200);
    expect(clock.pendingTasks).toBe(0);
  });
});
