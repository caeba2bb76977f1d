import { describe, expect, it } from 'vitest';
import { recordingFor } from '../../../src/call/recording/recording-part.ts';
import { l16 } from '../../../src/media/format.ts';
import { MemoryTapes } from '../../fakes/memory-tapes.ts';
import { Story, type StoryParty } from '../../stories/story.ts';
import { amplitudeOf } from '../../stories/tones.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const CALLER_HZ = 400;
const OTHER_HZ = 1000;
/** What of one tone may be heard on the other side: −60 dB. */
const CROSS_TALK_RATIO = 0.001;

interface Scene {
  readonly story: Story;
  readonly tapes: MemoryTapes;
  readonly caller: StoryParty;
  readonly other: StoryParty;
}

function openScene({
  isWanted = false,
  role = 'human',
}: { isWanted?: boolean; role?: 'human' | 'agent' } = {}): Scene {
  const tapes = new MemoryTapes(isWanted);
  const story = new Story({ ports: { parts: [recordingFor(tapes)] } });
  const caller = story.arrives(NATIVE);
  const other = story.arrives({ ...NATIVE, role, callId: story.call.id });
  return { story, tapes, caller, other };
}

function sing({ story, caller, other }: Scene, forMs: number): void {
  story.sing(forMs, [
    [caller, CALLER_HZ],
    [other, OTHER_HZ],
  ]);
}

describe('a recording', () => {
  it('has the caller on the left and what it heard on the right, apart by more than 60 dB', () => {
    const scene = openScene();
    expect(scene.story.asks('record', { action: 'start' })).toMatchObject({ ok: true });
    sing(scene, 2_000);
    scene.story.asks('record', { action: 'stop' });
    const [tape] = scene.tapes.tapes;
    const left = [tape!.left];
    const right = [tape!.right];
    const [callerLeft, otherRight] = [amplitudeOf(left, CALLER_HZ), amplitudeOf(right, OTHER_HZ)];
    expect(callerLeft).toBeGreaterThan(5_800);
    expect(otherRight).toBeGreaterThan(5_800);
    expect(amplitudeOf(left, OTHER_HZ)).toBeLessThan(CROSS_TALK_RATIO * otherRight);
    expect(amplitudeOf(right, CALLER_HZ)).toBeLessThan(CROSS_TALK_RATIO * callerLeft);
  });

  it('of a whole call is as long as the call, to the sample', () => {
    const scene = openScene({ isWanted: true });
    sing(scene, 1_500);
    // Nobody says anything for longer than frames have room to wait.
    scene.story.passes(5_000);
    sing(scene, 500);
    scene.story.passes(13);
    scene.caller.hangsUp();
    const [tape] = scene.tapes.tapes;
    expect(scene.story.only('call_ended').data['duration_ms']).toBe(7_013);
    // Whole frames: the thirteen milliseconds that were none are no part of it.
    expect(tape!.left).toHaveLength(8 * 7_000);
    expect(tape!.right).toHaveLength(8 * 7_000);
    expect(tape!.isFinished).toBe(true);
  });

  it('is without a hole where frames come in heaps, and keeps a pause as long as it was', () => {
    const { story, tapes, caller } = openScene();
    story.asks('record', { action: 'start' });
    for (let heap = 0; heap < 25; heap++) {
      story.clock.advance(80);
      for (let i = 0; i < 4; i++) caller.sendsFrame(1_000 + heap * 4 + i);
    }
    story.passes(1_000);
    caller.sendsFrame(5_000);
    story.passes(100);
    story.asks('record', { action: 'stop' });
    const levels = Array.from({ length: 155 }, (_, tick) => tapes.tapes[0]!.left[tick * 160 + 80]!);
    const first = levels.indexOf(1_000);
    expect(levels.slice(first, first + 100)).toEqual(Array.from({ length: 100 }, (_, i) => 1_000 + i));
    expect(levels.indexOf(5_000)).toBe(149);
    expect(levels.slice(first + 100, 149).every((level) => level === 0)).toBe(true);
  });

  it('is silent on both sides while it is paused, and no shorter for it', () => {
    const scene = openScene();
    const { story, tapes } = scene;
    story.asks('record', { action: 'start' });
    sing(scene, 1_000);
    story.asks('record', { action: 'pause' });
    sing(scene, 2_000);
    story.asks('record', { action: 'resume' });
    sing(scene, 1_000);
    story.asks('record', { action: 'stop' });
    const { left, right } = tapes.tapes[0]!;
    expect(left).toHaveLength(8 * 4_000);
    for (const channel of [left, right]) {
      expect(channel.subarray(8 * 1_000, 8 * 3_000).every((sample) => sample === 0)).toBe(true);
      expect(channel.subarray(8 * 900, 8 * 960).some((sample) => sample !== 0)).toBe(true);
      expect(channel.subarray(8 * 3_040, 8 * 3_900).some((sample) => sample !== 0)).toBe(true);
    }
    expect(story.only('recording_paused').data).toMatchObject({ at_ms: 1_000 });
    expect(story.only('recording_resumed').data).toMatchObject({ at_ms: 3_000 });
  });

  it('does not keep what an agent had sent ahead when it was paused', () => {
    const { story, tapes, other } = openScene({ role: 'agent' });
    story.asks('record', { action: 'start' });
    other.bursts(100);
    story.passes(500);
    story.asks('record', { action: 'pause' });
    story.passes(3_000);
    story.asks('record', { action: 'stop' });
    expect(tapes.tapes[0]!.right.subarray(8 * 500).every((sample) => sample === 0)).toBe(true);
    expect(tapes.tapes[0]!.right.subarray(0, 8 * 400).some((sample) => sample !== 0)).toBe(true);
  });

  it('has an agent at the pace it was heard, however fast it spoke', () => {
    const { story, tapes, other } = openScene({ role: 'agent' });
    story.asks('record', { action: 'start' });
    for (let level = 1; level <= 150; level++) other.sendsFrame(level * 100);
    story.passes(4_000);
    story.asks('record', { action: 'stop' });
    const { right } = tapes.tapes[0]!;
    const spoken = Array.from({ length: right.length / 160 }, (_, tick) => right[tick * 160 + 80]!).filter(
      (level) => level !== 0,
    );
    expect(spoken).toEqual(Array.from({ length: 150 }, (_, i) => (i + 1) * 100));
  });

  it('has the hold music of a caller who waits, and nothing of a supervisor who whispers', () => {
    const scene = openScene();
    const { story, tapes } = scene;
    story.asks('record', { action: 'start' });
    const supervisor = story.arrives({
      ...NATIVE,
      role: 'supervisor',
      mode: 'whisper',
      callId: story.call.id,
    });
    story.sing(1_000, [[supervisor, 1_400]]);
    story.asks('hold', { on: true });
    story.sing(1_000, [[scene.other, OTHER_HZ]]);
    story.asks('record', { action: 'stop' });
    const { right } = tapes.tapes[0]!;
    expect(amplitudeOf([right], 1_400)).toBeLessThan(1);
    expect(right.subarray(8 * 1_200).some((sample) => sample !== 0)).toBe(true);
    expect(amplitudeOf([right.subarray(8 * 1_200)], OTHER_HZ)).toBeLessThan(600);
  });

  it('is told of when it begins, when it is ready, and when the call is over', async () => {
    const scene = openScene();
    const { story } = scene;
    story.asks('record', { action: 'start' });
    const started = story.only('recording_started').data;
    expect(started).toMatchObject({ channels: 2, sample_rate_hz: 8000, format: 'wav_l16' });
    sing(scene, 1_000);
    expect(story.asks('record', { action: 'stop' })).toMatchObject({
      ok: true,
      value: { recording_id: started['recording_id'], state: 'stopped' },
    });
    await Promise.resolve();
    const url = `http://127.0.0.1:8080/api/v1/recordings/${String(started['recording_id'])}/content`;
    expect(story.only('recording_ready').data).toMatchObject({
      recording_id: started['recording_id'],
      duration_ms: 1_000,
      bytes: 32_000,
      sha256: 'ab'.repeat(32),
      url,
    });
    scene.caller.hangsUp();
    expect(story.only('call_completed').data['recordings']).toEqual([
      { recording_id: started['recording_id'], url, channels: 2, duration_ms: 1_000 },
    ]);
  });

  it('that ends with its call is told by nobody here after the end', async () => {
    const scene = openScene({ isWanted: true });
    sing(scene, 200);
    scene.caller.hangsUp();
    await Promise.resolve();
    expect(scene.story.types.at(-1)).toBe('call_completed');
    expect(scene.story.only('call_completed').data['recordings']).toHaveLength(1);
  });

  it('that breaks off says so, and the call goes on', () => {
    const scene = openScene({ isWanted: true });
    const { story, tapes } = scene;
    sing(scene, 1_000);
    tapes.tapes[0]!.fail('disk_full');
    expect(story.only('recording_failed').data).toMatchObject({ reason: 'disk_full', duration_ms: 800 });
    sing(scene, 1_000);
    expect(story.call.state.name).toBe('active');
    expect(story.asks('record', { action: 'pause' })).toMatchObject({ ok: false });
    expect(story.asks('record', { action: 'start' })).toMatchObject({ ok: true });
    expect(tapes.tapes).toHaveLength(2);
  });

  it('is refused where it cannot be, and where it is already', () => {
    const { story, tapes } = openScene();
    expect(story.asks('record', { action: 'stop' })).toMatchObject({ fault: 'failed_precondition' });
    tapes.isRefusing = true;
    expect(story.asks('record', { action: 'start' })).toMatchObject({ ok: false, fault: 'unavailable' });
    expect(story.only('recording_failed').data).toMatchObject({ reason: 'refused' });
    tapes.isRefusing = false;
    expect(story.asks('record', { action: 'start' })).toMatchObject({ ok: true });
    expect(story.asks('record', { action: 'start' })).toMatchObject({ ok: false, fault: 'conflict' });
  });

  it('is not for a caller to command', () => {
    const { caller } = openScene({ isWanted: true });
    caller.says({ type: 'command', id: '1', name: 'record', args: { action: 'stop' } });
    expect(caller.told('result')).toMatchObject([{ ok: false }]);
  });
});
