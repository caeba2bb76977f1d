import { describe, expect, it } from 'vitest';
import type { Codec } from '../../../../src/media/codec.ts';
import { DTX_BYTES_MAX } from '../../../../src/media/codec.ts';
import { loadOpus, openOpus } from '../../../../src/media/codecs/opus/opus.ts';
import type { OpusSettings } from '../../../../src/media/codecs/opus/settings.ts';
import { writeWav } from '../../../../src/media/wav.ts';
import { oggOf, opusdec, opusenc } from './opus-tools.ts';

/** Two seconds of voiced sound in syllables: a rich tone of 140 Hz, loud and soft four times a second. */
function syllables(sampleRateHz: number): Int16Array {
  return Int16Array.from({ length: 2 * sampleRateHz }, (_, i) => {
    const t = i / sampleRateHz;
    let sum = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++)
      sum += Math.sin(2 * Math.PI * 140 * harmonic * t) / harmonic;
    return 4000 * sum * (0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * t));
  });
}

function encodeAll(samples: Int16Array, sampleRateHz: number, settings: Partial<OpusSettings>): Uint8Array[] {
  const codec = openOpus(sampleRateHz, settings);
  const bytes = new Uint8Array(codec.packetBytesMax);
  const packets: Uint8Array[] = [];
  for (let at = 0; at + codec.frameSamples <= samples.length; at += codec.frameSamples) {
    packets.push(bytes.slice(0, codec.encodeInto(samples.slice(at, at + codec.frameSamples), bytes)));
  }
  codec.close();
  return packets;
}

function decodeAll(packets: readonly Uint8Array[], sampleRateHz: number): Int16Array {
  const codec = openOpus(sampleRateHz);
  const heard = new Int16Array(packets.length * codec.packetSamplesMax);
  const target = new Int16Array(codec.packetSamplesMax);
  let at = 0;
  for (const packet of packets) at += put(heard, at, target, codec.decodeInto(packet, packet.length, target));
  codec.close();
  return heard.subarray(0, at);
}

function put(heard: Int16Array, at: number, target: Int16Array, samples: number): number {
  expect(samples).toBeGreaterThan(0);
  heard.set(target.subarray(0, samples), at);
  return samples;
}

/** How alike two sounds are at their best shift within 20 ms, 1 being the same. */
function likeness(a: Int16Array, b: Int16Array, sampleRateHz: number): number {
  const shiftMax = sampleRateHz / 50;
  const length = Math.min(a.length, b.length) - 2 * shiftMax;
  const start = shiftMax;
  const stride = (7 * sampleRateHz) / 8000;
  let best = 0;
  for (let shift = -shiftMax; shift < shiftMax; shift++) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = start; i < start + length; i += stride) {
      ab += a[i]! * b[i + shift]!;
      aa += a[i]! ** 2;
      bb += b[i + shift]! ** 2;
    }
    best = Math.max(best, ab / Math.sqrt(aa * bb));
  }
  return best;
}

await loadOpus();

// Two decoders of one stream hear the same but for the last bits, and opusdec's own resampler.
const SAME = 0.99;
// The encoder for voice takes lows away and keeps no waveform: what it says is like what it was told.
const LIKE = 0.75;

describe.each([8000, 16_000, 48_000])('Opus at %d Hz and the tools of libopus', (sampleRateHz) => {
  const said = syllables(sampleRateHz);

  it.each(['native', 'wasm'] as const)('understand what the %s encoder says, with FEC', (encoder) => {
    const packets = encodeAll(said, sampleRateHz, { encoder, fec: true, lossPercent: 20 });
    const theirs = opusdec(oggOf(packets, sampleRateHz), sampleRateHz);
    expect(likeness(decodeAll(packets, sampleRateHz), theirs, sampleRateHz)).toBeGreaterThan(SAME);
    expect(likeness(said, theirs, sampleRateHz)).toBeGreaterThan(LIKE);
  });

  it('are understood, whatever the length of their packets', () => {
    for (const framesizeMs of ['2.5', '10', '20', '60']) {
      const flags = ['--speech', '--bitrate', '32', '--framesize', framesizeMs];
      const { packets, stream, preSkipSamples } = opusenc(writeWav(said, sampleRateHz), ...flags);
      const heard = decodeAll(packets, sampleRateHz).subarray((preSkipSamples * sampleRateHz) / 48_000);
      expect(heard.length).toBeGreaterThanOrEqual(said.length);
      const theirs = opusdec(stream, sampleRateHz);
      expect(likeness(heard, theirs, sampleRateHz)).toBeGreaterThan(SAME);
      expect(likeness(said, heard, sampleRateHz)).toBeGreaterThan(LIKE);
    }
  });

  it.each(['native', 'wasm'] as const)('hear silence that the %s encoder does not send', (encoder) => {
    const pause = Int16Array.from({ length: 4 * sampleRateHz }, (_, i) => (i < said.length ? said[i]! : 0));
    const packets = encodeAll(pause, sampleRateHz, { encoder, dtx: true });
    const unsent = packets.filter((packet) => packet.length <= DTX_BYTES_MAX).length;
    expect(unsent).toBeGreaterThan(60);
    const theirs = opusdec(oggOf(packets, sampleRateHz), sampleRateHz);
    const ours = decodeAll(packets, sampleRateHz);
    expect(likeness(ours, theirs, sampleRateHz)).toBeGreaterThan(SAME);
    expect(likeness(said, theirs.subarray(0, said.length), sampleRateHz)).toBeGreaterThan(LIKE);
    expect(ours.length).toBe(pause.length);
    expect(Math.max(...ours.subarray(3 * sampleRateHz))).toBeLessThan(50);
  });
});

describe('a lost packet', () => {
  const said = syllables(16_000);
  const packets = encodeAll(said, 16_000, { fec: true, lossPercent: 20 });
  const whole = decodeAll(packets, 16_000);

  type Fill = (codec: Codec, next: Uint8Array, target: Int16Array) => number;

  /** Every tenth packet is lost and filled in some way; how much is wrong with the fills, against the whole. */
  function errorOf(fill: Fill): number {
    const codec = openOpus(16_000);
    const target = new Int16Array(codec.packetSamplesMax);
    let [error, signal] = [0, 0];
    for (let i = 0; i + 1 < packets.length; i++) {
      const isLost = i % 10 === 9;
      const packet = packets[i]!;
      const samples = isLost
        ? fill(codec, packets[i + 1]!, target)
        : codec.decodeInto(packet, packet.length, target);
      expect(samples).toBe(320);
      if (!isLost) continue;
      for (let n = 0; n < 320; n++) {
        signal += whole[320 * i + n]! ** 2;
        error += (whole[320 * i + n]! - target[n]!) ** 2;
      }
    }
    codec.close();
    return error / signal;
  }

  it('is recovered from the next one better than it is concealed, and better so than by silence', () => {
    const recovered = errorOf((codec, next, target) => codec.recoverInto!(next, next.length, target));
    const concealed = errorOf((codec, _, target) => codec.concealInto!(target));
    expect(recovered).toBeLessThan(concealed);
    expect(recovered).toBeLessThan(0.5);
    expect(concealed).toBeLessThan(1);
  });

  it('is as long as the next packet says packets are', () => {
    const { packets: long } = opusenc(
      writeWav(said, 16_000),
      '--speech',
      '--bitrate',
      '24',
      '--framesize',
      '60',
    );
    const codec = openOpus(16_000);
    const target = new Int16Array(codec.packetSamplesMax);
    expect(codec.decodeInto(long[0]!, long[0]!.length, target)).toBe(960);
    expect(codec.recoverInto!(long[2]!, long[2]!.length, target)).toBe(960);
    expect(codec.decodeInto(long[2]!, long[2]!.length, target)).toBe(960);
    codec.close();
  });
});

describe('a stereo packet', () => {
  it('is heard as the average of its channels', () => {
    const frames = 16_000;
    const pcm = new Int16Array(2 * frames);
    for (let i = 0; i < frames; i++) pcm[2 * i] = 12_000 * Math.sin((2 * Math.PI * 300 * i) / 48_000);
    const raw = ['--raw', '--raw-chan', '2', '--raw-rate', '48000', '--bitrate', '96'];
    const { packets } = opusenc(new Uint8Array(pcm.buffer), ...raw);
    const heard = decodeAll(packets, 16_000);
    const level = Math.sqrt(heard.reduce((sum, sample) => sum + sample ** 2, 0) / heard.length);
    // Half of 12 000 at its peak.
    expect(level).toBeGreaterThan(0.8 * 6000 * Math.SQRT1_2);
    expect(level).toBeLessThan(1.1 * 6000 * Math.SQRT1_2);
  });
});
