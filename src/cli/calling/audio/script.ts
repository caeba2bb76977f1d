import { FRAME_MS } from '../../../base/units.ts';
import type { Sound } from './sound.ts';

// A caller hears the prompt first, then presses key after key.
const FIRST_DIGIT_FRAME = 1_000 / FRAME_MS;
const FRAMES_PER_DIGIT = 300 / FRAME_MS;

/** What one caller does, frame by frame. */
export interface Script {
  /** How many frames the call has; infinite where only a hang-up ends it. */
  readonly frames: number;
  /** A frame in which nobody speaks. */
  readonly silence: Uint8Array;
  frameAt(index: number): Uint8Array;
  /** The key pressed just before this frame. */
  digitAt(index: number): string | undefined;
}

export interface ScriptWish {
  readonly sound: Sound;
  /** Where in the sound the caller begins; it goes around. */
  readonly offsetFrames: number;
  readonly repeat: boolean;
  /** The call ends here at the latest. */
  readonly framesMax: number;
  readonly digits: string;
}

/** The sound once, or again and again; a call stays up until the last key is pressed. */
export function writeScript({ sound, offsetFrames, repeat, framesMax, digits }: ScriptWish): Script {
  const { frames: spoken, silence } = sound;
  const digitFrames = digits === '' ? 0 : FIRST_DIGIT_FRAME + digits.length * FRAMES_PER_DIGIT;
  const wanted = repeat ? Number.POSITIVE_INFINITY : Math.max(spoken.length, digitFrames);
  return {
    frames: Math.min(wanted, framesMax),
    silence,
    frameAt: (index) =>
      repeat || index < spoken.length ? spoken[(index + offsetFrames) % spoken.length]! : silence,
    digitAt: (index) => {
      const place = (index - FIRST_DIGIT_FRAME) / FRAMES_PER_DIGIT;
      return Number.isInteger(place) ? digits[place] : undefined;
    },
  };
}
