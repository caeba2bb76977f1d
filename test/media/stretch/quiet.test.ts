import { expect, it } from 'vitest';
import { Background } from '../../../src/media/conceal/background.ts';
import { isQuiet } from '../../../src/media/stretch/quiet.ts';
import { noise } from '../conceal/sounds.ts';

it('without a background only what nobody hears is quiet', () => {
  expect(isQuiet(new Int16Array(320), 320, undefined)).toBe(true);
  expect(isQuiet(noise(320, 60), 320, undefined)).toBe(true);
  expect(isQuiet(noise(320, 200), 320, undefined)).toBe(false);
});

it('noise is quiet where it is the background, and not 10 dB above it', () => {
  const background = new Background(8000);
  for (let seed = 1; seed < 30; seed++) background.hear(noise(160, 400, seed));
  expect(isQuiet(noise(320, 400, 77), 320, background)).toBe(true);
  expect(isQuiet(noise(320, 1265, 77), 320, background)).toBe(false);
});

it('one short part that stands out is enough, wherever it is; what lies behind the samples is not looked at', () => {
  for (let at = 0; at < 320; at += 16) {
    const source = new Int16Array(640);
    source[at] = 3000;
    expect(isQuiet(source, 320, undefined)).toBe(false);
  }
  const behind = new Int16Array(640).fill(9000, 320);
  expect(isQuiet(behind, 320, undefined)).toBe(true);
});
