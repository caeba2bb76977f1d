import openFvad from '@echogarden/fvad-wasm';
import { describe, expect, it } from 'vitest';
import { VoiceError } from '../../../src/base/errors.ts';
import { loadFvad } from '../../../src/media/voice/fvad-detector.ts';
import { readHello } from '../../fakes/hello.ts';

const fvad = await loadFvad();

/** The detector's opinion of each whole hop. */
function opinionsOf(samples: Int16Array, sampleRateHz: number, aggressiveness: number): boolean[] {
  const detector = fvad.open(sampleRateHz, aggressiveness);
  const opinions: boolean[] = [];
  for (let at = 0; at + detector.hopSamples <= samples.length; at += detector.hopSamples) {
    opinions.push(detector.isVoice(samples.slice(at, at + detector.hopSamples)));
  }
  detector.close();
  return opinions;
}

describe('the baseline voice detector', () => {
  it('is loaded once per process', () => {
    expect(loadFvad()).toBe(loadFvad());
  });

  it.each([8000, 16_000, 32_000, 48_000])('hears 10 ms hops at %d Hz', (sampleRateHz) => {
    const detector = fvad.open(sampleRateHz, 2);
    expect(detector.hopSamples).toBe(sampleRateHz / 100);
    expect(detector.isVoice(new Int16Array(detector.hopSamples))).toBe(false);
    detector.close();
  });

  it('hears voice in speech and none in silence', () => {
    const hello = readHello();
    const opinions = opinionsOf(hello.samples, hello.sampleRateHz, 2);
    const voicedHops = opinions.filter(Boolean).length;
    expect(opinions.slice(0, 50)).not.toContain(true);
    expect(voicedHops).toBeGreaterThan(400);
    expect(opinions.slice(-50)).not.toContain(true);
  });

  it('says what the library itself says', async () => {
    const hello = readHello();
    const plain = await openFvad();
    const state = plain._fvad_new();
    plain._fvad_set_mode(state, 3);
    plain._fvad_set_sample_rate(state, 8000);
    const address = plain._malloc(160);
    const expected: boolean[] = [];
    for (let at = 0; at + 80 <= hello.samples.length; at += 80) {
      plain.HEAP16.set(hello.samples.subarray(at, at + 80), address / 2);
      expected.push(plain._fvad_process(state, address, 80) === 1);
    }
    expect(opinionsOf(hello.samples, 8000, 3)).toEqual(expected);
  });

  it('keeps hearing when the memory under it grows and moves', () => {
    const hello = readHello();
    const expected = opinionsOf(hello.samples, 8000, 2);
    const early = fvad.open(8000, 2);
    // Each detector takes about 750 bytes of the WASM memory, which starts at 16 MiB: it has to grow.
    const crowd = Array.from({ length: 30_000 }, () => fvad.open(8000, 2));
    const heard = expected.map((_, hop) => early.isVoice(hello.samples.slice(hop * 80, hop * 80 + 80)));
    for (const detector of [early, ...crowd]) detector.close();
    expect(heard).toEqual(expected);
  });

  it('gives its memory back when closed', () => {
    // Without the free this would need more than the 2 GiB a WASM memory may have.
    for (let i = 0; i < 3_000_000; i += 1) {
      const detector = fvad.open(8000, 0);
      detector.close();
    }
    expect(fvad.open(8000, 0).hopSamples).toBe(80);
  });

  it('is deaf once closed, and closing twice does no harm', () => {
    const detector = fvad.open(8000, 2);
    detector.close();
    detector.close();
    expect(() => detector.isVoice(new Int16Array(80))).toThrow(/closed/);
  });

  it('refuses part of a hop', () => {
    const detector = fvad.open(8000, 2);
    expect(() => detector.isVoice(new Int16Array(160))).toThrow(/whole hops/);
    detector.close();
  });

  it.each([
    [44_100, 2],
    [8000, 4],
    [8000, -1],
  ])('is not there for %d Hz at aggressiveness %d', (sampleRateHz, aggressiveness) => {
    expect(() => fvad.open(sampleRateHz, aggressiveness)).toThrow(VoiceError);
  });
});
