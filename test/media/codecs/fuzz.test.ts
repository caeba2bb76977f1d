import { describe, expect, it } from 'vitest';
import { type Codec, MALFORMED } from '../../../src/media/codec.ts';
import { openCodec } from '../../../src/media/codecs.ts';
import { loadOpus } from '../../../src/media/codecs/opus/opus.ts';
import type { AudioFormat } from '../../../src/media/format.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { readHello } from '../../fakes/hello.ts';

const facts = await loadOpus();
const seed = Number(process.env['OMNIVOICE_TEST_SEED'] ?? 20_260_821);
const PACKETS = process.env['OMNIVOICE_TEST_LONG'] === '1' ? 200_000 : 2_000;
const GUARD = 0x5a5a;

const FORMATS: readonly AudioFormat[] = [
  { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true },
  { codec: 'pcma', sampleRateHz: 8000, littleEndian: true, channels: 2 },
  { codec: 'l16', sampleRateHz: 48_000, littleEndian: true, channels: 2 },
  { codec: 'l16', sampleRateHz: 24_000, littleEndian: false },
  { codec: 'g722', sampleRateHz: 8000, littleEndian: true },
  { codec: 'opus', sampleRateHz: 8000, littleEndian: true },
  { codec: 'opus', sampleRateHz: 48_000, littleEndian: true },
];

class Dice {
  readonly #clock: FakeClock;
  constructor(salt: number) {
    this.#clock = new FakeClock({ seed: seed + salt });
  }
  below(limit: number): number {
    return this.#clock.randomBytes(4).readUInt32LE() % limit;
  }
  bytes(count: number): Uint8Array {
    return this.#clock.randomBytes(count);
  }
}

/** Packets as the codec itself makes them, of speech. */
function honestPackets(codec: Codec): Uint8Array[] {
  const { samples } = readHello();
  const bytes = new Uint8Array(codec.packetBytesMax);
  return Array.from({ length: 50 }, (_, i) => {
    const frame = Int16Array.from(
      { length: codec.frameSamples },
      (_, n) => samples[(i * 160 + n) % samples.length]!,
    );
    return bytes.slice(0, codec.encodeInto(frame, bytes));
  });
}

/** One packet spoiled: flipped bits, cut, lengthened, all noise, or left as it is. */
function spoil(packet: Uint8Array, dice: Dice): Uint8Array {
  const spoiled = packet.slice();
  switch (dice.below(6)) {
    case 0:
      return spoiled;
    case 1:
      return spoiled.subarray(0, dice.below(spoiled.length + 1));
    case 2:
      return Buffer.concat([spoiled, dice.bytes(dice.below(3000))]);
    case 3:
      return dice.bytes(dice.below(400));
    case 4:
      // A header of many frames, over bytes that hold fewer.
      return Buffer.concat([Uint8Array.of(dice.below(256) | 3, dice.below(256)), spoiled]);
    default:
      for (let flips = 1 + dice.below(8); flips > 0; flips--) {
        if (spoiled.length > 0) spoiled[dice.below(spoiled.length)]! ^= 1 << dice.below(8);
      }
      return spoiled;
  }
}

/** Decodes into a target with a guard behind it; returns what the codec said. */
function guarded(codec: Codec, run: (target: Int16Array) => number): number {
  const whole = new Int16Array(codec.packetSamplesMax + 8).fill(GUARD);
  const said = run(whole.subarray(0, codec.packetSamplesMax));
  expect([...whole.subarray(codec.packetSamplesMax)]).toEqual(Array(8).fill(GUARD));
  expect(said === MALFORMED || (said >= 0 && said <= codec.packetSamplesMax)).toBe(true);
  return said;
}

describe.each(FORMATS)(`spoiled packets of $codec at $sampleRateHz Hz, seed ${seed}`, (format) => {
  it('are samples or malformed, and the codec goes on', () => {
    const dice = new Dice(format.sampleRateHz);
    const codec = openCodec(format);
    const honest = honestPackets(codec);
    for (let i = 0; i < PACKETS; i++) {
      const packet = spoil(honest[dice.below(honest.length)]!, dice);
      // The packet lies in a larger scratch, as it does in the house.
      const scratch = Buffer.concat([packet, dice.bytes(16)]);
      const way = dice.below(8);
      if (way === 0) guarded(codec, (target) => codec.recoverInto?.(scratch, packet.length, target) ?? 0);
      else if (way === 1) guarded(codec, (target) => codec.concealInto?.(target) ?? 0);
      else guarded(codec, (target) => codec.decodeInto(scratch, packet.length, target));
    }
    const sound = honest[0]!;
    expect(guarded(codec, (target) => codec.decodeInto(sound, sound.length, target))).toBe(
      codec.frameSamples,
    );
    codec.close();
  });

  it('fit targets that are too small for them', () => {
    const codec = openCodec(format);
    const target = new Int16Array(codec.frameSamples - 1);
    for (const packet of honestPackets(codec)) {
      expect(codec.decodeInto(packet, packet.length, target)).toBeLessThanOrEqual(target.length);
    }
    codec.close();
  });
});

describe('the Opus sandbox', () => {
  it('takes no packet of nothing, of more than there is, or longer than packets are', () => {
    const codec = openCodec(FORMATS[6]!);
    const target = new Int16Array(codec.packetSamplesMax);
    for (const [length, told] of [
      [0, 0],
      [10, 11],
      [10, -1],
      [9000, 9000],
    ] as const) {
      const packet = new Uint8Array(length).fill(0x08);
      expect(codec.decodeInto(packet, told, target)).toBe(MALFORMED);
      expect(codec.recoverInto!(packet, told, target)).toBe(MALFORMED);
    }
    codec.close();
  });

  it('is given back what was taken, once', () => {
    const before = { ...facts.stats };
    for (let i = 0; i < 300; i++) {
      const codec = openCodec(FORMATS[6]!, { encoder: 'wasm' });
      codec.decodeInto(Uint8Array.of(0x08, 0, 0), 3, new Int16Array(codec.packetSamplesMax));
      codec.encodeInto(new Int16Array(codec.frameSamples), new Uint8Array(codec.packetBytesMax));
      expect(facts.stats).toMatchObject({ decoders: before.decoders + 1, encoders: before.encoders + 1 });
      codec.close();
      codec.close();
    }
    expect(facts.stats).toEqual(before);
  });

  it('answers a codec that was closed in the middle of its packet', () => {
    const codec = openCodec(FORMATS[6]!);
    const target = new Int16Array(codec.packetSamplesMax);
    codec.decodeInto(Uint8Array.of(0x08, 0, 0), 3, target);
    codec.close();
    expect(codec.decodeInto(Uint8Array.of(0x08, 0, 0), 3, target)).toBe(MALFORMED);
    expect(codec.concealInto!(target)).toBe(MALFORMED);
  });

  it('was never trapped by any of this', () => {
    expect(facts.stats.trapped).toBe(0);
  });
});
