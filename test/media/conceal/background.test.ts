import { expect, it } from 'vitest';
import { Background } from '../../../src/media/conceal/background.ts';
import { noise, rms, vowel } from './sounds.ts';

function hearAll(background: Background, sound: Int16Array): void {
  for (let at = 0; at + 160 <= sound.length; at += 160) background.hear(sound.subarray(at, at + 160));
}

it('the level of a noise is found within a decibel, and a piece of it kept', () => {
  const background = new Background(8000);
  const sound = noise(16_000, 500);
  hearAll(background, sound);
  expect(Math.abs(10 * Math.log10(background.power / rms(sound) ** 2))).toBeLessThan(1);
  expect(background.kept).toEqual(sound.subarray(-320));
});

it('speech over it is no background, nor is music that never ends', () => {
  const background = new Background(8000);
  hearAll(background, noise(8000, 300));
  const before = background.power;
  hearAll(background, vowel(8000, 150, 16_000));
  expect(background.power).toBe(before);
  const music = new Background(8000);
  hearAll(music, vowel(8000, 440, 80_000));
  expect(music.power).toBe(0);
});

it('a line that becomes noisier is followed at 3 dB a second, one that becomes quieter at once', () => {
  const background = new Background(8000);
  hearAll(background, noise(8000, 100));
  hearAll(background, noise(5 * 8000, 400));
  expect(Math.abs(10 * Math.log10(background.power / (400 ** 2 / 3)))).toBeLessThan(1.5);
  hearAll(background, noise(1600, 50));
  expect(background.power).toBeLessThan(2 * (50 ** 2 / 3));
});

it('digital silence is a background of nothing', () => {
  const background = new Background(8000);
  hearAll(background, noise(8000, 100));
  hearAll(background, new Int16Array(8000));
  expect(background.power).toBe(0);
  expect(background.kept.every((sample) => sample === 0)).toBe(true);
});
