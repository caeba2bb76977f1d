import { describe, expect, it } from 'vitest';
import { writeScript, type ScriptWish } from '../../../../src/cli/calling/audio/script.ts';
import { stepsSound } from './sounds.ts';

const sound = stepsSound(4);
const NO_END = Number.POSITIVE_INFINITY;

function scriptOf(wish: Partial<ScriptWish> = {}) {
  return writeScript({ sound, offsetFrames: 0, repeat: false, framesMax: NO_END, digits: '', ...wish });
}

describe('a script', () => {
  it('is the sound once, from its own place and around', () => {
    const script = scriptOf({ offsetFrames: 3 });
    expect(script.frames).toBe(4);
    expect([0, 1, 2, 3].map((i) => sound.frames.indexOf(script.frameAt(i)))).toEqual([3, 0, 1, 2]);
  });

  it('goes on until the hang-up where it repeats', () => {
    expect(scriptOf({ repeat: true }).frames).toBe(NO_END);
    const script = scriptOf({ repeat: true, framesMax: 9 });
    expect(script.frames).toBe(9);
    expect(script.frameAt(8)).toBe(sound.frames[0]);
  });

  it('ends early where the hang-up comes first', () => {
    expect(scriptOf({ framesMax: 2 }).frames).toBe(2);
  });

  it('presses its keys one after the other, and stays up for the last one', () => {
    const script = scriptOf({ digits: '12#' });
    const pressed = Array.from({ length: script.frames }, (_, i) => [i, script.digitAt(i)] as const);
    expect(pressed.filter(([, digit]) => digit !== undefined)).toEqual([
      [50, '1'],
      [65, '2'],
      [80, '#'],
    ]);
    expect(script.frameAt(60)).toBe(sound.silence);
  });
});
