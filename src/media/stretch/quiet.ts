import type { Background } from '../conceal/background.ts';

// A part this short that stands out is a sound of its own: the start of a word, a click.
const PARTS = 8;
// −54 dB full scale: nobody hears a cut in it.
const SILENCE_POWER = 65 ** 2;
// As far above the background heard as its own parts rise.
const BACKGROUND_RATIO = 4;

/** Whether nothing but background is in `source[0..samples)`, in any part of it. */
export function isQuiet(source: Int16Array, samples: number, background: Background | undefined): boolean {
  const power = background === undefined ? 0 : background.power;
  const limit = Math.max(SILENCE_POWER, BACKGROUND_RATIO * power);
  let from = 0;
  for (let part = 1; part <= PARTS; part++) {
    const to = Math.floor((samples * part) / PARTS);
    let sum = 0;
    for (let i = from; i < to; i++) sum += source[i]! * source[i]!;
    if (sum > limit * (to - from)) return false;
    from = to;
  }
  return true;
}
