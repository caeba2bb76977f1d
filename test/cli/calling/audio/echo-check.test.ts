import { describe, expect, it } from 'vitest';
import { EchoCheck, isLossless } from '../../../../src/cli/calling/audio/echo-check.ts';
import { writeScript } from '../../../../src/cli/calling/audio/script.ts';
import { SentTimes } from '../../../../src/cli/calling/sent-times.ts';
import { l16, PCMA_8K, PCMU_8K } from '../../../../src/media/format.ts';
import { stepsSound } from './sounds.ts';

const FRAMES = 20;

function openCheck(format = PCMU_8K, sound = stepsSound(FRAMES)) {
  const script = writeScript({ sound, offsetFrames: 0, repeat: false, framesMax: FRAMES, digits: '' });
  const sent = new SentTimes();
  for (let i = 0; i < FRAMES; i++) sent.note(i, i * 20);
  const check = new EchoCheck({ script, sent, format });
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
    for (const [format, isSame] of [
      [PCMU_8K, true],
      [PCMA_8K, false],
    ] as const) {
      const sent = new SentTimes();
      sent.note(0, 0);
      const check = new EchoCheck({ script: { frameAt: () => frame, silence: frame }, sent, format });
      check.receive(new Uint8Array(160).fill(0xff), 160, 1);
      expect([sound.frames.length, check.isIdentical]).toEqual([1, isSame]);
    }
  });

  it('of nothing is not identical', () => {
    const check = new EchoCheck({
      script: { frameAt: () => new Uint8Array(160), silence: new Uint8Array(160) },
      sent: new SentTimes(),
      format: PCMU_8K,
    });
    expect(check.isIdentical).toBe(false);
  });

  it('takes silence behind the last word for what fills up a message, and a word for one too many', () => {
    const { check, back, sound } = openCheck();
    for (let i = 0; i < FRAMES; i++) back(i, i * 20);
    expect(check.receive(sound.silence, 160, 500)).toBeUndefined();
    expect(check.isIdentical).toBe(true);
    check.receive(new Uint8Array(160).fill(3), 160, 520);
    expect(check.isIdentical).toBe(false);
  });

  it('forgives 0 for a sample that its listener is never sent, and no other', () => {
    for (const [heard, unsaidSample, isSame] of [
      [0, -1, true],
      [0, undefined, false],
      [1, -1, false],
    ] as const) {
      const said = new Uint8Array(Int16Array.of(7, -1).buffer);
      const sent = new SentTimes();
      sent.note(0, 0);
      const script = { frameAt: () => said, silence: new Uint8Array(4) };
      const check = new EchoCheck({ script, sent, format: l16(8000), unsaidSample });
      check.receive(new Uint8Array(Int16Array.of(7, heard).buffer), 4, 1);
      expect(check.isIdentical).toBe(isSame);
    }
  });

  it('is owed byte for byte only where no codec and no rate changes samples', () => {
    expect(isLossless(l16(16_000), l16(16_000))).toBe(true);
    expect(isLossless(l16(16_000), l16(16_000, false))).toBe(false);
    expect(isLossless(l16(24_000), l16(24_000))).toBe(false);
    expect(isLossless({ ...l16(8000), channels: 2 }, l16(8000))).toBe(false);
    expect(isLossless(PCMA_8K, PCMU_8K)).toBe(false);
  });
});
