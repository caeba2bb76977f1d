import type { Dice } from './dice.ts';
import type { RateHz } from './prompts.ts';

const DTMF_ROWS = [697, 770, 852, 941];
const DTMF_COLUMNS = [1209, 1336, 1477, 1633];

/** What sounds for how long; no frequencies is a pause. */
interface Cadence {
  readonly hz: readonly number[];
  readonly seconds: number;
}

/** Signals of exchanges (ITU-T E.180, national tables of its supplement 2), and all keys. */
export const TONES: Readonly<Record<string, (dice: Dice) => Cadence[]>> = {
  dtmf: (dice) =>
    dice.shuffled(DTMF_ROWS.flatMap((row) => DTMF_COLUMNS.map((column) => [row, column]))).flatMap((hz) => [
      { hz, seconds: dice.between(0.04, 0.5) },
      { hz: [], seconds: dice.between(0.04, 0.6) },
    ]),
  'ringback US': () => [on([440, 480], 2), off(4)],
  'ringback EU': () => [on([425], 1), off(4)],
  'ringback UK': () => [on([400, 450], 0.4), off(0.2), on([400, 450], 0.4), off(2)],
  'busy US': () => [on([480, 620], 0.5), off(0.5)],
  'busy EU': () => [on([425], 0.48), off(0.48)],
  'reorder US': () => [on([480, 620], 0.25), off(0.25)],
  'dial US': () => [on([350, 440], 5), off(1)],
  'special information': () => [on([950], 0.33), on([1400], 0.33), on([1800], 0.33), off(1)],
  'call waiting': () => [on([440], 0.3), off(3)],
  'dtmf, keys held': (dice) => {
    const hz = [dice.pick(DTMF_ROWS), dice.pick(DTMF_COLUMNS)];
    const [onS, offS] = [dice.between(0.04, 0.3), dice.between(0.04, 0.3)];
    return Array.from({ length: 8 }, () => [on(hz, onS), off(offS)]).flat();
  },
  'other tones': (dice) => {
    const hz = [dice.between(300, 2000), dice.between(300, 2000)].slice(dice.below(2));
    const [onS, offS] = [dice.between(0.05, 1), dice.between(0.05, 1)];
    return Array.from({ length: 4 }, () => [on(hz, onS), off(offS)]).flat();
  },
  'hold melody': melody,
  'fax calling': () => [on([1100], 0.5), off(3)],
  'fax answer': () => [on([2100], 3), off(1)],
};

/** The tune that small exchanges play by themselves: one voice of square-like notes. */
function melody(dice: Dice): Cadence[] {
  const semitones = [0, 2, 4, 5, 7, 9, 11, 12, 14, 16];
  return Array.from({ length: 64 }, () => {
    const hz = 330 * 2 ** (dice.pick(semitones) / 12);
    return on(
      [hz, 3 * hz, 5 * hz].filter((partial) => partial < 3400),
      dice.pick([0.15, 0.3, 0.3, 0.6]),
    );
  });
}

/** A tone of an exchange, repeated; its power while it sounds is 1. */
export function toneOf(name: string, samples: number, rateHz: RateHz, dice: Dice): Float32Array {
  const out = new Float32Array(samples);
  let at = 0;
  while (at < samples) {
    for (const { hz, seconds } of TONES[name]!(dice)) {
      const length = Math.round(seconds * rateHz);
      addTones(
        out,
        at,
        length,
        hz.map((frequency) => (2 * Math.PI * frequency) / rateHz),
      );
      at += length;
      if (at >= samples) break;
    }
  }
  return out;
}

function addTones(out: Float32Array, from: number, length: number, steps: readonly number[]): void {
  const amplitude = Math.sqrt(2 / Math.max(1, steps.length));
  for (let i = 0; i < length && from + i < out.length; i++) {
    for (const step of steps) out[from + i]! += amplitude * Math.sin(step * i);
  }
}

function on(hz: readonly number[], seconds: number): Cadence {
  return { hz, seconds };
}

function off(seconds: number): Cadence {
  return { hz: [], seconds };
}
