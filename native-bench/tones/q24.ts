import { DtmfDetector, type KeyEdge } from '../../src/media/tones/dtmf/dtmf-detector.ts';
import { DTMF_DEFAULTS, type DtmfSettings } from '../../src/media/tones/dtmf/dtmf-settings.ts';
import { Dice, seedOf } from '../vad/dice.ts';
import { allDigits, PLAIN_KEY, soundOf, type KeySound, type SaidKeys } from './key-sounds.ts';

/** One line of the table: what is sent, and whether a receiver must hear it, must not, or may. */
export interface Q24Case {
  readonly group: string;
  readonly name: string;
  readonly want: 'heard' | 'refused' | 'either';
  /** What differs from a plain key. */
  readonly key: (dice: Dice) => Partial<KeySound>;
}

export interface Q24Result {
  readonly sent: number;
  /** Sent keys that were told once and right. */
  readonly heard: number;
  /** Told keys that nobody sent, doubles included. */
  readonly wrong: number;
  readonly sureMs: number[];
  readonly onsetErrorsMs: number[];
  readonly durationErrorsMs: number[];
}

const LAWS = ['mulaw', 'alaw'] as const;

/**
 * ITU-T Q.24, table A-1 (AT&T, and NTT where it asks for more), then noise, echoes of dial tone and the
 * codecs.
 */
export const Q24_CASES: readonly Q24Case[] = [
  ...[0, 0.5, 1, 1.5].flatMap((percent) => offsets(percent, 'heard')),
  ...[2, 3].flatMap((percent) => offsets(percent, 'either')),
  ...[3.5, 4].flatMap((percent) => offsets(percent, 'refused')),
  ...[-8, -6, -4, 0, 4, 6, 8].map((twistDb) => twist(twistDb, 'heard')),
  ...[-12, 12].map((twistDb) => twist(twistDb, 'either')),
  ...[-15, 15].map((twistDb) => twist(twistDb, 'refused')),
  ...[0, -3, -10, -20, -25, -30].map((levelDbm0) => level(levelDbm0, 'heard')),
  level(-36, 'either'),
  ...[-45, -55].map((levelDbm0) => level(levelDbm0, 'refused')),
  ...[40, 45, 50, 65, 100, 500].map((onMs) => duration(onMs, 'heard')),
  ...[26, 30, 35].map((onMs) => duration(onMs, 'either')),
  ...[5, 10, 15, 20, 23].map((onMs) => duration(onMs, 'refused')),
  ...[3, 5, 10].map((holeMs) => hole(holeMs)),
  ...[40, 50, 70].map((offMs) => pause(offMs)),
  ...[24, 20, 15, 12].map((snrDb) => noise(snrDb, 'heard')),
  ...[10, 8, 5].map((snrDb) => noise(snrDb, 'either')),
  line('noise', 'white, 5 dB, keys of 100 ms', { snrDb: 5, onMs: 100 }),
  ...LAWS.map((law) => line('codec', law, { law })),
  line('dial tone', '15 dB below each tone', { dialToneBelowDb: 15 }),
  ...LAWS.map((law) => worst(law)),
];

function offsets(percent: number, want: Q24Case['want']): Q24Case[] {
  const signed = (dice: Dice): number => dice.pick([-percent, percent]);
  const group = 'frequency';
  if (percent === 0) return [{ group, name: 'exact', want, key: () => ({}) }];
  const only = { group, want };
  return [
    { ...only, name: `low off by ${percent} %`, key: (dice) => ({ lowOffPercent: signed(dice) }) },
    { ...only, name: `high off by ${percent} %`, key: (dice) => ({ highOffPercent: signed(dice) }) },
    {
      ...only,
      name: `both off by ${percent} %`,
      key: (dice) => ({ lowOffPercent: signed(dice), highOffPercent: signed(dice) }),
    },
  ];
}

function twist(twistDb: number, want: Q24Case['want']): Q24Case {
  const name = `high tone ${twistDb} dB above the low one`;
  return { group: 'twist', name, want, key: () => ({ twistDb }) };
}

function level(levelDbm0: number, want: Q24Case['want']): Q24Case {
  return { group: 'level', name: `${levelDbm0} dBm0 each`, want, key: () => ({ levelDbm0 }) };
}

function duration(onMs: number, want: Q24Case['want']): Q24Case {
  return { group: 'duration', name: `${onMs} ms`, want, key: () => ({ onMs, offMs: 60 }) };
}

function hole(holeMs: number): Q24Case {
  const key = (): Partial<KeySound> => ({ holeMs, onMs: 100 });
  return { group: 'interruption', name: `${holeMs} ms in the middle`, want: 'heard', key };
}

function pause(offMs: number): Q24Case {
  return {
    group: 'pause',
    name: `${offMs} ms, same key again`,
    want: 'heard',
    key: () => ({ offMs, digit: '5' }),
  };
}

function noise(snrDb: number, want: Q24Case['want']): Q24Case {
  return { group: 'noise', name: `white, ${snrDb} dB`, want, key: () => ({ snrDb }) };
}

function line(group: string, name: string, key: Partial<KeySound>): Q24Case {
  return { group, name, want: 'heard', key: () => key };
}

/** Everything at its limit at once. */
function worst(law: 'mulaw' | 'alaw'): Q24Case {
  const sign = (dice: Dice): number => dice.pick([-1, 1]);
  return {
    group: 'all at once',
    name: `40 ms, ±1.5 %, ±8 dB, 20 dB of noise, −20 dBm0, ${law}`,
    want: 'heard',
    key: (dice) => ({
      onMs: 40,
      offMs: 53,
      lowOffPercent: 1.5 * sign(dice),
      highOffPercent: 1.5 * sign(dice),
      twistDb: 8 * sign(dice),
      snrDb: 20,
      levelDbm0: -20,
      law,
    }),
  };
}

/** Sends `rounds` times all sixteen keys. */
export function runQ24(
  { name, key }: Q24Case,
  rounds: number,
  rateHz: number,
  settings: DtmfSettings = DTMF_DEFAULTS,
): Q24Result {
  const dice = new Dice(seedOf('q24', name, rateHz));
  const result = { sent: 0, heard: 0, wrong: 0, sureMs: [], onsetErrorsMs: [], durationErrorsMs: [] };
  for (let round = 0; round < rounds; round++) {
    const keys = allDigits(dice).map((digit): KeySound => ({ ...PLAIN_KEY, digit, ...key(dice) }));
    tally(keys, soundOf(keys, rateHz, dice), { rateHz, settings }, result);
  }
  return result;
}

interface Tally {
  sent: number;
  heard: number;
  wrong: number;
  readonly sureMs: number[];
  readonly onsetErrorsMs: number[];
  readonly durationErrorsMs: number[];
}

function tally(
  keys: readonly KeySound[],
  { samples, leadMs }: SaidKeys,
  { rateHz, settings }: { readonly rateHz: number; readonly settings: DtmfSettings },
  into: Tally,
): void {
  const edges = edgesOf(samples, rateHz, settings);
  const pressed = edges.filter((edge) => edge.type === 'key_pressed');
  const released = edges.filter((edge) => edge.type === 'key_released');
  const totalMs = keys.reduce((sum, { onMs, offMs }) => sum + onMs + offMs, 0);
  let taken = 0;
  let atMs = leadMs;
  for (const key of keys) {
    const index = pressed.findIndex(({ onsetMs }) => Math.abs(onsetMs - atMs) < Math.max(25, key.onMs / 2));
    const press = pressed[index];
    into.sent++;
    if (press?.digit === key.digit) {
      into.heard++;
      taken++;
      into.sureMs.push(press.atMs - press.onsetMs);
      into.onsetErrorsMs.push(press.onsetMs - atMs);
      into.durationErrorsMs.push((released[index]?.durationMs ?? totalMs) - key.onMs);
    }
    atMs += key.onMs + key.offMs;
  }
  into.wrong += pressed.length - taken;
}

/** What a detector says of a sound, heard in frames of 20 ms. */
export function edgesOf(
  sound: Int16Array,
  rateHz: number,
  settings: DtmfSettings = DTMF_DEFAULTS,
): KeyEdge[] {
  const detector = new DtmfDetector(rateHz, settings);
  const frameSamples = rateHz / 50;
  const edges: KeyEdge[] = [];
  for (let at = 0; at + frameSamples <= sound.length; at += frameSamples) {
    edges.push(...detector.hear(sound.subarray(at, at + frameSamples), (at * 1000) / rateHz));
  }
  return [...edges, ...detector.finish()];
}
