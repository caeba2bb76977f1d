import { describe, expect, it } from 'vitest';
import { Dice } from '../../../../native-bench/vad/dice.ts';
import { openResampler } from '../../../../src/media/resampler/resampler.ts';
import { Features } from '../../../../src/media/voice/own/features.ts';
import { readHello } from '../../../fakes/hello.ts';

const RATE_HZ = 16_000;
const HOP = RATE_HZ / 100;

/** In how many hops the line is taken for a wide one. */
function wideHops(features: Features, samples: Int16Array): number {
  let wide = 0;
  for (let at = 0; at + HOP <= samples.length; at += HOP) {
    features.hear(samples.subarray(at, at + HOP));
    if (features.isWide) wide++;
  }
  return wide;
}

/** A telephone's sound, at twice its rate. */
function onWideLine(samples: Int16Array): Int16Array {
  const widened = new Int16Array(2 * samples.length);
  const resampler = openResampler(8000, RATE_HZ);
  for (let at = 0; at + 160 <= samples.length; at += 160) {
    resampler.resampleInto(samples.subarray(at, at + 160), 160, widened.subarray(2 * at));
  }
  return widened;
}

function noise(seconds: number): Int16Array {
  const dice = new Dice(7);
  return Int16Array.from({ length: seconds * RATE_HZ }, () => Math.round(300 * dice.gauss()));
}

describe('a line of 16 kHz', () => {
  it('is no wide one where a telephone speaks on it', () => {
    expect(wideHops(new Features(RATE_HZ), onWideLine(readHello().samples))).toBe(0);
  });

  it('is a wide one from the third hop with sound above the telephone band, also when it is silent then', () => {
    const features = new Features(RATE_HZ);
    expect(wideHops(features, noise(1))).toBe(98);
    expect(wideHops(features, new Int16Array(60 * RATE_HZ))).toBe(6000);
  });

  it('is none any more when a telephone has been on it for seconds', () => {
    const features = new Features(RATE_HZ);
    wideHops(features, noise(1));
    expect(wideHops(features, onWideLine(readHello().samples))).toBeGreaterThan(0);
    wideHops(features, onWideLine(readHello().samples));
    expect(features.isWide).toBe(false);
  });
});

it('a line of 8 kHz is never wide', () => {
  const features = new Features(8000);
  features.hear(noise(1).subarray(0, 80));
  expect(features.isWide).toBe(false);
});
