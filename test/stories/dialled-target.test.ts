import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { Handovers } from '../../src/call/handover/handovers.ts';
import { l16 } from '../../src/media/format.ts';
import type { DialledLegs } from '../../src/node/dialled-legs.ts';
import { scriptedLegs, type ScriptedBackend } from '../call/agents/scripted-backends.ts';
import { Story } from './story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const URL_OF_TARGET = 'wss://desk.example/take';

/** A call that is being handed over to a WebSocket which we dial. */
async function openScene(args: JsonObject = {}) {
  const targets: ScriptedBackend[] = [];
  const fitted: { legs?: DialledLegs } = {};
  const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
  const dialler = { dial: (...asked: Parameters<DialledLegs['dial']>) => fitted.legs!.dial(...asked) };
  const story = new Story({ ports: { dialler, parts } });
  fitted.legs = scriptedLegs(story, targets);
  const caller = story.arrives(NATIVE);
  const agent = story.arrives({ ...NATIVE, role: 'agent', callId: story.call.id });
  const result = await story.asksLater('hand_over', {
    target: { type: 'ws', to: URL_OF_TARGET },
    hold: 'silence',
    ...args,
  });
  return { story, caller, agent, result, targets, target: targets[0]! };
}

/** The former agent has the caller, and the caller hears it. */
function expectAgentBack({ story, caller, agent }: Awaited<ReturnType<typeof openScene>>): void {
  caller.forgets();
  agent.speaks(100);
  expect(caller.heard.length).toBeGreaterThan(3);
  caller.hangsUp();
  story.passes(200);
  expect(story.failures).toEqual([]);
  expect(story.clock.pendingTasks).toBe(0);
}

describe('a handover to a WebSocket that is dialled', () => {
  it('joins the caller with the first frame of who answers', async () => {
    const { story, caller, agent, result, target } = await openScene({ reason: 'wants a human' });
    expect(result).toMatchObject({ ok: true, value: { state: 'offered' } });
    expect(target.url).toBe(URL_OF_TARGET);
    target.answers();
    expect(story.only('handover_offered').data).toMatchObject({ mode: 'cold' });
    expect(story.types).not.toContain('handover_accepted');
    target.speaks(10);
    story.passes(300);
    expect(caller.heard.length).toBeGreaterThan(5);
    expect(story.only('transfer_success').data).toMatchObject({ target: { type: 'ws', to: URL_OF_TARGET } });
    const left = story.only('leg_disconnected').data;
    expect(left).toMatchObject({ leg_id: agent.legId, reason: 'replaced' });
    target.closes(1000);
    expect(story.only('call_ended').data).toMatchObject({ reason: 'agent_hangup' });
    expect(story.failures).toEqual([]);
  });

  it.each([
    ['refused', 'unreachable'],
    ['rejected', 'declined'],
  ] as const)('that is %s has failed: %s', async (result, reason) => {
    const scene = await openScene();
    scene.target.refuses(result);
    expect(scene.story.only('transfer_failed').data).toMatchObject({ reason });
    expectAgentBack(scene);
  });

  it('has failed by its deadline when nobody answers, and is not dialled any more', async () => {
    const scene = await openScene({ timeout_ms: 5_000 });
    scene.story.passes(5_100);
    expect(scene.story.only('transfer_failed').data).toMatchObject({ reason: 'timeout' });
    expect(scene.target.isCancelled).toBe(true);
    expectAgentBack(scene);
  });

  it('has failed by its deadline when who answered never says a word', async () => {
    const scene = await openScene({ timeout_ms: 5_000 });
    scene.target.answers();
    scene.story.passes(5_100);
    expect(scene.story.only('transfer_failed').data).toMatchObject({ reason: 'timeout' });
    expect(scene.target.socket.closed).toMatchObject({ closeCode: 4411 });
    expectAgentBack(scene);
  });

  it.each(['cold', 'warm'])(
    '%s: has failed when who answered vanishes before the caller heard it',
    async (mode) => {
      const scene = await openScene({ mode });
      scene.target.answers();
      if (mode === 'warm') scene.target.speaks(2);
      scene.target.closes();
      expect(scene.story.only('transfer_failed').data).toMatchObject({ reason: 'target_error' });
      expectAgentBack(scene);
    },
  );

  it('is called off with its caller', async () => {
    const { story, caller, target } = await openScene();
    caller.hangsUp();
    expect(target.isCancelled).toBe(true);
    expect(story.only('transfer_failed').data).toMatchObject({ reason: 'caller_hangup' });
    expect(story.clock.pendingTasks).toBe(0);
  });

  it('turns away who answers after it was cancelled', async () => {
    const scene = await openScene();
    const { story, target, result } = scene;
    const { handover_id } = (result as unknown as { value: { handover_id: string } }).value;
    story.asks('answer_handover', { handover_id, verdict: 'cancel' });
    target.answers();
    expect(target.socket.closed).toBeDefined();
    expectAgentBack(scene);
  });

  it('is refused where the target is no WebSocket', async () => {
    const { result, targets } = await openScene({ target: { type: 'ws', to: 'https://desk.example/' } });
    expect(result).toMatchObject({ ok: false, fault: 'invalid_argument' });
    expect(targets).toEqual([]);
  });
});
