import { decodeMulawInto, encodeMulawInto } from '../../src/media/codecs/g711.ts';
import { Dice, seedOf } from './dice.ts';
import { ACTIVE_DBFS, labelsOf } from './labels.ts';
import { ratioOf, scale, toPcm, toUnitRms } from './levels.ts';
import { babbleNoise, NOISES, streetNoise, whiteNoise, type NoiseName } from './noises.ts';
import {
  readMusic,
  readPrompts,
  voicesOf,
  type Half,
  type Prompt,
  type RateHz,
  type Voice,
} from './prompts.ts';
import { toneOf, TONES } from './tones.ts';

export const SEED = 20_261_121;
/** A line is never quite silent. */
const LINE_NOISE_DBFS = { min: -76, max: -58 };
const TRACK_S = 60;
const NOISE_ONLY_S = { tuning: 120, scoring: 300 } as const;
const TONE_S = 60;
export const SNRS_DB = [20, 10, 5] as const;

/** Sound as a leg would hear it, and for each hop of 10 ms whether somebody speaks. */
export interface Track {
  readonly kind: 'speech' | 'noise' | 'tone' | 'music';
  /** The noise, the tone or the piece. */
  readonly noise: string;
  readonly snrDb: number;
  readonly voice: Voice | null;
  readonly rateHz: RateHz;
  readonly samples: Int16Array;
  readonly labels: Uint8Array;
}

export interface SetOptions {
  readonly half: Half;
  readonly rateHz: RateHz;
  readonly seed?: number;
  readonly trackS?: number;
  readonly snrsDb?: readonly number[];
}

/** All of one half at one rate: the same voices against each noise at each ratio, and what is no speech. */
export function buildSet({
  half,
  rateHz,
  seed = SEED,
  trackS = TRACK_S,
  snrsDb = SNRS_DB,
}: SetOptions): Track[] {
  const prompts = new Map(voicesOf(half, rateHz).map((voice) => [voice, readPrompts(voice, half, rateHz)]));
  const all = [...prompts.values()].flat();
  const make = { rateHz, all, seedName: `${seed}|${half}|${rateHz}` };
  const tracks: Track[] = [];
  for (const [voice, own] of prompts) {
    const dice = new Dice(seedOf(make.seedName, voice));
    const clean = placePrompts(half === 'tuning' ? asOthers(own, dice) : own, trackS, rateHz, dice);
    const labels = labelsOf(clean, rateHz / 100);
    const speech = { kind: 'speech', voice, rateHz, labels } as const;
    const quiet = onLine(clean, new Float32Array(clean.length), rateHz, dice);
    tracks.push({ ...speech, noise: 'none', snrDb: Infinity, samples: quiet });
    for (const noise of NOISES) {
      for (const snrDb of snrsDb) {
        const sound = noiseOf(
          noise,
          clean.length,
          make,
          new Dice(seedOf(make.seedName, voice, noise, snrDb)),
        );
        const samples = onLine(clean, scale(sound, ratioOf(ACTIVE_DBFS - snrDb)), rateHz, dice);
        tracks.push({ ...speech, noise, snrDb, samples });
      }
    }
  }
  return [...tracks, ...speechless(half, make)];
}

interface Making {
  readonly rateHz: RateHz;
  readonly all: readonly Prompt[];
  readonly seedName: string;
}

function speechless(half: Half, make: Making): Track[] {
  const { rateHz, seedName } = make;
  const none = { voice: null, rateHz } as const;
  const seconds = NOISE_ONLY_S[half];
  const tracks: Track[] = [];
  for (const noise of NOISES) {
    for (const snrDb of SNRS_DB) {
      const dice = new Dice(seedOf(seedName, 'alone', noise, snrDb));
      const sound = scale(noiseOf(noise, seconds * rateHz, make, dice), ratioOf(ACTIVE_DBFS - snrDb));
      tracks.push({ ...none, kind: 'noise', noise, snrDb, ...unlabelled(sound, rateHz, dice) });
    }
  }
  for (const noise of ['white', 'street'] as const) {
    const dice = new Dice(seedOf(seedName, 'steps', noise));
    const sound = stepped(noiseOf(noise, seconds * rateHz, make, dice), rateHz, dice);
    tracks.push({
      ...none,
      kind: 'noise',
      noise: `${noise} in steps`,
      snrDb: 0,
      ...unlabelled(sound, rateHz, dice),
    });
  }
  for (const tone of Object.keys(TONES)) {
    const dice = new Dice(seedOf(seedName, tone));
    const sound = scale(toneOf(tone, TONE_S * rateHz, rateHz, dice), ratioOf(dice.between(-30, -12)));
    tracks.push({ ...none, kind: 'tone', noise: tone, snrDb: Infinity, ...unlabelled(sound, rateHz, dice) });
  }
  for (const { name, samples } of readMusic(half, rateHz)) {
    const dice = new Dice(seedOf(seedName, name));
    const sound = scale(toUnitRms(samples), ratioOf(ACTIVE_DBFS));
    tracks.push({ ...none, kind: 'music', noise: name, snrDb: Infinity, ...unlabelled(sound, rateHz, dice) });
  }
  return tracks;
}

/** Noise that jumps to another level every few seconds, up or down by as much as 30 dB. */
function stepped(noise: Float32Array, rateHz: RateHz, dice: Dice): Float32Array {
  let at = 0;
  while (at < noise.length) {
    const until = at + Math.round(dice.between(3, 9) * rateHz);
    scale(noise.subarray(at, until), ratioOf(dice.between(-60, -30)));
    at = until;
  }
  return noise;
}

function unlabelled(sound: Float32Array, rateHz: RateHz, dice: Dice): Pick<Track, 'samples' | 'labels'> {
  const labels = new Uint8Array(Math.floor((100 * sound.length) / rateHz));
  return { samples: onLine(new Float32Array(sound.length), sound, rateHz, dice), labels };
}

/** Five voices stand for everyone's: each sentence is said a little faster and higher, or slower and lower. */
function asOthers(prompts: readonly Prompt[], dice: Dice): Prompt[] {
  return dice
    .shuffled(prompts)
    .slice(0, 90)
    .map(({ name, samples }) => {
      const speed = dice.between(0.72, 1.25);
      const spoken = new Float32Array(Math.floor((samples.length - 1) / speed));
      for (let i = 0; i < spoken.length; i++) {
        const at = Math.floor(i * speed);
        const share = i * speed - at;
        spoken[i] = (1 - share) * samples[at]! + share * samples[at + 1]!;
      }
      return { name, samples: spoken };
    });
}

/** Sentences with pauses between them, such that about half of it is speech. */
function placePrompts(prompts: readonly Prompt[], seconds: number, rateHz: RateHz, dice: Dice): Float32Array {
  const track = new Float32Array(seconds * rateHz);
  let at = Math.round(dice.between(0.8, 2) * rateHz);
  let spoken = 0;
  for (const { samples } of dice.shuffled(prompts)) {
    if (at + samples.length > track.length) continue;
    track.set(samples, at);
    at += samples.length;
    for (const label of labelsOf(samples, rateHz / 100)) spoken += (label * rateHz) / 100;
    const owed = Math.max(0, 2 * spoken - at);
    at += Math.round(rateHz * dice.between(0.5, 0.9) + owed * dice.between(0.7, 1.1));
  }
  return track;
}

function noiseOf(name: NoiseName, samples: number, { rateHz, all }: Making, dice: Dice): Float32Array {
  if (name === 'white') return whiteNoise(samples, dice);
  return name === 'street' ? streetNoise(samples, rateHz, dice) : babbleNoise(samples, rateHz, all, dice);
}

/** Mixes, sets how loud this caller is, adds the hum of the line; at 8 kHz goes through µ-law as calls do. */
function onLine(clean: Float32Array, noise: Float32Array, rateHz: RateHz, dice: Dice): Int16Array {
  const gain = ratioOf(dice.between(-8, 6));
  const hum = ratioOf(dice.between(LINE_NOISE_DBFS.min, LINE_NOISE_DBFS.max));
  const mixed = clean.map((sample, i) => gain * (sample + noise[i]!) + hum * dice.gauss());
  const pcm = toPcm(mixed);
  if (rateHz !== 8000) return pcm;
  const codes = new Uint8Array(pcm.length);
  encodeMulawInto(pcm, codes);
  decodeMulawInto(codes, codes.length, pcm);
  return pcm;
}
