import {
  decodeAlawInto,
  decodeMulawInto,
  encodeAlawInto,
  encodeMulawInto,
} from '../../src/media/codecs/g711.ts';
import { DIGITS, tonesOf } from '../../src/media/tones/dtmf/keypad.ts';
import { amplitudeOfDbm0, powerOfDbm0, ratioOfDb } from '../../src/media/tones/power.ts';
import type { Dice } from '../vad/dice.ts';

/** One key as a line may bring it. */
export interface KeySound {
  readonly digit: string;
  readonly onMs: number;
  readonly offMs: number;
  readonly levelDbm0: number;
  /** The high tone above the low one; half of it is given to each. */
  readonly twistDb: number;
  readonly lowOffPercent: number;
  readonly highOffPercent: number;
  /** Of both tones together to white noise of 0 to 4 kHz; no noise where absent. */
  readonly snrDb?: number;
  /** A hole in the middle of the key. */
  readonly holeMs?: number;
  /** Dial tone (350 and 440 Hz) so much below each tone. */
  readonly dialToneBelowDb?: number;
  readonly law?: 'mulaw' | 'alaw';
}

/** A key as it should be. */
export const PLAIN_KEY: Omit<KeySound, 'digit'> = {
  onMs: 50,
  offMs: 50,
  levelDbm0: -12,
  twistDb: 0,
  lowOffPercent: 0,
  highOffPercent: 0,
};

/** All sixteen, in a new order each time. */
export function allDigits(dice: Dice): string[] {
  return dice.shuffled(DIGITS.split(''));
}

/** Keys as samples, and where the first of them begins. */
export interface SaidKeys {
  readonly samples: Int16Array;
  readonly leadMs: number;
}

/**
 * Keys one after another with silence before and after; phases and where hops cut them are left to
 * chance.
 */
export function soundOf(keys: readonly KeySound[], rateHz: number, dice: Dice): SaidKeys {
  const leadMs = 40 + dice.between(0, 20);
  const totalMs = keys.reduce((sum, { onMs, offMs }) => sum + onMs + offMs, leadMs + 120);
  const sum = new Float64Array(20 * Math.ceil(totalMs / 20) * (rateHz / 1000));
  let atMs = leadMs;
  for (const key of keys) {
    addKey(sum, key, atMs, rateHz, dice);
    atMs += key.onMs + key.offMs;
  }
  const [first] = keys;
  if (first !== undefined) addLine(sum, first, rateHz, dice);
  const samples = Int16Array.from(sum, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value))));
  return { samples: first?.law === undefined ? samples : companded(samples, first.law), leadMs };
}

function addKey(sum: Float64Array, key: KeySound, atMs: number, rateHz: number, dice: Dice): void {
  const { lowHz, highHz } = tonesOf(key.digit)!;
  const low = { hz: lowHz * (1 + key.lowOffPercent / 100), dbm0: key.levelDbm0 - key.twistDb / 2 };
  const high = { hz: highHz * (1 + key.highOffPercent / 100), dbm0: key.levelDbm0 + key.twistDb / 2 };
  const hole = key.holeMs ?? 0;
  const holeFrom = atMs + (key.onMs - hole) / 2;
  for (const { hz, dbm0 } of [low, high]) {
    const phase = dice.between(0, 2 * Math.PI);
    const from = Math.ceil((atMs * rateHz) / 1000);
    const to = Math.ceil(((atMs + key.onMs) * rateHz) / 1000);
    for (let i = from; i < to; i++) {
      const ms = (i * 1000) / rateHz;
      if (ms >= holeFrom && ms < holeFrom + hole) continue;
      sum[i]! += amplitudeOfDbm0(dbm0) * Math.sin(phase + (2 * Math.PI * hz * i) / rateHz);
    }
  }
}

/** What is there all the time. */
function addLine(sum: Float64Array, key: KeySound, rateHz: number, dice: Dice): void {
  const bothPower =
    powerOfDbm0(key.levelDbm0 - key.twistDb / 2) + powerOfDbm0(key.levelDbm0 + key.twistDb / 2);
  // As much noise per Hz at 16 kHz as at 8.
  const noise = key.snrDb === undefined ? 0 : Math.sqrt(bothPower * ratioOfDb(-key.snrDb) * (rateHz / 8000));
  const dial = key.dialToneBelowDb === undefined ? 0 : amplitudeOfDbm0(key.levelDbm0 - key.dialToneBelowDb);
  for (let i = 0; i < sum.length; i++) {
    const angle = (2 * Math.PI * i) / rateHz;
    if (noise > 0) sum[i]! += noise * dice.gauss();
    if (dial > 0) sum[i]! += dial * (Math.sin(350 * angle) + Math.sin(440 * angle));
  }
}

function companded(samples: Int16Array, law: 'mulaw' | 'alaw'): Int16Array {
  const codes = new Uint8Array(samples.length);
  const out = new Int16Array(samples.length);
  if (law === 'mulaw') {
    encodeMulawInto(samples, codes);
    decodeMulawInto(codes, codes.length, out);
  } else {
    encodeAlawInto(samples, codes);
    decodeAlawInto(codes, codes.length, out);
  }
  return out;
}
