import { describe, expect, it } from 'vitest';
import type { ForkDialler, ForkLine, ForkListener, ForkWish } from '../../../src/call/forks/fork-line.ts';
import { forksFor, FORKS_MAX } from '../../../src/call/forks/fork-part.ts';
import { VoiceError } from '../../../src/base/errors.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { l16 } from '../../../src/media/format.ts';
import { Story } from '../../stories/story.ts';
import { amplitudeOf } from '../../stories/tones.ts';

const NATIVE = { dialect: 'native', format: l16(8000), agentId: null } as const;
const URL = 'wss://analytics.example/in?token=secret';

/** Connections in memory, opened and lost when a test says so. */
class FakeDialler implements ForkDialler {
  readonly dials: { wish: ForkWish; listener: ForkListener; isCancelled: boolean }[] = [];
  readonly frames: Int16Array[] = [];
  closed = 0;
  isForbidding = false;

  dial(wish: ForkWish, listener: ForkListener): () => void {
    if (this.isForbidding) throw new VoiceError('invalid_argument', 'url must be ws or wss');
    const dial = { wish, listener, isCancelled: false };
    this.dials.push(dial);
    return () => void (dial.isCancelled = true);
  }

  open(nowMs: number): void {
    const stats = { sentFrames: 0, droppedFrames: 0 };
    const line: ForkLine = {
      stats,
      send: (frame) => {
        stats.sentFrames++;
        this.frames.push(frame.slice());
      },
      close: () => void this.closed++,
    };
    this.dials.at(-1)!.listener.opened(line, nowMs);
  }
}

function openScene() {
  const dialler = new FakeDialler();
  const story = new Story({ ports: { parts: [forksFor(dialler)] } });
  const caller = story.arrives(NATIVE);
  const other = story.arrives({ ...NATIVE, role: 'human', callId: story.call.id });
  const fork = (args: JsonObject = {}) => story.asks('fork', { url: URL, ...args });
  const sing = (forMs: number): void =>
    story.sing(forMs, [
      [caller, 400],
      [other, 1_000],
    ]);
  return { story, caller, other, dialler, fork, sing };
}

describe('a fork', () => {
  it('has what its leg says, frame for frame, and its URL is shown without its secrets', () => {
    const { story, caller, dialler, fork, sing } = openScene();
    expect(fork()).toMatchObject({ ok: true, value: { leg_id: caller.legId } });
    sing(200);
    dialler.open(story.clock.nowMs());
    sing(1_000);
    expect(dialler.frames).toHaveLength(50);
    expect(amplitudeOf(dialler.frames, 400)).toBeGreaterThan(5_500);
    expect(amplitudeOf(dialler.frames, 1_000)).toBeLessThan(6);
    expect(story.only('fork_started').data).toMatchObject({
      leg_id: caller.legId,
      url: 'wss://analytics.example/in',
      tracks: 'inbound',
      protocol: 'raw',
    });
    caller.hangsUp();
    expect(dialler.closed).toBe(1);
    expect(story.only('fork_ended').data).toMatchObject({
      reason: 'call_ended',
      sent_ms: 1_000,
      dropped_ms: 200,
    });
  });

  it('of both sides has them on two channels, apart', () => {
    const { story, dialler, fork, sing } = openScene();
    fork({ tracks: 'both' });
    dialler.open(story.clock.nowMs());
    sing(2_000);
    const side = (first: 0 | 1): Int16Array[] =>
      dialler.frames.map((frame) => frame.filter((_, i) => i % 2 === first));
    expect(dialler.dials[0]!.wish.channels).toBe(2);
    expect(dialler.frames.length).toBeGreaterThan(80);
    expect(amplitudeOf(side(0), 400)).toBeGreaterThan(5_500);
    expect(amplitudeOf(side(1), 1_000)).toBeGreaterThan(5_500);
    expect(amplitudeOf(side(0), 1_000)).toBeLessThan(6);
    expect(amplitudeOf(side(1), 400)).toBeLessThan(6);
  });

  it('of what a leg hears has that alone', () => {
    const { story, dialler, fork, sing } = openScene();
    fork({ tracks: 'outbound' });
    dialler.open(story.clock.nowMs());
    sing(1_000);
    expect(amplitudeOf(dialler.frames, 1_000)).toBeGreaterThan(5_500);
    expect(amplitudeOf(dialler.frames, 400)).toBeLessThan(6);
  });

  it('of speech alone begins 300 ms before speech was sure, and has no silence', () => {
    const { story, caller, dialler, fork } = openScene();
    fork({ gate: 'speech' });
    dialler.open(story.clock.nowMs());
    caller.silent(2_000);
    expect(dialler.frames).toEqual([]);
    caller.speaks(500);
    const spoken = dialler.frames.length;
    expect(spoken).toBeGreaterThanOrEqual(25 + 15);
    expect(spoken).toBeLessThanOrEqual(25 + 20);
    caller.silent(2_000);
    expect(dialler.frames.length).toBeLessThan(spoken + 20);
  });

  it('that is lost is dialled again, later and later, until nobody is to be reached', () => {
    const { story, dialler, fork } = openScene();
    fork();
    for (let tries = 1; tries <= 8; tries++) {
      expect(dialler.dials).toHaveLength(tries);
      dialler.dials.at(-1)!.listener.gone('refused', story.clock.nowMs());
      story.clock.advance(10_000);
    }
    expect(dialler.dials).toHaveLength(8);
    const failures = story.events.filter(({ type }) => type === 'fork_failed');
    expect(failures.map(({ data }) => data['retry_in_ms'])).toEqual([
      500,
      1_000,
      2_000,
      4_000,
      8_000,
      10_000,
      10_000,
      null,
    ]);
    expect(story.only('fork_ended').data).toMatchObject({ reason: 'unreachable' });
    expect(story.call.state.name).toBe('active');
    expect(story.asks('fork', { url: URL })).toMatchObject({ ok: true });
  });

  it('goes on after a reconnect, and says what was lost in between', () => {
    const { story, caller, dialler, fork, sing } = openScene();
    fork();
    dialler.open(story.clock.nowMs());
    sing(500);
    dialler.dials[0]!.listener.gone('closed_1006', story.clock.nowMs());
    sing(500);
    expect(dialler.dials).toHaveLength(2);
    dialler.open(story.clock.nowMs());
    sing(500);
    caller.hangsUp();
    expect(story.types.filter((type) => type === 'fork_started')).toHaveLength(2);
    expect(story.only('fork_ended').data).toMatchObject({ sent_ms: 1_000, dropped_ms: 500 });
  });

  it('to a recogniser writes the transcript, on the clock of the call', () => {
    const { story, caller, dialler, sing } = openScene();
    sing(1_000);
    story.asks('fork', { protocol: 'deepgram-stt', tracks: 'both', api_key: 'dg-secret' });
    dialler.open(story.clock.nowMs());
    const { listener } = dialler.dials[0]!;
    listener.heard({ channel: 'first', text: 'Hello.', startMs: 100, endMs: 400 }, story.clock.nowMs());
    listener.heard({ channel: 'second', text: 'Hi!', startMs: null, endMs: null }, story.clock.nowMs());
    const told = story.events.filter(({ type }) => type === 'transcript_segment').map(({ data }) => data);
    expect(told).toMatchObject([
      { speaker: 'caller', text: 'Hello.', start_ms: 1_100, end_ms: 1_400, leg_id: caller.legId },
      { speaker: 'agent', text: 'Hi!', start_ms: null, end_ms: null },
    ]);
    expect(story.call.notes.transcript).toHaveLength(2);
    expect(JSON.stringify(story.events)).not.toContain('dg-secret');
  });

  it('ends on command, with its leg, or before it was ever open', () => {
    const { story, other, dialler, fork } = openScene();
    const ids = [fork(), fork({ leg_id: other.legId })].map(
      (answer) => (answer as { value: JsonObject }).value['fork_id'],
    );
    dialler.open(story.clock.nowMs());
    expect(story.asks('stop_fork', { fork_id: ids[0] })).toMatchObject({ ok: true });
    expect(dialler.dials[0]!.isCancelled).toBe(true);
    expect(story.asks('stop_fork', { fork_id: ids[0] })).toMatchObject({ fault: 'not_found' });
    story.asks('remove_leg', { leg_id: other.legId });
    const reasons = story.events
      .filter(({ type }) => type === 'fork_ended')
      .map(({ data }) => data['reason']);
    expect(reasons).toEqual(['stopped', 'leg_gone']);
  });

  it('is refused where there are enough, where nobody is, and where nothing can be dialled', () => {
    const { story, dialler, fork } = openScene();
    dialler.isForbidding = true;
    expect(fork()).toMatchObject({ ok: false, fault: 'invalid_argument' });
    dialler.isForbidding = false;
    expect(fork({ leg_id: 'leg_none' })).toMatchObject({ fault: 'not_found' });
    for (let i = 0; i < FORKS_MAX; i++) expect(fork()).toMatchObject({ ok: true });
    expect(fork()).toMatchObject({ ok: false, fault: 'conflict' });
    expect(() => story.asks('fork', { url: URL, tracks: 'both', gate: 'speech' })).toThrow(/gate/);
    expect(() => story.asks('fork', { protocol: 'raw' })).toThrow(/url/);
    expect(() => story.asks('fork', { url: URL, protocol: 'native', tracks: 'both' })).toThrow(/tracks/);
  });
});
