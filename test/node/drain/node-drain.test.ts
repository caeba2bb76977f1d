import { describe, expect, it, vi } from 'vitest';
import { ProviderMove } from '../../../src/call/provider/provider-move.ts';
import type { ProviderOrder } from '../../../src/events/asks.ts';
import type { CommandResult } from '../../../src/events/commands.ts';
import { NodeDrain } from '../../../src/node/drain/node-drain.ts';
import { nodeRecord } from '../../fakes/node-records.ts';
import { Story, type StoryOptions } from '../../stories/story.ts';

const OTHER = 'wss://b.example.com';
const NATIVE = { dialect: 'native', agentId: 'echo' } as const;

/** A node that leaves, and another where its calls could go. */
function openScene(options: StoryOptions & { isAlone?: boolean } = {}) {
  const story = new Story({ limits: { resumeWindowMs: 30_000 }, ...options });
  const begun: number[] = [];
  const tails = { leaving: 0 };
  const asked = { homes: [] as (string | undefined)[], fetched: [] as string[], left: 0 };
  const line = { leave: () => ++asked.left > 0 };
  const relays = {
    isEmpty: true,
    /** Legs of calls here whose socket is at that node. */
    homes: {} as { [legId: string]: string },
    lines: () => (relays.isEmpty ? [] : [line]),
    homeOf: (legId: string) => relays.homes[legId],
    fetch: (legId: string) => asked.fetched.push(legId) > 0,
  };
  const drain = new NodeDrain({
    clock: story.clock,
    calls: story.calls,
    farewells: () => story.arrivals.farewells,
    tails: () => tails,
    relays: () => relays,
    moveProviderMs: 600_000,
    place: (home) => {
      asked.homes.push(home);
      return options.isAlone === true ? undefined : nodeRecord('n2', { mediaUrl: OTHER });
    },
    onBegin: () => begun.push(story.clock.nowMs()),
    log: { info: () => {}, error: (_, sentence) => expect(sentence).toBeUndefined() },
  });
  return { story, drain, begun, tails, relays, asked };
}

/** Whether a promise has been kept by now. */
async function isKept(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, Promise.resolve(open)])) !== open;
}

describe('a node that is drained', () => {
  it('is done at once where it has no calls', async () => {
    const { drain, begun } = openScene();
    expect(await drain.begin(120_000)).toBe('empty');
    expect(begun).toHaveLength(1);
  });

  it('tells its lines after two seconds where to go, fifty a second while they leave', () => {
    const { story, drain } = openScene();
    const callers = Array.from({ length: 10 }, () => story.arrives(NATIVE));
    const calls = story.calls.all;
    const told = (): number => callers.filter((caller) => caller.told('goaway').length > 0).length;
    void drain.begin(120_000);
    story.clock.advance(2_000);
    expect(told()).toBeLessThanOrEqual(1);
    for (let looks = 1; looks <= 10; looks++) {
      for (const [i, { id }] of calls.entries()) {
        if (callers[i]!.told('goaway').length > 0) story.calls.surrender(id, story.clock.nowMs(), 0);
      }
      story.clock.advance(20);
      expect(told()).toBeGreaterThanOrEqual(looks);
    }
    expect([told(), drain.counts.told]).toEqual([10, 10]);
    expect(callers[0]!.told('goaway')[0]).toMatchObject({ url: `${OTHER}/media/native`, reason: 'draining' });
  });

  it('lets four be on their way at a time, and waits for who does not come no longer than 200 ms', () => {
    const { story, drain } = openScene();
    const callers = Array.from({ length: 10 }, () => story.arrives(NATIVE));
    const told = (): number => callers.filter((caller) => caller.told('goaway').length > 0).length;
    void drain.begin(120_000);
    story.clock.advance(2_180);
    expect(told()).toBe(4);
    story.clock.advance(200);
    expect(told()).toBe(8);
    story.clock.advance(200);
    expect(told()).toBe(10);
  });

  it('gives a call away with all of its lines once they were told, and not before', () => {
    const { story, drain } = openScene();
    story.arrives(NATIVE);
    const { call } = story;
    expect(drain.gives(call)).toBe(false);
    void drain.begin(120_000);
    expect(drain.gives(call)).toBe(false);
    story.clock.advance(2_100);
    expect(drain.gives(call)).toBe(true);
    expect(drain.speakingOn(call)).toEqual([story.call.roster.caller!.party.id]);
  });

  it('leaves a provider’s call to its end where nobody can move it, and ends it when time is up', async () => {
    const { story, drain } = openScene();
    const caller = story.arrives();
    const done = drain.begin(60_000);
    story.clock.advance(59_900);
    expect([story.calls.size, drain.gives(story.call), await isKept(done)]).toEqual([1, false, false]);
    expect(caller.told('goaway')).toEqual([]);
    story.clock.advance(100);
    expect(await done).toBe('deadline');
    expect(story.only('call_ended').data).toMatchObject({ reason: 'drained' });
    expect(drain.counts.cutOff).toBe(1);
  });

  it('asks the provider to stream elsewhere only after its time', async () => {
    const orders: ProviderOrder[] = [];
    const provider = {
      can: (action: string) => action === 'redirect',
      give: async (order: ProviderOrder): Promise<CommandResult> => {
        orders.push(order);
        return { ok: false, fault: 'unavailable', detail: 'no answer' };
      },
    };
    const { story, drain } = openScene({ ports: { provider, parts: [(desk) => new ProviderMove(desk)] } });
    story.arrives({ credentialId: 'crd_1' });
    void drain.begin(1_200_000);
    story.clock.advance(599_000);
    expect(orders).toEqual([]);
    story.clock.advance(1_000);
    expect(orders).toHaveLength(1);
    const [order] = orders;
    if (order?.action !== 'redirect') throw new Error('another order');
    const mulaw = { codec: 'pcmu', sampleRateHz: 8000 };
    expect(order.to.audio).toEqual({ heard: mulaw, said: mulaw });
    expect(order.to.streamUrl).toMatch(/^wss:\/\/b\.example\.com\/media\/twilio\/r\/[\w-]+\.[\w-]+$/);
    await vi.waitFor(() => expect(drain.counts.providers).toEqual({ accepted: 0, refused: 1, skipped: 0 }));
  });

  it('asks the provider at half of the time that is left where its time would come too late', () => {
    const orders: ProviderOrder[] = [];
    const provider = {
      can: (action: string) => action === 'redirect',
      give: async (order: ProviderOrder): Promise<CommandResult> => {
        orders.push(order);
        return { ok: true, value: null };
      },
    };
    const { story, drain } = openScene({ ports: { provider, parts: [(desk) => new ProviderMove(desk)] } });
    story.arrives({ credentialId: 'crd_1' });
    void drain.begin(120_000);
    story.clock.advance(59_900);
    expect(orders).toEqual([]);
    story.clock.advance(300);
    expect(orders).toHaveLength(1);
  });

  it('moves nobody where there is no other node, and says so', () => {
    const { story, drain } = openScene({ isAlone: true });
    const caller = story.arrives(NATIVE);
    void drain.begin(120_000);
    story.clock.advance(8_000);
    expect(caller.told('goaway')).toEqual([]);
    expect([drain.counts.told, drain.counts.withoutPlace]).toEqual([0, 2]);
  });

  it('tells a line again that is still here after five seconds', () => {
    const { story, drain } = openScene();
    const caller = story.arrives(NATIVE);
    void drain.begin(120_000);
    story.clock.advance(8_000);
    expect(caller.told('goaway')).toHaveLength(2);
    expect(drain.counts).toMatchObject({ told: 1, toldAgain: 1 });
  });

  it('sends a call after its line to the node of the socket, and tells the line nothing', () => {
    const { story, drain, relays, asked } = openScene();
    const caller = story.arrives();
    relays.homes[caller.legId] = 'n2';
    expect(drain.gives(story.call)).toBe(false);
    void drain.begin(120_000);
    story.clock.advance(2_100);
    expect([asked.homes, asked.fetched]).toEqual([['n2'], [caller.legId]]);
    expect([drain.counts.told, drain.counts.fetched]).toEqual([1, 1]);
    expect(drain.gives(story.call)).toBe(true);
    // What it said last is on its way here while the call is on its way there.
    expect(drain.speakingOn(story.call)).toEqual([caller.legId]);
    expect(drain.following(story.call)).toEqual([caller.legId]);
    expect(caller.socket.sent.length).toBe(0);
  });

  it('tells those of a call who are here, and lets the one who is at the next node follow them', () => {
    const { story, drain, relays, asked } = openScene();
    const caller = story.arrives();
    const { id: callId } = story.call;
    const agent = story.arrives({ dialect: 'native', role: 'agent', callId });
    relays.homes[caller.legId] = 'n2';
    void drain.begin(120_000);
    story.clock.advance(2_100);
    expect(agent.told('goaway')).toMatchObject([{ url: `${OTHER}/media/native` }]);
    expect([asked.fetched, drain.gives(story.call)]).toEqual([[], true]);
    expect(drain.speakingOn(story.call)).toEqual([caller.legId, agent.legId]);
    expect(drain.following(story.call)).toEqual([caller.legId]);
  });

  it('tells the owners of calls whose sockets are here, and stays until those have left', async () => {
    const { story, drain, relays, asked } = openScene();
    relays.isEmpty = false;
    const done = drain.begin(120_000);
    story.clock.advance(1_900);
    expect([asked.left, await isKept(done)]).toEqual([0, false]);
    story.clock.advance(200);
    expect([asked.left, drain.lines.counts.told]).toEqual([1, 1]);
    relays.isEmpty = true;
    story.clock.advance(20);
    expect(await done).toBe('empty');
  });

  it('stays until the last words of its lines are on their way', async () => {
    const { story, drain, tails } = openScene();
    const caller = story.arrives(NATIVE);
    const done = drain.begin(120_000);
    tails.leaving = 1;
    caller.hangsUp();
    story.clock.advance(100);
    expect(await isKept(done)).toBe(false);
    tails.leaving = 0;
    story.clock.advance(20);
    expect(await done).toBe('empty');
  });
});
