import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvariantError, VoiceError } from '../../../../src/base/errors.ts';
import { loadOpus, openOpus } from '../../../../src/media/codecs/opus/opus.ts';
import type { OpusSettings } from '../../../../src/media/codecs/opus/settings.ts';
import { readHello } from '../../../fakes/hello.ts';

const facts = await loadOpus();
const ENCODERS = ['native', 'wasm'] as const;

/** Bytes a second of speech at 16 kHz. */
function bytesOf(settings: Partial<OpusSettings>): number {
  const codec = openOpus(16_000, settings);
  const bytes = new Uint8Array(codec.packetBytesMax);
  const { samples } = readHello();
  let sum = 0;
  for (let at = 4000; at + 320 <= 20_000; at += 320)
    sum += codec.encodeInto(samples.slice(at, at + 320), bytes);
  codec.close();
  return sum;
}

describe('Opus', () => {
  it('says what serves, and loads once', async () => {
    expect(facts.decoder).toBe('wasm');
    expect(facts.encoder).toBe(facts.nativeFailure === null ? 'native' : 'wasm');
    expect(facts.version).toMatch(/^libopus 1\./);
    expect(await loadOpus()).toBe(facts);
  });

  it.each(ENCODERS)('of the %s encoder obeys its bit rate and carries its FEC', (encoder) => {
    const low = bytesOf({ encoder, bitRateBps: 12_000 });
    expect(bytesOf({ encoder, bitRateBps: 40_000 })).toBeGreaterThan(1.8 * low);
    // The copy of the packet before takes its bits from the same budget: the packets differ, not their sum.
    const [plain, fec] = [{}, { fec: true, lossPercent: 25 }].map((settings) =>
      bytesOf({ encoder, ...settings }),
    );
    expect(fec).not.toBe(plain);
  });

  it.each(ENCODERS)('of the %s encoder takes whole frames only, and none when closed', (encoder) => {
    const codec = openOpus(48_000, { encoder });
    const bytes = new Uint8Array(codec.packetBytesMax);
    for (const samples of [0, 1, 319, 959, 961, 5760]) {
      expect(() => codec.encodeInto(new Int16Array(samples), bytes)).toThrow(InvariantError);
    }
    expect(codec.encodeInto(new Int16Array(960), bytes)).toBeGreaterThan(0);
    codec.close();
    expect(() => codec.encodeInto(new Int16Array(960), bytes)).toThrow(InvariantError);
  });

  it('refuses settings that no encoder has', () => {
    const wrong = [
      { complexity: 11 },
      { complexity: 1.5 },
      { bitRateBps: 100 },
      { lossPercent: -1 },
      { bitRateBps: NaN },
    ];
    for (const settings of wrong) {
      for (const encoder of ENCODERS) {
        const codec = openOpus(16_000, { ...settings, encoder });
        expect(() => codec.encodeInto(new Int16Array(320), new Uint8Array(1275))).toThrow(VoiceError);
      }
    }
    expect(() => openOpus(44_100)).toThrow(VoiceError);
  });

  it('gives back what nobody closed', () => {
    const script = resolve(import.meta.dirname, 'abandon.ts');
    const said = execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' });
    expect(JSON.parse(said)).toMatchObject({ decoders: 0, encoders: 0, collected: 400 });
  });
});
