import { describe, expect, it } from 'vitest';
import { writeScript } from '../../../../src/cli/calling/audio/script.ts';
import { SignalCheck } from '../../../../src/cli/calling/audio/signal-check.ts';
import { soundOf } from '../../../../src/cli/calling/audio/sound.ts';
import { SentTimes } from '../../../../src/cli/calling/sent-times.ts';
import { openCodec } from '../../../../src/media/codecs.ts';
import { frameBytes, l16, PCMA_8K, PCMU_8K } from '../../../../src/media/format.ts';
import { readHello } from '../../../fakes/hello.ts';

const heard = readHello().samples;

/** What comes back of a voice said in A-law: µ-law, so many samples late, as `change` makes it. */
function similarity(
  lateSamples: number,
  change: (samples: Int16Array) => Int16Array = (same) => same,
): number {
  const sound = soundOf('hello', heard, PCMA_8K);
  const sent = new SentTimes();
  for (let i = 0; i < sound.frames.length; i++) sent.note(i, i * 20);
  const wish = { offsetFrames: 0, repeat: false, framesMax: Number.POSITIVE_INFINITY, digits: '' };
  const script = writeScript({ sound, ...wish });
  const check = new SignalCheck({ script, sent, spokenFormat: PCMA_8K, heardFormat: PCMU_8K });
  const late = new Int16Array(heard.length + Math.max(0, lateSamples));
  late.set(lateSamples < 0 ? heard.subarray(-lateSamples) : heard, Math.max(0, lateSamples));
  const codec = openCodec(PCMU_8K);
  const back = change(late);
  for (let at = 0; at + 160 <= back.length; at += 160) {
    const payload = new Uint8Array(frameBytes(PCMU_8K));
    codec.encodeInto(back.subarray(at, at + 160), payload);
    check.receive(payload, payload.length);
  }
  return check.similarityPercent();
}

describe('the likeness of an echo', () => {
  it.each([0, 1, 173, 4_000, -160])('is that of the voice, %i samples late', (lateSamples) => {
    expect(similarity(lateSamples)).toBeGreaterThan(99);
  });

  it('tells silence, noise, half a voice, and the wrong byte order from it', () => {
    expect(similarity(0, (samples) => samples.map(() => 0))).toBeLessThan(5);
    expect(similarity(0, (samples) => samples.map((_, i) => ((i * 7_919) % 8_001) - 4_000))).toBeLessThan(40);
    expect(similarity(0, (samples) => samples.map((one, i) => (i % 320 < 160 ? one : 0)))).toBeLessThan(85);
    const swap = (one: number): number => ((one & 0xff) << 8) | ((one >> 8) & 0xff);
    expect(similarity(0, (samples) => samples.map(swap))).toBeLessThan(60);
  });

  it('of a voice in another codec is that of the voice', () => {
    const spoken = l16(8000);
    const sound = soundOf('hello', heard, spoken);
    const sent = new SentTimes();
    for (let i = 0; i < sound.frames.length; i++) sent.note(i, i * 20);
    const wish = { offsetFrames: 0, repeat: false, framesMax: Number.POSITIVE_INFINITY, digits: '' };
    const script = writeScript({ sound, ...wish });
    const check = new SignalCheck({ script, sent, spokenFormat: spoken, heardFormat: PCMU_8K });
    for (const frame of soundOf('hello', heard, PCMU_8K).frames) check.receive(frame, frame.length);
    expect(check.isComplete).toBe(true);
    expect(check.similarityPercent()).toBeGreaterThan(99);
  });
});
