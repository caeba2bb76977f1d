import { describe, expect, it } from 'vitest';
import { Handovers } from '../../src/call/handover/handovers.ts';
import { ProviderHangUp } from '../../src/call/provider/provider-hang-up.ts';
import { moveAtProvider, ProviderMove } from '../../src/call/provider/provider-move.ts';
import type { ProviderCall, ProviderOrders } from '../../src/call/provider/provider-orders.ts';
import type { ProviderOrder } from '../../src/events/asks.ts';
import type { CommandResult } from '../../src/events/commands.ts';
import { l16 } from '../../src/media/format.ts';
import { Story, type StoryParty } from './story.ts';

const PHONE = { type: 'phone', to: '+15550123' };
const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const REFUSED: CommandResult = { ok: false, fault: 'unavailable', detail: 'the provider did not answer' };

/** A provider's REST account that does what the test says, when the test says so. */
class HandMadeProvider implements ProviderOrders {
  readonly orders: ProviderOrder[] = [];
  readonly calls: ProviderCall[] = [];
  readonly means: ProviderOrder['action'][];
  #answer = Promise.withResolvers<CommandResult>();

  constructor(means: ProviderOrder['action'][] = ['hang_up', 'transfer']) {
    this.means = means;
  }

  can(action: ProviderOrder['action']): boolean {
    return this.means.includes(action);
  }

  give(order: ProviderOrder, call: ProviderCall): Promise<CommandResult> {
    this.orders.push(order);
    this.calls.push(call);
    return this.#answer.promise;
  }

  async breaks(): Promise<void> {
    this.#answer.reject(new Error('the link broke'));
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  async answers(result: CommandResult): Promise<void> {
    this.#answer.resolve(result);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

function openScene(provider = new HandMadeProvider()): {
  readonly story: Story;
  readonly provider: HandMadeProvider;
  readonly caller: StoryParty;
} {
  const parts = [Handovers, ProviderHangUp].map(
    (Part) => (desk: ConstructorParameters<typeof Handovers>[0]) => new Part(desk),
  );
  const story = new Story({ ports: { provider, parts } });
  const caller = story.arrives({ dialect: 'twilio', agentId: null, credentialId: 'sc_1' });
  story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  return { story, provider, caller };
}

const handoverEvents = ({ types }: Story): readonly string[] =>
  types.filter((type) => type.startsWith('handover_') || type.startsWith('transfer_'));

describe('a handover to a telephone, by the provider’s REST account', () => {
  it('begins at once, and the call ends as transferred when the provider takes its stream away', async () => {
    const { story, provider, caller } = openScene();
    const begun = await story.asksLater('hand_over', { target: PHONE });
    expect(begun).toMatchObject({ ok: true, value: { state: 'offered', target: PHONE } });
    expect(provider.orders).toEqual([{ action: 'transfer', to: '+15550123', from: null }]);
    expect(provider.calls[0]).toMatchObject({ credentialId: 'sc_1', dialect: 'twilio' });
    // The stream may be gone before the provider has answered.
    caller.hangsUp();
    await provider.answers({ ok: true, value: null });
    expect(handoverEvents(story)).toEqual(['handover_started']);
    expect(story.only('call_ended').data).toMatchObject({ reason: 'transferred' });
    expect(provider.orders.length).toBe(1);
  });

  it.each([
    ['failed_precondition', 'unsupported'],
    ['call_not_found', 'unreachable'],
    ['unavailable', 'unreachable'],
    ['rate_limited', 'unreachable'],
  ] as const)('that ends with %s has failed as %s, and the agent has the caller', async (fault, reason) => {
    const { story, provider, caller } = openScene();
    await story.asksLater('hand_over', { target: PHONE });
    await provider.answers({ ok: false, fault, detail: 'no' });
    expect(handoverEvents(story)).toEqual(['handover_started', 'transfer_failed']);
    expect(story.only('transfer_failed').data).toMatchObject({ reason });
    caller.hangsUp();
    expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
  });

  it('has failed where nobody knows what became of it, and breaks nothing', async () => {
    const { story, provider, caller } = openScene();
    await story.asksLater('hand_over', { target: PHONE });
    await provider.breaks();
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'unreachable' });
    caller.hangsUp();
    expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
  });

  it('times out where the provider does nothing, and a late refusal changes nothing', async () => {
    const { story, provider } = openScene();
    await story.asksLater('hand_over', { target: PHONE, timeout_ms: 1000 });
    story.clock.advance(1000);
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'timeout' });
    await provider.answers(REFUSED);
    expect(handoverEvents(story)).toEqual(['handover_started', 'transfer_failed']);
  });

  it('is refused, and nothing told, where the account has no means to transfer', async () => {
    const { story, provider } = openScene(new HandMadeProvider(['hang_up']));
    const result = await story.asksLater('hand_over', { target: PHONE });
    expect(result).toMatchObject({ ok: false, fault: 'failed_precondition' });
    expect([handoverEvents(story), provider.orders]).toEqual([[], []]);
  });
});

describe('a transfer by the provider’s REST account', () => {
  it('is answered when the provider has, and forgotten where it refuses', async () => {
    const { story, provider, caller } = openScene();
    const asked = story.asksLater('transfer', { to: '+15550123' });
    await provider.answers(REFUSED);
    expect(await asked).toEqual(REFUSED);
    caller.hangsUp();
    expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
  });
});

describe('a call that ends here', () => {
  it('is hung up at its provider, whose protocol has no word for it', () => {
    const { story, provider } = openScene();
    expect(story.asks('hang_up')).toMatchObject({ ok: true });
    expect(provider.orders).toEqual([{ action: 'hang_up' }]);
    expect(story.only('call_ended').data).toMatchObject({ reason: 'api' });
  });

  it('is not hung up by us where its caller did it, nor where the node only leaves', () => {
    const gone = openScene();
    gone.caller.hangsUp();
    expect(gone.provider.orders).toEqual([]);
    const drained = openScene();
    drained.story.calls.endAll('drained', drained.story.clock.nowMs());
    expect(drained.provider.orders).toEqual([]);
  });

  it('is left alone by a stream that only listens to it', () => {
    const { story, provider, caller } = openScene();
    const [leg] = story.call.legs;
    expect(leg!.started.providerCallId).not.toBeNull();
    Object.assign(leg!.started, { bidirectional: false });
    story.asks('hang_up');
    expect([caller.legId, provider.orders]).toEqual([leg!.id, []]);
  });

  it('asks nobody where the provider’s call or credential is not known', () => {
    const provider = new HandMadeProvider();
    const story = new Story({ ports: { provider, parts: [(desk) => new ProviderHangUp(desk)] } });
    story.arrives({ dialect: 'twilio', agentId: 'echo' });
    expect(story.asks('hang_up')).toMatchObject({ ok: true });
    expect(provider.orders).toEqual([]);
  });
});

describe('a call that is moved by its provider', () => {
  const TO = { streamUrl: 'wss://b.example.com/media/twilio/r~token' };

  function openMoved(means: ProviderOrder['action'][] = ['redirect']) {
    const provider = new HandMadeProvider(means);
    const parts = [ProviderMove, ProviderHangUp].map(
      (Part) => (desk: ConstructorParameters<typeof ProviderMove>[0]) => new Part(desk),
    );
    const story = new Story({ ports: { provider, parts }, limits: { resumeWindowMs: 30_000 } });
    const credentials = { credentialId: 'sc_1', providerCallId: 'CA1' };
    const again = (): StoryParty => story.arrives({ dialect: 'twilio', agentId: 'echo', ...credentials });
    const caller = again();
    return { story, provider, caller, again, call: story.call };
  }

  it('outlives the end of its old stream, and waits to be found again', async () => {
    const { story, provider, caller, call } = openMoved();
    const moving = moveAtProvider(call, TO);
    caller.hangsUp();
    await provider.answers({ ok: true, value: null });
    expect(await moving).toEqual({ ok: true, value: null });
    expect(provider.orders).toEqual([{ action: 'redirect', to: TO }]);
    expect([call.state.name, call.legs[0]!.state.name]).toEqual(['active', 'lost']);
    expect(story.types).not.toContain('call_ended');
  });

  it.each([true, false])(
    'ends with the caller once it streams anew; told first of its old end: %s',
    async (isTold) => {
      const { story, provider, caller, call, again } = openMoved();
      const moving = moveAtProvider(call, TO);
      await provider.answers({ ok: true, value: null });
      await moving;
      story.clock.advance(200);
      if (isTold) caller.hangsUp();
      const anew = again();
      if (!isTold) caller.hangsUp();
      expect([call.state.name, call.legs[0]!.state.name]).toEqual(['active', 'active']);
      story.clock.advance(200);
      anew.hangsUp();
      expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
    },
  );

  it('stays where it is when the provider refuses: the end of its stream is a hang-up as ever', async () => {
    const { story, provider, caller, call } = openMoved();
    const moving = moveAtProvider(call, TO);
    await provider.answers(REFUSED);
    expect(await moving).toEqual(REFUSED);
    caller.hangsUp();
    expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
  });

  it('stays where it is without means to move it: nobody is asked', async () => {
    const { provider, call } = openMoved([]);
    expect(await moveAtProvider(call, TO)).toBeUndefined();
    expect(provider.orders).toEqual([]);
  });
});

describe('what a provider tells of its call', () => {
  const answers = ({ events }: Story): readonly unknown[] =>
    events.flatMap(({ type, data }) => (type === 'amd_result' ? [data] : []));

  it('ends it as the provider’s own stop, and orders nothing there', () => {
    const { story, provider } = openScene();
    story.asks('end_by_provider');
    expect(story.only('call_ended').data).toMatchObject({ reason: 'provider_stop' });
    expect(provider.orders).toEqual([]);
  });

  it('says once who answered', () => {
    const { story } = openScene();
    story.clock.advance(1_000);
    story.asks('tell_answer', { result: 'machine' });
    story.asks('tell_answer', { result: 'human', decided_ms: 4_100 });
    expect(answers(story)).toMatchObject([{ result: 'machine', cause: 'provider', decided_ms: 1_000 }]);
  });

  it('is not to be told by a leg', () => {
    const { story } = openScene();
    const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
    for (const name of ['end_by_provider', 'tell_answer']) {
      agent.says({ type: 'command', id: 'c', name, args: { result: 'human' } });
    }
    expect([answers(story), story.call.state.name]).toEqual([[], 'active']);
  });
});
