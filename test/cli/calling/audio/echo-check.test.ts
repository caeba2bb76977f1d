import { describe, expect, it } from 'vitest';
import { EchoCheck } from '../../../../src/cli/calling/audio/echo-check.ts';
import { writeScript } from '../../../../src/cli/calling/audio/script.ts';
import { SentTimes } from '../../../../src/cli/calling/sent-times.ts';
import type { CodecName } from '../../../../src/media/format.ts';
import { stepsSound } from './sounds.ts';

const FRAMES = 20;

function openCheck(codec: CodecName = 'pcmu', sound = stepsSound(FRAMES)) {
  const script = writeScript({ sound, offsetFrames: 0, repeat: false, framesMax: FRAMES, digits: '' });
  const sent = new SentTimes();
  for (let i = 0; i < FRAMES; i++) sent.note(i, i * 20);
  const check = new EchoCheck({ script, sent, codec });
  const back = (index: number, atMs: number) => check.receive(sound.frames[index]!, 160, atMs);
  return { check, back, sound };
}

describe('an echo', () => {
  it('is identical where every frame comes back as it was, and each tells its round trip', () => {
    const { check, back } = openCheck();
    for (let i = 0; i < FRAMES; i++) expect(back(i, i * 20 + 3)).toBe(3);
    expect([check.isIdentical, check.isComplete, check.missingFrames]).toEqual([true, true, 0]);
    expect(check.roundTrips.spread()).toMatchObject({ count: FRAMES, max: 3 });
  });

  it('is not while the last frame is missing', () => {
    const { check, back } = openCheck();
    for (let i = 0; i < FRAMES - 1; i++) back(i, 1_000);
    expect([check.isIdentical, check.missingFrames]).toEqual([false, 1]);
  });

  it('that lost frames is aligned again, so that round trips stay true', () => {
    const { check, back } = openCheck();
    const kept = Array.from({ length: FRAMES }, (_, i) => i).filter((i) => i < 5 || i > 7);
    expect(new Set(kept.map((i) => back(i, i * 20 + 3)))).toEqual(new Set([3]));
    expect(check.stats).toMatchObject({ skippedFrames: 3, changedFrames: 0, repeatedFrames: 0 });
    expect([check.isIdentical, check.isComplete]).toEqual([false, true]);
  });

  it('that stutters is aligned again', () => {
    const { check, back } = openCheck();
    for (let i = 0; i < FRAMES; i++) {
      expect(back(i, i * 20 + 3)).toBe(3);
      if (i === 4) back(i, i * 20 + 3);
    }
    expect(check.stats).toMatchObject({ skippedFrames: 0, changedFrames: 0, repeatedFrames: 1 });
    expect(check.isIdentical).toBe(false);
  });

  it('with one byte changed is not identical', () => {
    const { check, back, sound } = openCheck();
    const changed = sound.frames[3]!.slice();
    changed[80]! ^= 1;
    for (let i = 0; i < FRAMES; i++)
      if (i === 3) check.receive(changed, 160, 63);
      else back(i, i * 20 + 3);
    expect(check.stats).toMatchObject({ skippedFrames: 0, changedFrames: 1, repeatedFrames: 0 });
    expect(check.isIdentical).toBe(false);
  });

  it('may turn the one zero of µ-law into the other, but not of anything else', () => {
    const frame = new Uint8Array(160).fill(0x7f);
    const sound = { ...stepsSound(FRAMES), frames: [frame] };
    for (const [codec, isSame] of [
      ['pcmu', true],
      ['pcma', false],
    ] as const) {
      const sent = new SentTimes();
      sent.note(0, 0);
      const check = new EchoCheck({ script: { frameAt: () => frame }, sent, codec });
      check.receive(new Uint8Array(160).fill(0xff), 160, 1);
      expect([sound.frames.length, check.isIdentical]).toEqual([1, isSame]);
    }
  });

  it('of nothing is not identical', () => {
    const check = new EchoCheck({
      script: { frameAt: () => new Uint8Array(160) },
      sent: new SentTimes(),
      codec: 'pcmu',
    });
    expect(check.isIdentical).toBe(false);
  });
});
