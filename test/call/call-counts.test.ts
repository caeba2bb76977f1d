import { expect, it } from 'vitest';
import { newCallCounts } from '../../src/call/call-counts.ts';
import { Handovers } from '../../src/call/handover/handovers.ts';
import type { CallPorts } from '../../src/call/ports.ts';
import { Marks } from '../../src/call/hearing/marks.ts';
import { l16 } from '../../src/media/format.ts';
import { Story } from '../stories/story.ts';
import { Succession } from '../stories/succession.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

function openScene(ports: CallPorts = {}) {
  const story = new Story({ ports });
  const caller = story.arrives(NATIVE);
  return { story, caller, counts: story.calls.counts };
}

/** Segments are added a hundred at a time. */
function writesDown(story: Story, segments: number, text: string): void {
  for (let written = 0; written < segments; written += 100) {
    const count = Math.min(100, segments - written);
    story.asks('add_transcript', {
      segments: Array.from({ length: count }, () => ({ speaker: 'caller', text })),
    });
  }
}

it('frames of a live voice that came too fast to be mixed are counted when it is gone', () => {
  const { story, caller, counts } = openScene();
  const human = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
  story.asks('play', { url: 'tone:440', loop: true, leg_id: caller.legId });
  story.passes(100);
  human.bursts(10);
  human.hangsUp();
  // Three wait, and seven were overwritten.
  expect(counts).toEqual({ ...newCallCounts(), unmixedFrames: 7 });
});

it('what a target and its queue are not shown of a long talk is counted once', async () => {
  const parts = [(desk: ConstructorParameters<typeof Handovers>[0]) => new Handovers(desk)];
  const queues = { tell: () => {} };
  const mint = async () => ({ ws_url: 'ws://127.0.0.1/media/native', token: 't', expires_at: '' });
  const { story, counts } = openScene({ parts, queues, invitations: { mint } });
  writesDown(story, 60, 'x'.repeat(200));
  await story.asksLater('hand_over', { target: { type: 'queue', to: 'sales' } });
  story.passes(10_000);
  for (let i = 0; i < 3; i++) story.call.save(story.clock.nowMs());
  expect(counts).toMatchObject({ untoldSegments: 10, shortenedOffers: 1 });
  // Fifty of some 240 bytes each, of which 8 KiB are kept.
  expect(counts.unkeptSegments).toBeGreaterThan(10);
  expect(counts.unkeptSegments).toBeLessThan(20);
});

it('what a call forgets of a very long talk is counted when it is over', () => {
  const { story, caller, counts } = openScene();
  writesDown(story, 2_100, 'yes');
  caller.hangsUp();
  expect(counts.forgottenSegments).toBe(100);
  // 500 events have a place in its timeline.
  expect(counts.untimedEvents).toBe(story.events.length - 500);
});

it('marks beyond those that are remembered are counted', () => {
  const counts = newCallCounts();
  const marks = new Marks(counts);
  for (let i = 0; i < 1_030; i++) marks.ask({ listenerId: 'leg_1', name: `m${i}`, speakerId: 'leg_2' });
  expect(counts.forgottenMarks).toBe(6);
});

it('what a snapshot leaves out of a long story, and who of those that left, is counted where the call goes on', () => {
  const story = new Succession();
  const caller = story.arrives(NATIVE);
  for (let guest = 0; guest < 20; guest++)
    story.arrives({ ...NATIVE, role: 'human', callId: story.call.id }).hangsUp();
  while (story.events.length < 150) caller.says({ type: 'dtmf', digit: '1', durationMs: null });
  story.dies();
  const { timeline, members, sequence, forgottenMembers } = story.snapshot();
  expect([timeline.length, sequence, members.length, forgottenMembers]).toEqual([128, 150, 17, 4]);
  expect(story.node.calls.counts).toMatchObject({ untimedEvents: 22, forgottenMembers: 0 });
  story.dies();
  story.node.calls.endAll('drained', story.node.clock.nowMs());
  expect(story.node.calls.counts).toMatchObject({ forgottenMembers: 4 });
});
