import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { ForkPart } from '../../../src/call/forks/fork-part.ts';
import type { ForkDialler, ForkLine, ForkListener, ForkWish } from '../../../src/call/forks/fork-line.ts';
import type { ForkSecrets } from '../../../src/call/forks/kept-fork.ts';
import { l16 } from '../../../src/media/format.ts';
import { Story } from '../../stories/story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const URL = 'wss://analytics.example/in?token=secret';

/** In hexadecimal, which hides it well enough for a test. */
const SECRETS: ForkSecrets = {
  seal: (text, forkId) => `${forkId}|${Buffer.from(text).toString('hex')}`,
  open: (sealed, forkId) => {
    const [id, text] = sealed.split('|');
    return id === forkId ? Buffer.from(text!, 'hex').toString() : undefined;
  },
};

class MemoryDialler implements ForkDialler {
  readonly dials: { wish: ForkWish; listener: ForkListener; isCancelled: boolean }[] = [];
  readonly closes: string[] = [];

  dial(wish: ForkWish, listener: ForkListener): () => void {
    const dial = { wish, listener, isCancelled: false };
    this.dials.push(dial);
    return () => void (dial.isCancelled = true);
  }

  open(nowMs: number): void {
    const stats = { sentFrames: 0, droppedFrames: 0 };
    const line: ForkLine = {
      stats,
      send: () => void stats.sentFrames++,
      close: (why) => void this.closes.push(why),
    };
    this.dials.at(-1)!.listener.opened(line, nowMs);
  }
}

function openScene(secrets: ForkSecrets | undefined = SECRETS) {
  const dialler = new MemoryDialler();
  const made: ForkPart[] = [];
  const make = (desk: ConstructorParameters<typeof ForkPart>[0]): ForkPart => {
    const part = new ForkPart(desk, dialler, secrets);
    made.push(part);
    return part;
  };
  const story = new Story({ ports: { parts: [make] } });
  const caller = story.arrives(NATIVE);
  return { story, dialler, caller, part: made[0]! };
}

type Scene = ReturnType<typeof openScene>;

function leave({ story, part }: Scene): JsonObject {
  const saved = JSON.stringify(part.save());
  story.calls.surrender(story.call.id, story.clock.nowMs());
  return JSON.parse(saved) as JsonObject;
}

/** The next owner's call: the leg of the fork is named as the caller's is here. */
function restore(saved: JsonObject, secrets?: ForkSecrets): Scene & { comesBack: () => void } {
  const scene = openScene(secrets);
  const { story, part, caller } = scene;
  const forks = (saved['forks'] as JsonObject[]).map((fork) => ({ ...fork, leg_id: caller.legId }));
  part.restore({ forks });
  return {
    ...scene,
    comesBack: () => part.onReturned(story.call.roster.caller!, story.clock.nowMs()),
  };
}

function forked(): Scene {
  const scene = openScene();
  scene.story.asks('fork', { url: URL, api_key: 'k-1' });
  scene.dialler.open(scene.story.clock.nowMs());
  scene.caller.speaks(1_000);
  return scene;
}

describe('a fork whose call goes on elsewhere', () => {
  it('is closed without an end being told, to anybody', () => {
    const before = forked();
    const told = before.story.events.length;
    leave(before);
    before.story.passes(60_000);
    expect(before.dialler.closes).toEqual(['moved']);
    expect(before.dialler.dials).toHaveLength(1);
    expect(before.story.events).toHaveLength(told);
  });

  it('whose dial is under way gives it up', () => {
    const before = openScene();
    before.story.asks('fork', { url: URL });
    leave(before);
    expect(before.dialler.dials[0]!.isCancelled).toBe(true);
    before.dialler.open(before.story.clock.nowMs());
    expect(before.dialler.closes).toEqual(['ended']);
  });

  it('is dialled anew when its leg is back, under its name, and counts on', () => {
    const before = forked();
    const saved = leave(before);
    expect(JSON.stringify(saved)).not.toMatch(/k-1|secret/);
    const after = restore(saved);
    expect(after.dialler.dials).toHaveLength(0);
    after.comesBack();
    const { wish } = after.dialler.dials[0]!;
    expect(wish).toMatchObject({ forkId: before.dialler.dials[0]!.wish.forkId, url: URL, api_key: 'k-1' });
    after.dialler.open(after.story.clock.nowMs());
    after.caller.speaks(500);
    expect(after.story.asks('stop_fork', { fork_id: wish.forkId })).toMatchObject({ ok: true });
    expect(after.story.only('fork_ended').data).toMatchObject({ reason: 'stopped', sent_ms: 1_500 });
  });

  it('is stopped while its leg is not back, and is then not dialled', () => {
    const before = forked();
    const { forkId } = before.dialler.dials[0]!.wish;
    const after = restore(leave(before));
    expect(after.story.asks('stop_fork', { fork_id: forkId })).toMatchObject({ ok: true });
    after.comesBack();
    expect(after.dialler.dials).toHaveLength(0);
    expect(after.story.only('fork_ended').data).toMatchObject({ reason: 'stopped', sent_ms: 1_000 });
  });

  it('ends with its call where its leg never comes back, once', () => {
    const after = restore(leave(forked()));
    after.caller.hangsUp();
    expect(after.story.only('fork_ended').data['reason']).toBe('call_ended');
  });

  it('is kept through two owners without being dialled', () => {
    const between = restore(leave(forked()));
    const last = restore(leave(between));
    last.comesBack();
    expect(between.dialler.dials).toHaveLength(0);
    expect(last.dialler.dials[0]!.wish).toMatchObject({ url: URL, api_key: 'k-1' });
  });

  it('is told to be over where nobody knows any more where it went', () => {
    const other: ForkSecrets = { seal: () => '', open: () => undefined };
    const after = restore(leave(forked()), other);
    after.comesBack();
    expect(after.dialler.dials).toHaveLength(0);
    expect(after.story.only('fork_ended').data).toMatchObject({ reason: 'unreachable', sent_ms: 1_000 });
  });
});
