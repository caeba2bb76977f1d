import type { ToneName } from '../../src/media/tones/tone-edge.ts';
import { Dice, seedOf } from '../vad/dice.ts';
import { soundingsOf, tonesIn, type Sounding } from './line-sounds.ts';

/** Sounds of lines, and what they must be told as; `undefined` is none of them. */
export interface ToneCase {
  readonly name: string;
  readonly tone: ToneName | undefined;
  readonly sounds: (dice: Dice) => readonly Sounding[];
}

/** How often a case was told as what it is, and as something else. */
export interface ToneScore {
  readonly right: number;
  readonly wrong: number;
  readonly told: readonly ToneName[];
}

const LEVELS_DBM0 = [-10, -18, -26] as const;

/**
 * Every plan with its times and frequencies as inexact as networks are, then beeps, faxes and what is
 * none of it.
 */
export const TONE_CASES: readonly ToneCase[] = [
  cadenced('ringback, North America', 'ringback', [440, 480], [2000, 4000], 2),
  cadenced('ringback, Europe', 'ringback', [425], [1000, 4000], 2),
  cadenced('ringback, Spain', 'ringback', [425], [1500, 3000], 2),
  cadenced('ringback, United Kingdom', 'ringback', [400, 450], [400, 200, 400, 2000], 2),
  cadenced('ringback, France', 'ringback', [440], [1500, 3500], 2),
  cadenced('busy, North America', 'busy', [480, 620], [500, 500], 4),
  cadenced('busy, Europe', 'busy', [425], [480, 480], 4),
  cadenced('busy, United Kingdom', 'busy', [400], [375, 375], 4),
  cadenced('congestion, North America', 'congestion', [480, 620], [250, 250], 6),
  cadenced('congestion, Europe', 'congestion', [425], [240, 240], 6),
  cadenced('dial tone, North America', 'dial', [350, 440], [4000, 1000], 1),
  cadenced('dial tone, Europe', 'dial', [425], [4000, 1000], 1),
  cadenced('fax calling', 'fax_cng', [1100], [500, 3000], 2),
  cadenced('fax answering', 'fax_ced', [2100], [3000, 1000], 1),
  { name: 'special information', tone: 'special_information', sounds: special },
  { name: 'beep, 100 to 200 ms', tone: 'beep', sounds: (dice) => beep(dice, 105, 200) },
  { name: 'beep, 0.2 to 1 s', tone: 'beep', sounds: (dice) => beep(dice, 200, 1000) },
  { name: 'keys', tone: undefined, sounds: keys },
  { name: 'a tune', tone: undefined, sounds: tune },
  { name: 'blips under 80 ms', tone: undefined, sounds: (dice) => beep(dice, 20, 80) },
  { name: 'noise', tone: undefined, sounds: () => [{ hz: [], ms: 10_000 }] },
];

function cadenced(
  name: string,
  tone: ToneName,
  hz: readonly number[],
  cadenceMs: readonly number[],
  turns: number,
): ToneCase {
  const sounds = (dice: Dice): Sounding[] => {
    const dbm0 = dice.pick(LEVELS_DBM0);
    const tuned = hz.map((one) => one * (1 + dice.between(-0.008, 0.008)));
    const stretch = dice.between(0.92, 1.08);
    const turn = cadenceMs.map((ms, part) => ({ hz: part % 2 === 0 ? tuned : [], ms: ms * stretch, dbm0 }));
    return [lead(dice), ...Array.from({ length: turns }, () => turn).flat(), { hz: [], ms: 300 }];
  };
  return { name, tone, sounds };
}

function beep(dice: Dice, minMs: number, maxMs: number): Sounding[] {
  const sounding = {
    hz: [dice.between(420, 2400)],
    ms: dice.between(minMs, maxMs),
    dbm0: dice.pick(LEVELS_DBM0),
  };
  return [lead(dice), sounding, { hz: [], ms: 1500 }];
}

function special(dice: Dice): Sounding[] {
  const dbm0 = dice.pick(LEVELS_DBM0);
  const tones = [950, 1400, 1800].map((hz) => ({ hz: [hz + dice.between(-20, 20)], ms: 330, dbm0 }));
  return [lead(dice), ...tones, { hz: [], ms: 1500 }];
}

function keys(dice: Dice): Sounding[] {
  const dbm0 = dice.pick(LEVELS_DBM0);
  return Array.from({ length: 10 }, () => [
    { hz: [dice.pick([697, 770, 852, 941]), dice.pick([1209, 1336, 1477])], ms: dice.between(60, 300), dbm0 },
    { hz: [], ms: dice.between(60, 300) },
  ]).flat();
}

function tune(dice: Dice): Sounding[] {
  const dbm0 = dice.pick(LEVELS_DBM0);
  const note = (step: number): Sounding => ({
    hz: [523 * 2 ** (step / 12)],
    ms: dice.between(120, 350),
    dbm0,
  });
  return [lead(dice), ...[0, 4, 7, 12, 7, 4, 0].map(note), { hz: [], ms: 1500 }];
}

function lead(dice: Dice): Sounding {
  return { hz: [], ms: dice.between(200, 900) };
}

/** Plays a case `rounds` times over lines that hiss, and counts what is told. */
export function scoreTones({ name, tone, sounds }: ToneCase, rounds: number, rateHz: number): ToneScore {
  const dice = new Dice(seedOf('tones', name, rateHz));
  let [right, wrong] = [0, 0];
  const told: ToneName[] = [];
  for (let round = 0; round < rounds; round++) {
    // Below the usual level; the softest tones are 8 dB nearer to it.
    const sound = soundingsOf(sounds(dice), { rateHz, snrDb: dice.pick([40, 30, 25]) }, dice);
    const names = tonesIn(sound, rateHz).flatMap((edge) =>
      edge.type === 'tone_detected' ? [edge.tone] : [],
    );
    const others = names.filter((one) => one !== tone);
    if (tone === undefined ? names.length === 0 : names.includes(tone)) right++;
    if (others.length > 0) wrong++;
    told.push(...others);
  }
  return { right, wrong, told };
}
