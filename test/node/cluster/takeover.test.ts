import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { LocalRegistry } from '../../../src/cluster/local-registry.ts';
import type { FoundAlias } from '../../../src/cluster/registry.ts';
import { Membership } from '../../../src/cluster/membership.ts';
import { Ownership } from '../../../src/cluster/ownership.ts';
import { CallDirectory } from '../../../src/call/directory.ts';
import { Relays } from '../../../src/node/cluster/relays.ts';
import { TakeoverDesk } from '../../../src/node/cluster/takeover.ts';
import { refuse } from '../../../src/base/errors.ts';
import type { Arrival } from '../../../src/gateway/arrivals.ts';
import type { ResumeClaims } from '../../../src/gateway/resume-token.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { nodeRecord } from '../../fakes/node-records.ts';

const CALL = { callId: 'call_1', tokenFloor: 0 };
const CLAIMS: ResumeClaims = {
  callId: 'call_1',
  legId: 'leg_1',
  dialect: 'native',
  format: 'PCMU/8000',
  generation: 1,
  region: 'local',
  fence: null,
  expiresAtUnixMs: 0,
};

interface DeskOptions {
  readonly registryAgeMs?: number;
  readonly resumeWindowMs?: number;
  /** What the living owner of any call gives. */
  readonly given?: object;
}

/** Node `n1` of a host, with a registry that is as old as it says. */
async function openDesk({ registryAgeMs = 20_000, resumeWindowMs = 30_000, given }: DeskOptions = {}) {
  const clock = new FakeClock();
  const registry = new LocalRegistry(clock);
  clock.advance(registryAgeMs);
  const membership = new Membership();
  const beat = async (): Promise<unknown> =>
    membership.heard(await registry.beat(nodeRecord('n1')), clock.nowMs(), clock.nowMs());
  await beat();
  const limits = { durationMaxMs: 0, silenceMs: 0, resumeWindowMs };
  const calls = new CallDirectory({ clock, sink: { accept: () => {} }, limits });
  const ownership = new Ownership({
    clock,
    registry,
    incarnation: 'n1',
    isIsolated: () => membership.isIsolated(clock.nowMs()),
    snapshotOf: () => undefined,
    onFenced: () => {},
  });
  const links = {
    settled: async () => (given === undefined ? ('refused' as const) : ('open' as const)),
    redialled: async () => 'refused' as const,
    holderOf: async () => null,
    lostSinceUnixMs: () => clock.unixMs(),
    ask: async () =>
      given === undefined
        ? ({ ok: false, fault: 'unavailable', detail: '' } as const)
        : ({ ok: true, value: given } as const),
  };
  const relays = new Relays({
    clock,
    calls,
    links,
    linkTo: () => undefined,
    mayTake: () => true,
    onLeaving: async () => {},
    reportFailure: () => {},
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const facts = { incarnation: 'n1', node: '1', resumeWindowMs };
  const desk = new TakeoverDesk({
    ...facts,
    clock,
    log,
    calls,
    registry,
    membership,
    ownership,
    links,
    relays,
  });
  return { clock, registry, desk, ownership, calls, beat };
}

describe('a leg that comes for a call nobody has', () => {
  it('is told that there is none, once the registry is old enough to know', async () => {
    const { desk } = await openDesk();
    expect(await desk.bring(CALL)).toMatchObject({ fault: 'call_not_found' });
  });

  it('is sent round again while the registry has not heard everybody', async () => {
    const { desk } = await openDesk({ registryAgeMs: 100 });
    expect(await desk.bring(CALL)).toMatchObject({ fault: 'unavailable' });
  });

  it('is sent round again by a node whose own beats are not accepted', async () => {
    const { desk, clock, registry } = await openDesk();
    await registry.claim('n0', { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 });
    clock.advance(1_500);
    expect(await desk.bring(CALL)).toMatchObject({ fault: 'unavailable' });
    expect(await registry.find('call_1')).toMatchObject({ owner: 'n0' });
  });

  it('takes nothing over where nothing that is lost comes back', async () => {
    const { desk, registry } = await openDesk({ resumeWindowMs: 0 });
    await registry.claim('n0', { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 });
    expect(await desk.bring(CALL)).toBeUndefined();
    expect(await registry.find('call_1')).toMatchObject({ owner: 'n0' });
  });
});

describe('a leg whose node is dead', () => {
  it('is let in by two questions: where its call is, and for it', async () => {
    const { desk, registry } = await openDesk();
    await registry.claim('n0', { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 });
    const [find, claim] = [vi.spyOn(registry, 'find'), vi.spyOn(registry, 'claim')];
    const here = {
      refuseNew: () => undefined,
      arrive: () => refuse('internal', 'nobody arrives'),
      resume: async () => undefined,
    };
    await desk.resumesOf(here).resume(CLAIMS);
    expect([find.mock.calls.length, claim.mock.calls.length]).toEqual([1, 1]);
  });
});

describe('a call of a dead node whose snapshot nobody can read', () => {
  it('is over: its record says so, and control tells its end', async () => {
    const { desk, registry } = await openDesk();
    await registry.claim('n0', { callId: 'call_1', reason: 'new', expectedOwner: null, tokenFloor: 0 });
    expect(await desk.bring(CALL)).toMatchObject({ fault: 'call_not_found' });
    await Promise.resolve();
    expect(await registry.find('call_1')).toEqual({ state: 'ended' });
    expect(desk.counts).toMatchObject({ arrival: { ok: 0, unreadable: 1 } });
  });
});

describe('a call that its owner gives', () => {
  it('is claimed again while the registry does not answer: nobody else has it now', async () => {
    const text = readFileSync(new URL('../../call/snapshot/snapshot-v1.json', import.meta.url), 'utf8');
    const { id: callId } = (JSON.parse(text) as { facts: { id: string } }).facts;
    const { desk, registry, clock, calls } = await openDesk({ given: { snapshot: text } });
    await registry.claim('n0', { callId, reason: 'new', expectedOwner: null, tokenFloor: 0 });
    const claim = registry.claim.bind(registry);
    let refusals = 2;
    registry.claim = async (...asked) => (refusals-- > 0 ? { result: 'unavailable' } : claim(...asked));
    const bringing = desk.bring({ callId, tokenFloor: 0 });
    for (let turn = 0; turn < 100 && calls.get(callId) === undefined; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(50);
    }
    expect(await bringing).toBeUndefined();
    expect(await registry.find(callId)).toMatchObject({ owner: 'n1' });
    expect(desk.counts).toMatchObject({ arrival: { ok: 0 }, handover: { ok: 1, unavailable: 2 } });
  });
});

describe('a stream whose provider names its call', () => {
  const named = {
    caller: { workspaceId: 'ws_1', credentialId: 'cred_1', callId: null },
    started: { providerCallId: 'CA1', bidirectional: true },
  } as Arrival;

  const desks: TakeoverDesk[] = [];

  /** `isAway`: the registry knows the name, and then has no answer. */
  async function preparedAfterMs(
    answers: readonly FoundAlias[],
    { isAway = false, isBeating = false } = {},
  ): Promise<number> {
    const { desk, registry, clock, beat } = await openDesk();
    desks.push(desk);
    // Its own beats are no longer accepted, or all of them are.
    if (!isBeating) clock.advance(1_500);
    if (isAway) registry.find = async () => 'unavailable';
    const told = [...answers];
    registry.findAlias = async () => (told.length > 1 ? told.shift()! : told[0]!);
    const startedAtMs = clock.nowMs();
    let isPrepared = false;
    void desk.prepare(named)!.then(() => (isPrepared = true));
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isPrepared) return clock.nowMs() - startedAtMs;
      if (isBeating) await beat();
      clock.advance(50);
    }
  }

  it('begins a call at once where no other node has one of that name', async () => {
    expect(await preparedAfterMs(['unknown'])).toBe(0);
  });

  it('waits while nobody can say whose it is, and begins one after all when that lasts', async () => {
    expect(await preparedAfterMs(['unavailable', 'unavailable', 'unknown'])).toBe(100);
    expect(await preparedAfterMs(['unavailable'])).toBe(900);
    expect(desks.slice(-2).map(({ counts }) => counts.outOfTime)).toEqual([0, 1]);
  });

  it('waits longer while the registry takes the node’s beats: it has too much to do just now', async () => {
    expect(await preparedAfterMs(['unavailable'], { isBeating: true })).toBe(5_000);
  });

  it('waits longer for a call that is known, as another in its place would end it', async () => {
    const known = { callId: 'call_1' };
    expect(await preparedAfterMs([known], { isAway: true })).toBe(5_000);
    expect(await preparedAfterMs([known, 'unavailable', 'unavailable', 'unknown'], { isAway: true })).toBe(
      150,
    );
  });
});
