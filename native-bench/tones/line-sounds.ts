import { ToneListener } from '../../src/media/tones/tone-listener.ts';
import type { ToneEdge } from '../../src/media/tones/tone-edge.ts';
import { amplitudeOfDbm0, powerOfDbm0, ratioOfDb } from '../../src/media/tones/power.ts';
import { TONE_DEFAULTS, type ToneSettings } from '../../src/media/tones/tone-settings.ts';
import type { Dice } from '../vad/dice.ts';

/** Sines at a level each, for a while; none of them is a pause. */
export interface Sounding {
  readonly hz: readonly number[];
  readonly ms: number;
  readonly dbm0?: number;
}

/** What the line adds. */
export interface Line {
  readonly rateHz: number;
  /** White noise below a tone of the level that is used when none is named. */
  readonly snrDb?: number;
}

/** Level of a tone that names none. */
export const TONE_DBM0 = -18;

/** One after another, phases left to chance. */
export function soundingsOf(parts: readonly Sounding[], { rateHz, snrDb }: Line, dice: Dice): Int16Array {
  const totalMs = parts.reduce((sum, { ms }) => sum + ms, 0);
  const sum = new Float64Array(Math.ceil((totalMs * rateHz) / 1000));
  let atMs = 0;
  for (const { hz, ms, dbm0 } of parts) {
    const from = Math.round((atMs * rateHz) / 1000);
    const to = Math.min(sum.length, Math.round(((atMs + ms) * rateHz) / 1000));
    for (const one of hz) {
      const phase = dice.between(0, 2 * Math.PI);
      const amplitude = amplitudeOfDbm0(dbm0 ?? TONE_DBM0);
      for (let i = from; i < to; i++)
        sum[i]! += amplitude * Math.sin(phase + (2 * Math.PI * one * i) / rateHz);
    }
    atMs += ms;
  }
  if (snrDb !== undefined) {
    const noise = Math.sqrt(powerOfDbm0(TONE_DBM0) * ratioOfDb(-snrDb) * (rateHz / 8000));
    for (let i = 0; i < sum.length; i++) sum[i]! += noise * dice.gauss();
  }
  return Int16Array.from(sum, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value))));
}

/** What a listener says of a sound, heard in frames of 20 ms. */
export function tonesIn(
  sound: Int16Array,
  rateHz: number,
  settings: ToneSettings = TONE_DEFAULTS,
): ToneEdge[] {
  const listener = new ToneListener(rateHz, settings);
  const frame = rateHz / 50;
  const edges: ToneEdge[] = [];
  for (let at = 0; at + frame <= sound.length; at += frame) {
    edges.push(...listener.hear(sound.subarray(at, at + frame), (at * 1000) / rateHz));
  }
  return [...edges, ...listener.finish()];
}
