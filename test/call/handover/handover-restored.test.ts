import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { Handovers } from '../../../src/call/handover/handovers.ts';
import type { Invitations } from '../../../src/call/parties/invitation.ts';
import { l16 } from '../../../src/media/format.ts';
import { Succession } from '../../stories/succession.ts';
import type { StoryParty } from '../../stories/story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const expires_at = '2026-11-20T12:05:00.000Z';
const INVITATIONS: Invitations = {
  mint: async () => ({ ws_url: 'ws://127.0.0.1/', token: 'a.b.c', expires_at }),
};
const QUEUE = { target: { type: 'queue', to: 'sales' }, timeout_ms: 10_000 };

/** A caller and its agent; whoever is asked for by a handover comes when the test says so. */
class Scene {
  readonly story: Succession;
  caller: StoryParty;
  agent: StoryParty;
  target: StoryParty | undefined;
  handoverId = '';

  constructor() {
    const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
    this.story = new Succession({ ports: { invitations: INVITATIONS, parts } });
    this.caller = this.story.arrives(NATIVE);
    this.agent = this.story.arrives({ ...NATIVE, role: 'agent', callId: this.story.call.id });
  }

  async handsOver(args: JsonObject = {}): Promise<void> {
    const outcome = await this.story.node.asksLater('hand_over', { ...QUEUE, ...args });
    if (!outcome.ok) throw new Error(outcome.detail);
    this.handoverId = String(
      this.story.events.findLast(({ type }) => type === 'handover_started')!.data['handover_id'],
    );
  }

  targetArrives(): StoryParty {
    const { story, handoverId } = this;
    this.target = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id, handoverId });
    return this.target;
  }

  answers(verdict: string) {
    return this.story.node.asks('answer_handover', { handover_id: this.handoverId, verdict });
  }

  /** The node dies, and everybody who was there is back at the next one. */
  async changesHands(): Promise<void> {
    this.story.dies();
    this.caller = await this.story.comesBack(this.caller);
    this.agent = await this.story.comesBack(this.agent);
    if (this.target !== undefined) this.target = await this.story.comesBack(this.target);
  }

  hears(listener: StoryParty, speaker: StoryParty): boolean {
    listener.forgets();
    speaker.speaks(200);
    return listener.heard.some((frame) => frame.includes(8000));
  }

  count(type: string): number {
    return this.story.types.filter((one) => one === type).length;
  }
}

function expectOnce(scene: Scene, ...types: readonly string[]): void {
  for (const type of types) expect([type, scene.count(type)]).toEqual([type, 1]);
  expect(scene.story.node.failures).toEqual([]);
}

describe('a handover whose node died while it was offered', () => {
  it('goes on: the target joins, is heard, and only then it has succeeded', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.story.node.passes(1_000);
    await scene.changesHands();
    const target = scene.targetArrives();
    expect(scene.count('transfer_success')).toBe(0);
    expect(scene.hears(scene.caller, target)).toBe(true);
    expectOnce(scene, 'handover_started', 'handover_offered', 'handover_accepted', 'transfer_success');
    // A second before, half a second without an owner, the target’s first frame, and a look for it.
    expect(scene.story.told('transfer_success')).toMatchObject({
      handover_id: scene.handoverId,
      to_leg: target.legId,
      elapsed_ms: 1_525,
    });
    expect(scene.agent.socket.closed).toBeDefined();
  });

  it('fails at its deadline, and the time without an owner counts', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.story.node.passes(4_000);
    scene.story.dies({ afterMs: 1_000 });
    scene.caller = await scene.story.comesBack(scene.caller);
    scene.agent = await scene.story.comesBack(scene.agent);
    scene.story.node.passes(4_999);
    expect(scene.count('transfer_failed')).toBe(0);
    scene.story.node.passes(1);
    expectOnce(scene, 'transfer_failed', 'hold_ended');
    expect(scene.story.told('transfer_failed')).toMatchObject({ reason: 'timeout', elapsed_ms: 10_000 });
    expect(scene.hears(scene.caller, scene.agent)).toBe(true);
  });

  it('fails at once where its deadline passed while nobody had the call', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.story.dies({ afterMs: 11_000 });
    scene.story.node.passes(0);
    expect(scene.story.told('transfer_failed')['reason']).toBe('timeout');
  });

  it('is the target’s to accept, and its alone, when it was there and had said nothing', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.targetArrives();
    await scene.changesHands();
    const late = scene.story.arrives({
      ...NATIVE,
      role: 'human',
      callId: scene.story.call.id,
      handoverId: scene.handoverId,
    });
    expect(late.socket.closed?.closeCode).toBe(4411);
    expect(scene.answers('accept')).toMatchObject({ ok: true, value: { state: 'bridged' } });
    expect(scene.count('transfer_success')).toBe(0);
    expect(scene.hears(scene.caller, scene.target!)).toBe(true);
    expectOnce(scene, 'handover_offered', 'handover_accepted', 'transfer_success');
  });

  it('is cancelled as before, and all is as it was, the hold it found included', async () => {
    const scene = new Scene();
    scene.story.node.asks('hold', { on: true, source: 'silence' });
    scene.story.node.passes(1_000);
    await scene.handsOver();
    await scene.changesHands();
    expect(scene.answers('cancel')).toMatchObject({ ok: true });
    expect(scene.count('hold_started')).toBe(1);
    expect(scene.hears(scene.caller, scene.agent)).toBe(false);
    scene.story.node.asks('hold', { on: false });
    expect(scene.story.told('hold_ended')['held_ms']).toBe(1_700);
    expect(scene.hears(scene.caller, scene.agent)).toBe(true);
  });

  it('refuses a second handover, and remembers the outcome of the one before', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.answers('cancel');
    const { handoverId: first } = scene;
    await scene.handsOver();
    await scene.changesHands();
    expect(await scene.story.node.asksLater('hand_over', QUEUE)).toMatchObject({ fault: 'conflict' });
    const answer = scene.story.node.asks('answer_handover', { handover_id: first, verdict: 'accept' });
    expect(answer).toMatchObject({ fault: 'conflict', detail: 'the handover has failed' });
  });

  it('fails with its caller who never comes back', async () => {
    const scene = new Scene();
    await scene.handsOver({ timeout_ms: 60_000 });
    scene.story.dies();
    scene.story.node.passes(30_000);
    expectOnce(scene, 'transfer_failed', 'call_ended', 'call_completed');
    expect(scene.story.told('transfer_failed')['reason']).toBe('caller_hangup');
  });
});

describe.each(['warm', 'whisper'])('a %s handover whose node died while it was talked over', (mode) => {
  async function consulting(): Promise<Scene> {
    const scene = new Scene();
    await scene.handsOver({ mode });
    scene.targetArrives();
    scene.answers('accept');
    await scene.changesHands();
    return scene;
  }

  it('lets agent and target talk on, and the caller hears neither', async () => {
    const scene = await consulting();
    expect(scene.hears(scene.target!, scene.agent)).toBe(true);
    expect(scene.hears(scene.agent, scene.target!)).toBe(true);
    expect(scene.hears(scene.caller, scene.agent)).toBe(false);
    expect(scene.count('transfer_success')).toBe(0);
  });

  it('is completed, and succeeds when the caller hears the target', async () => {
    const scene = await consulting();
    expect(scene.answers('complete')).toMatchObject({ ok: true, value: { state: 'bridged' } });
    expect(scene.count('transfer_success')).toBe(0);
    expect(scene.hears(scene.caller, scene.target!)).toBe(true);
    expectOnce(scene, 'handover_started', 'handover_accepted', 'transfer_success');
  });

  it('gives the call back where the target does not come back', async () => {
    const scene = new Scene();
    await scene.handsOver({ mode });
    scene.targetArrives();
    scene.answers('accept');
    scene.story.dies();
    scene.caller = await scene.story.comesBack(scene.caller);
    scene.agent = await scene.story.comesBack(scene.agent);
    scene.story.node.passes(30_000);
    expect(scene.story.told('transfer_failed')['reason']).toBe('target_error');
    expect(scene.hears(scene.caller, scene.agent)).toBe(true);
  });

  it('joins caller and target where the agent does not come back', async () => {
    const scene = new Scene();
    await scene.handsOver({ mode });
    scene.targetArrives();
    scene.answers('accept');
    scene.story.dies();
    scene.caller = await scene.story.comesBack(scene.caller);
    scene.target = await scene.story.comesBack(scene.target!);
    scene.story.node.passes(30_000);
    expect(scene.hears(scene.caller, scene.target)).toBe(true);
    expectOnce(scene, 'transfer_success');
  });
});

describe('a briefing that the death of its node cut short', () => {
  it('is over when the target was back for a while and the agent says nothing more', async () => {
    const scene = new Scene();
    await scene.handsOver({ mode: 'whisper' });
    scene.targetArrives();
    scene.answers('accept');
    scene.agent.speaks(200);
    scene.story.dies();
    scene.caller = await scene.story.comesBack(scene.caller);
    scene.story.node.passes(5_000);
    expect(scene.count('hold_ended')).toBe(0);
    scene.target = await scene.story.comesBack(scene.target!);
    scene.story.node.passes(1_400);
    expect(scene.count('hold_ended')).toBe(0);
    scene.story.node.passes(100);
    expect(scene.count('hold_ended')).toBe(1);
    expect(scene.hears(scene.caller, scene.target)).toBe(true);
    expectOnce(scene, 'transfer_success');
  });
});

describe('a handover whose node died when caller and target were joined', () => {
  async function joined(): Promise<Scene> {
    const scene = new Scene();
    await scene.handsOver();
    scene.targetArrives();
    scene.answers('accept');
    scene.story.dies();
    return scene;
  }

  it('has not succeeded before the caller heard it, who is back first', async () => {
    const scene = await joined();
    scene.caller = await scene.story.comesBack(scene.caller);
    const target = await scene.story.comesBack(scene.target!);
    expect(scene.count('transfer_success')).toBe(0);
    expect(scene.hears(scene.caller, target)).toBe(true);
    expectOnce(scene, 'handover_accepted', 'transfer_success');
  });

  it('has not succeeded by what the target said to nobody', async () => {
    const scene = await joined();
    const target = await scene.story.comesBack(scene.target!);
    target.speaks(200);
    scene.caller = await scene.story.comesBack(scene.caller);
    scene.caller.silent(200);
    expect(scene.count('transfer_success')).toBe(0);
    expect(scene.hears(scene.caller, target)).toBe(true);
    expectOnce(scene, 'handover_accepted', 'transfer_success');
  });

  it('is remembered as a success by the owner after that', async () => {
    const scene = new Scene();
    await scene.handsOver();
    scene.targetArrives().speaks(200);
    expectOnce(scene, 'transfer_success');
    scene.story.dies();
    scene.caller = await scene.story.comesBack(scene.caller);
    expect(scene.answers('cancel')).toMatchObject({ detail: 'the handover has succeeded' });
    const target = await scene.story.comesBack(scene.target!);
    expect(scene.hears(scene.caller, target)).toBe(true);
  });
});

describe('what is kept of a handover', () => {
  it('has no way in, and of a long briefing the newest words', async () => {
    const scene = new Scene();
    const segments = Array.from({ length: 50 }, (_, i) => {
      return { speaker: 'caller', text: `${i} ${'word '.repeat(60)}`, start_ms: i, end_ms: i + 1 };
    });
    scene.story.node.asks('add_transcript', { segments });
    await scene.handsOver({ context: { summary: 'wants a refund' } });
    const saved = scene.story.saved();
    expect(saved).not.toContain('a.b.c');
    const { current } = scene.story.snapshot().parts['handover'] as { current: JsonObject };
    expect(JSON.stringify(current).length).toBeLessThan(9_216);
    scene.story.dies({ saved });
    scene.targetArrives();
    const { context } = scene.story.told('handover_offered') as { context: { transcript: JsonObject[] } };
    expect(context).toMatchObject({ summary: 'wants a refund' });
    expect(context.transcript.at(-1)!['text']).toMatch(/^49 /);
  });

  it('is nothing where it is not what was kept', () => {
    const scene = new Scene();
    const { call, node } = scene.story;
    const odd = [{}, { command: {} }, { id: 'ho_1', command: QUEUE, state: 'consulting' }, { command: 7 }];
    for (const current of odd) {
      const part = new Handovers(call);
      part.restore({ current, outcomes: 7 }, node.clock.nowMs());
      expect(part.save()).toBeUndefined();
    }
  });
});
