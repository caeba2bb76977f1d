import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { RecordingPart } from '../../../src/call/recording/recording-part.ts';
import { l16 } from '../../../src/media/format.ts';
import { MemoryTapes } from '../../fakes/memory-tapes.ts';
import { Story } from '../../stories/story.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;

/** A call with one caller, and its recording. */
function openScene() {
  const tapes = new MemoryTapes();
  const made: RecordingPart[] = [];
  const make = (desk: ConstructorParameters<typeof RecordingPart>[0]): RecordingPart => {
    const part = new RecordingPart(desk, tapes);
    made.push(part);
    return part;
  };
  const story = new Story({ ports: { parts: [make] } });
  const caller = story.arrives(NATIVE);
  const part = made[0]!;
  const record = (action: string) => story.asks('record', { action });
  return { story, tapes, caller, part, record };
}

type Scene = ReturnType<typeof openScene>;

/** What the part of a call that is surrendered leaves to its next owner, through JSON as it travels. */
function leave({ story, part }: Scene): JsonObject | undefined {
  const saved = part.save();
  story.calls.surrender(story.call.id, story.clock.nowMs());
  return saved === undefined ? undefined : (JSON.parse(JSON.stringify(saved)) as JsonObject);
}

/** The next owner's call, its caller not back yet. */
function restore(saved: JsonObject | undefined): Scene & { comesBack: () => void } {
  const scene = openScene();
  scene.part.restore(saved);
  const { story, part } = scene;
  const comesBack = (): void => part.onReturned(story.call.roster.caller!, story.clock.nowMs());
  return { ...scene, comesBack };
}

describe('a recording whose call goes on elsewhere', () => {
  it('is closed where it was, and nothing is told of it there', () => {
    const scene = openScene();
    scene.record('start');
    scene.caller.speaks(1_000);
    const told = scene.story.events.length;
    leave(scene);
    const [tape] = scene.tapes.tapes;
    expect(tape!.isFinished).toBe(true);
    expect(tape!.durationMs).toBe(1_000);
    expect(scene.story.events).toHaveLength(told);
  });

  it('goes on in a file of its own once the caller is back, and both are told of at the end', () => {
    const before = openScene();
    before.record('start');
    before.caller.speaks(1_000);
    const after = restore(leave(before));
    after.caller.speaks(500);
    expect(after.tapes.tapes).toHaveLength(0);
    after.comesBack();
    after.caller.speaks(2_000);
    after.caller.hangsUp();
    const [first] = before.tapes.tapes;
    const [second] = after.tapes.tapes;
    expect(after.story.only('recording_started').data['recording_id']).toBe(second!.wish.recordingId);
    expect(second!.durationMs).toBe(2_000);
    // Settled frames alone were written when the call was saved.
    const { recordings } = after.story.only('call_completed').data as {
      recordings: { recording_id: string; duration_ms: number }[];
    };
    expect(recordings.map(({ recording_id }) => recording_id)).toEqual([
      first!.wish.recordingId,
      second!.wish.recordingId,
    ]);
    expect(recordings[0]!.duration_ms).toBeGreaterThanOrEqual(800);
    expect(recordings[1]!.duration_ms).toBe(2_000);
  });

  it('stays paused, and goes on when it is asked to', () => {
    const before = openScene();
    before.record('start');
    before.record('pause');
    const after = restore(leave(before));
    after.comesBack();
    after.caller.speaks(1_000);
    expect(after.record('resume')).toMatchObject({ ok: true, value: { state: 'recording' } });
    after.caller.speaks(1_000);
    after.caller.hangsUp();
    const [tape] = after.tapes.tapes;
    const said = (fromMs: number, toMs: number): number =>
      tape!.left.subarray(fromMs * 8, toMs * 8).reduce((sum, sample) => sum + Math.abs(sample), 0);
    expect(said(0, 960)).toBe(0);
    expect(said(1_040, 1_900)).toBeGreaterThan(0);
  });

  it.each([
    ['pause', { state: 'paused' }],
    ['resume', { state: 'recording' }],
    ['stop', { state: 'stopped' }],
  ])('takes the command %s while its caller is not back', (action, value) => {
    const before = openScene();
    before.record('start');
    const after = restore(leave(before));
    expect(after.record(action)).toMatchObject({ ok: true, value });
    after.comesBack();
    expect(after.tapes.tapes).toHaveLength(action === 'stop' ? 0 : 1);
    expect(after.story.types.includes('recording_paused')).toBe(action === 'pause');
  });

  it('is not begun again where it was stopped, and keeps its summary through two owners', () => {
    const before = openScene();
    before.record('start');
    before.caller.speaks(1_000);
    before.record('stop');
    const after = restore(leave(before));
    after.comesBack();
    expect(after.tapes.tapes).toHaveLength(0);
    const last = restore(leave(after));
    last.caller.hangsUp();
    expect(last.story.only('call_completed').data['recordings']).toMatchObject([
      { recording_id: before.tapes.tapes[0]!.wish.recordingId, duration_ms: 1_000 },
    ]);
  });

  it('waits for the caller through two owners', () => {
    const before = openScene();
    before.record('start');
    before.record('pause');
    const last = restore(leave(restore(leave(before))));
    last.comesBack();
    expect(last.tapes.tapes).toHaveLength(1);
    expect(last.story.types).toContain('recording_paused');
  });

  it('makes nothing of what is no recording', () => {
    const after = restore({ recordings: [1, {}], goes_on: 'yes' });
    after.comesBack();
    expect(after.tapes.tapes).toHaveLength(0);
    expect(restore({ recordings: 'none' }).part.save()).toBeUndefined();
  });
});
