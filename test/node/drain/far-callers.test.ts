import { describe, expect, it } from 'vitest';
import { ProviderMove } from '../../../src/call/provider/provider-move.ts';
import type { ProviderOrder } from '../../../src/events/asks.ts';
import { FarCallers } from '../../../src/node/drain/far-callers.ts';
import { Story, type PartyOptions } from '../../stories/story.ts';

const HOME = 'wss://a.example.com';

/** A call here whose caller's socket is at another node, which leaves. */
function openScene(party: PartyOptions, { isLeaving = false, isRefused = false } = {}) {
  const orders: ProviderOrder[] = [];
  const provider = {
    can: (action: string) => action === 'redirect',
    give: async (order: ProviderOrder) => {
      orders.push(order);
      if (isRefused) return { ok: false as const, fault: 'unavailable' as const, detail: 'no answer' };
      return { ok: true as const, value: null };
    },
  };
  const ports = {
    provider,
    parts: [(desk: ConstructorParameters<typeof ProviderMove>[0]) => new ProviderMove(desk)],
  };
  const story = new Story({ limits: { resumeWindowMs: 30_000 }, ports });
  const caller = story.arrives(party);
  const callers = new FarCallers({
    calls: story.calls,
    farewells: () => story.arrivals.farewells,
    isLeaving: () => isLeaving,
    mediaUrl: HOME,
  });
  const seat = { callId: story.call.id, legId: caller.legId };
  return { story, caller, callers, orders, seat };
}

describe('a call whose caller’s socket is at a node that leaves', () => {
  it('calls a client home that can come by itself, before any provider is asked', async () => {
    const { caller, callers, orders, seat } = openScene({ dialect: 'native', agentId: 'echo' });
    await callers.callHome(seat, true);
    expect(caller.told('goaway')).toMatchObject([{ url: `${HOME}/media/native`, reason: 'draining' }]);
    expect([callers.counts.told, orders]).toEqual([1, []]);
  });

  it('has its provider stream here, only when it is time for that', async () => {
    const { callers, orders, seat } = openScene({ credentialId: 'crd_1' });
    await callers.callHome(seat, false);
    expect(orders).toEqual([]);
    await callers.callHome(seat, true);
    const [order] = orders;
    expect(order?.action === 'redirect' && order.to.streamUrl).toMatch(
      /^wss:\/\/a\.example\.com\/media\/twilio\/r\/./,
    );
    expect(callers.counts.providers).toEqual({ accepted: 1, refused: 0, skipped: 0 });
  });

  it('says what became of its order: refused, or nobody could be asked', async () => {
    const refused = openScene({ credentialId: 'crd_1' }, { isRefused: true });
    await refused.callers.callHome(refused.seat, true);
    expect(refused.callers.counts.providers).toEqual({ accepted: 0, refused: 1, skipped: 0 });
    const stranger = openScene({});
    await stranger.callers.callHome(stranger.seat, true);
    expect(stranger.callers.counts.providers).toEqual({ accepted: 0, refused: 0, skipped: 1 });
  });

  it('calls nobody to a node that leaves itself, nor for a leg that is gone', async () => {
    const leaving = openScene({ dialect: 'native', agentId: 'echo' }, { isLeaving: true });
    await leaving.callers.callHome(leaving.seat, true);
    expect(leaving.caller.told('goaway')).toEqual([]);
    const { callers, seat } = openScene({ dialect: 'native', agentId: 'echo' });
    await callers.callHome({ ...seat, legId: 'leg_gone' }, true);
    await callers.callHome({ ...seat, callId: 'call_gone' }, true);
    expect(callers.counts.told).toBe(0);
  });
});
