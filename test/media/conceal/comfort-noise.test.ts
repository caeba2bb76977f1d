import { expect, it } from 'vitest';
import { Background } from '../../../src/media/conceal/background.ts';
import { ComfortNoise } from '../../../src/media/conceal/comfort-noise.ts';
import { noise, RATES_HZ } from './sounds.ts';

/** Noise with most of its power at low frequencies, as a room has it. */
function rumble(samples: number): Int16Array {
  const white = noise(samples, 400);
  let last = 0;
  return white.map((sample) => Math.round((last = 0.9 * last + 0.3 * sample)));
}

/** Power, and likeness of neighbouring samples: 0 for white noise, close to 1 for a rumble. */
function characterOf(sound: ArrayLike<number>): { power: number; colour: number } {
  let power = 0;
  let product = 0;
  for (let i = 1; i < sound.length; i++) {
    power += sound[i]! ** 2;
    product += sound[i]! * sound[i - 1]!;
  }
  return { power: power / sound.length, colour: product / power };
}

it.each(RATES_HZ)('at %i Hz it has the level and the colour of the background', (sampleRateHz) => {
  const frame = sampleRateHz / 50;
  for (const room of [noise(sampleRateHz, 300), rumble(sampleRateHz)]) {
    const background = new Background(sampleRateHz);
    for (let at = 0; at < room.length; at += frame) background.hear(room.subarray(at, at + frame));
    const comfort = new ComfortNoise(sampleRateHz, background);
    const made = new Float64Array(sampleRateHz);
    const part = new Float64Array(frame);
    for (let at = 0; at < made.length; at += frame) {
      comfort.fillInto(frame, part);
      made.set(part, at);
    }
    const expected = characterOf(room);
    const found = characterOf(made);
    expect(Math.abs(10 * Math.log10(found.power / expected.power))).toBeLessThan(2.5);
    expect(Math.abs(found.colour - expected.colour)).toBeLessThan(0.15);
  }
});
