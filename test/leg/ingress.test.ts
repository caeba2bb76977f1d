import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newFrameCounters } from '../../src/leg/counters.ts';
import { Ears } from '../../src/leg/hearing/ears.ts';
import { Ingress } from '../../src/leg/ingress.ts';
import { openCodec } from '../../src/media/codecs.ts';
import { loadOpus } from '../../src/media/codecs/opus/opus.ts';
import { l16, PCMU_8K, type AudioFormat } from '../../src/media/format.ts';
import { AdaptiveJitterBuffer } from '../../src/media/jitter/adaptive-jitter-buffer.ts';
import { FramePool } from '../../src/media/frame-pool.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { readWav } from '../../src/media/wav.ts';
import { loudDetectors } from '../fakes/loud-detector.ts';

await loadOpus();
const wav = readWav(readFileSync(join(import.meta.dirname, '../../samples/hello.wav')));
if (!('samples' in wav)) throw new Error(wav.detail);
/** A second of it, from the middle of a word on. */
const speech = wav.samples.subarray(4.2 * 8000, 5.2 * 8000);
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 8000, littleEndian: true };

/** A way in whose frames, ears and losses can be looked at; clocked where `maxMs` is above 0. */
function wayIn(format: AudioFormat, { minMs = 0, maxMs = 0, sampleRateHz = 8000 } = {}) {
  const heard: Int16Array[] = [];
  const onsetsMs: number[] = [];
  const counters = newFrameCounters();
  const slots = new FramePool({ frameSamples: sampleRateHz / 50, framesMin: 400, framesMax: 400 });
  const jitter = new AdaptiveJitterBuffer({ sampleRateHz, minMs, maxMs, slots });
  const holes: number[] = [];
  const ingress = new Ingress({
    format,
    sampleRateHz,
    jitter,
    ears: new Ears({
      sampleRateHz,
      edges: new VoiceEdges(loudDetectors.open(sampleRateHz), VOICE_DEFAULTS),
      listener: {
        onVoice: (edge) => void (edge.type === 'voice_detected' && onsetsMs.push(edge.onsetMs)),
      },
    }),
    counters,
    listener: { onFrame: (frame) => void heard.push(frame.slice()), onHole: () => void holes.push(1) },
  });
  const takes = (payload: Uint8Array, sequence: number, nowMs: number): boolean =>
    ingress.accept({ payload, payloadBytes: payload.length, sequence, timestampMs: -1 }, nowMs);
  return { ingress, jitter, heard, onsetsMs, counters, takes, holes, slots };
}

/** µ-law frames of one level each: what comes out shows which one it was. */
function mulaw(level: number, frames = 1): Uint8Array {
  const codec = openCodec(PCMU_8K);
  const bytes = new Uint8Array(160);
  codec.encodeInto(new Int16Array(160).fill(level), bytes);
  return Buffer.concat(Array.from({ length: frames }, () => bytes));
}

const levelsOf = (heard: readonly Int16Array[]): number[] =>
  heard.map((frame) => Math.round(frame[80]! / 1000));

describe('numbered messages', () => {
  it('may hold several frames', () => {
    const { takes, heard, ingress } = wayIn(PCMU_8K);
    expect(takes(mulaw(2_000, 3), 7, 1_000)).toBe(true);
    expect(takes(mulaw(3_000, 3), 8, 1_060)).toBe(true);
    expect(levelsOf(heard)).toEqual([2, 2, 2, 3, 3, 3]);
    expect(ingress.losses.lostFrames).toBe(0);
  });

  it('that are not whole frames are refused', () => {
    const { takes, counters } = wayIn(PCMU_8K);
    expect(takes(mulaw(2_000).subarray(0, 159), 7, 1_000)).toBe(false);
    expect(takes(new Uint8Array(0), 8, 1_020)).toBe(false);
    expect(counters.refusedMessages).toBe(2);
  });

  it('count every frame of one that never came, and the ears know how long it was', () => {
    const { takes, ingress, onsetsMs } = wayIn(PCMU_8K);
    takes(mulaw(0, 2), 1, 1_000);
    takes(mulaw(0, 2), 2, 1_040);
    takes(mulaw(9_000, 2), 4, 1_120);
    expect(ingress.losses.lostFrames).toBe(2);
    expect(onsetsMs).toEqual([120]);
  });

  it('are heard in order where there is a clock, however they came', () => {
    const { takes, ingress, heard, counters } = wayIn(PCMU_8K, { minMs: 60, maxMs: 200 });
    const order = [1, 2, 4, 3, 5, 6, 8, 9, 7, 10];
    order.forEach((number, i) => {
      takes(mulaw(1_000 * number), number, 1_000 + 20 * i);
      ingress.play(1_010 + 20 * i);
    });
    for (let i = 0; i < 5; i++) ingress.play(1_210 + 20 * i);
    expect(ingress.losses.lostFrames + ingress.losses.lateFrames).toBe(0);
    // Behind the last one there is only what was made up for those that never came.
    const levels = levelsOf(heard).slice(0, levelsOf(heard).indexOf(10) + 1);
    expect(levels.length).toBeGreaterThan(7);
    expect(levels).toEqual([...levels].sort((a, b) => a - b));
    expect(counters.receivedFrames).toBe(10);
  });

  it('that are missing tell, at the first one, that the wire loses packets', () => {
    const { takes, holes } = wayIn(PCMU_8K);
    takes(mulaw(1_000), 65_534, 1_000);
    takes(mulaw(1_000), 65_535, 1_020);
    takes(mulaw(1_000), 0, 1_040);
    expect(holes).toEqual([]);
    takes(mulaw(1_000), 2, 1_080);
    expect(holes).toEqual([1]);
  });

  it('that come after they were given up are late, and twice are duplicates, in the node’s counters too', () => {
    const { takes, counters } = wayIn(PCMU_8K);
    for (const number of [1, 2, 4, 3, 4, 5]) takes(mulaw(1_000), number, 1_000 + 20 * number);
    expect(counters).toMatchObject({ receivedFrames: 4, lostFrames: 1, lateFrames: 1, duplicateFrames: 1 });
  });
});

describe('losses found while playing', () => {
  it('are in the node’s counters, and what was lent comes back at the end', () => {
    const { takes, ingress, counters, slots } = wayIn(PCMU_8K, { maxMs: 200 });
    for (let number = 0; number < 100; number++) {
      if (number !== 60) takes(mulaw(1_000), number, 1_000 + 20 * number);
      ingress.play(1_010 + 20 * number);
    }
    expect(counters).toMatchObject({ lostFrames: 1 });
    expect(counters.concealedFrames).toBeGreaterThan(0);
    takes(mulaw(1_000), 101, 3_020);
    ingress.close();
    expect(slots.freeFrames).toBe(400);
  });
});

describe('a packet of Opus that is lost', () => {
  it('is brought back out of the next one, and moves nothing', () => {
    const encoder = openCodec(OPUS, { fec: true, lossPercent: 20 });
    const packets = Array.from({ length: 50 }, (_, k) => {
      const packet = new Uint8Array(encoder.packetBytesMax);
      return packet.slice(0, encoder.encodeInto(speech.subarray(160 * k, 160 * (k + 1)), packet));
    });
    const whole = wayIn(OPUS);
    const holed = wayIn(OPUS);
    packets.forEach((packet, number) => {
      whole.takes(packet, number, 20 * number);
      if (number !== 30) holed.takes(packet, number, 20 * number);
    });
    expect(holed.heard).toHaveLength(50);
    expect(holed.ingress.losses).toMatchObject({ lostFrames: 1, concealedFrames: 1 });
    expect(holed.counters).toMatchObject({ receivedFrames: 49, lostFrames: 1, concealedFrames: 1 });
    expect(likeness(holed.heard[30]!, whole.heard[30]!)).toBeGreaterThan(0.8);
    for (const { ingress } of [whole, holed]) ingress.close();
    encoder.close();
  });
});

describe('a wire at another rate than the leg', () => {
  it.each([12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])(
    'of %i Hz is heard as it was said',
    (hz) => {
      const format = l16(hz);
      const { takes, heard } = wayIn(format, { sampleRateHz: 16_000 });
      const codec = openCodec(format);
      const bytes = new Uint8Array(codec.frameBytes);
      const samples = codec.frameSamples;
      for (let k = 0; k < 20; k++) {
        const tone = (_: unknown, i: number) =>
          8000 * Math.sin((2 * Math.PI * 1000 * (samples * k + i)) / hz);
        codec.encodeInto(Int16Array.from({ length: samples }, tone), bytes);
        takes(bytes, -1, 20 * k);
      }
      expect(heard.map(({ length }) => length)).toEqual(Array.from({ length: 20 }, () => 320));
      const last = Int16Array.from(heard.slice(10).flatMap((frame) => [...frame]));
      expect(toneShare(last, 1000, 16_000)).toBeGreaterThan(0.999);
    },
  );
});

/** Normalised correlation. */
function likeness(a: Int16Array, b: Int16Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

/** How much of the power is one sine. */
function toneShare(samples: Int16Array, hz: number, rateHz: number): number {
  let [re, im, power] = [0, 0, 0];
  samples.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * hz * i) / rateHz);
    im += sample * Math.sin((2 * Math.PI * hz * i) / rateHz);
    power += sample * sample;
  });
  return (2 * (re * re + im * im)) / samples.length / power;
}
