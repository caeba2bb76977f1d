import type { Dice } from './dice.ts';
import { labelsOf } from './labels.ts';
import { toUnitRms } from './levels.ts';
import type { Prompt, RateHz } from './prompts.ts';

export type NoiseName = 'white' | 'street' | 'babble';
export const NOISES: readonly NoiseName[] = ['white', 'street', 'babble'];

/** How many people talk at once in the babble. */
const TALKERS = 10;

/** White noise of unit power. */
export function whiteNoise(samples: number, dice: Dice): Float32Array {
  return toUnitRms(Float32Array.from({ length: samples }, () => dice.gauss()));
}

/**
 * A street, made: the roar of far traffic, cars that come near and pass, their tyres and engines, now and then
 * a horn far away. High-passed at 100 Hz, since rumble that no line carries would flatter the ratio.
 */
export function streetNoise(samples: number, rateHz: RateHz, dice: Dice): Float32Array {
  const street = toUnitRms(rumble(samples, rateHz, 400, dice));
  const hiss = toUnitRms(rumble(samples, rateHz, 1800, dice));
  for (let i = 0; i < samples; i++) street[i] = 0.6 * street[i]! + 0.2 * hiss[i]!;
  const cars = Math.round(samples / rateHz / 4);
  for (let car = 0; car < cars; car++) addCar(street, rateHz, dice);
  const horns = Math.round(samples / rateHz / 30);
  for (let horn = 0; horn < horns; horn++) addHorn(street, rateHz, dice);
  return toUnitRms(highPass(highPass(street, rateHz, 100), rateHz, 100));
}

/** Many people at once, none of them near; the pauses between their words are taken out. */
export function babbleNoise(
  samples: number,
  rateHz: RateHz,
  prompts: readonly Prompt[],
  dice: Dice,
): Float32Array {
  const babble = new Float32Array(samples);
  for (let talker = 0; talker < TALKERS; talker++) {
    let at = -dice.below(rateHz);
    while (at < samples) {
      const speech = withoutPauses(dice.pick(prompts).samples, rateHz);
      for (let i = Math.max(0, -at); i < speech.length && at + i < samples; i++)
        babble[at + i]! += speech[i]!;
      at += speech.length + dice.below(rateHz / 10);
    }
  }
  return toUnitRms(babble);
}

const unpaused = new WeakMap<Float32Array, Float32Array>();

function withoutPauses(samples: Float32Array, rateHz: RateHz): Float32Array {
  const known = unpaused.get(samples);
  if (known !== undefined) return known;
  const hopSamples = rateHz / 100;
  const labels = labelsOf(samples, hopSamples);
  const kept = new Float32Array(samples.length);
  let length = 0;
  labels.forEach((label, hop) => {
    if (label === 0) return;
    kept.set(samples.subarray(hop * hopSamples, (hop + 1) * hopSamples), length);
    length += hopSamples;
  });
  const out = kept.subarray(0, length);
  unpaused.set(samples, out);
  return out;
}

/** Noise under a one-pole low-pass. */
function rumble(samples: number, rateHz: RateHz, cornerHz: number, dice: Dice): Float32Array {
  const keep = Math.exp((-2 * Math.PI * cornerHz) / rateHz);
  let held = 0;
  return Float32Array.from({ length: samples }, () => (held = keep * held + (1 - keep) * dice.gauss()));
}

function addCar(street: Float32Array, rateHz: RateHz, dice: Dice): void {
  const seconds = dice.between(2, 7);
  const length = Math.round(seconds * rateHz);
  const from = dice.below(street.length) - (length >> 1);
  const gain = dice.between(0.3, 1.5);
  const tyres = toUnitRms(rumble(length, rateHz, dice.between(500, 1500), dice));
  const engineHz = dice.between(55, 110);
  let phase = 0;
  for (let i = 0; i < length; i++) {
    const at = from + i;
    // Louder as it nears; its pitch falls as it passes.
    const near = Math.sin((Math.PI * i) / length) ** 4;
    phase += (2 * Math.PI * engineHz * (1.06 - (0.12 * i) / length)) / rateHz;
    const engine =
      Math.sin(phase) + 0.6 * Math.sin(2 * phase) + 0.4 * Math.sin(3 * phase) + 0.2 * Math.sin(5 * phase);
    if (at >= 0 && at < street.length) street[at]! += gain * near * (tyres[i]! + 0.4 * engine);
  }
}

function addHorn(street: Float32Array, rateHz: RateHz, dice: Dice): void {
  const length = Math.round(dice.between(0.2, 0.8) * rateHz);
  const from = dice.below(Math.max(1, street.length - length));
  const gain = dice.between(0.1, 0.4);
  for (let i = 0; i < length; i++) {
    const edge = Math.min(1, i / (0.02 * rateHz), (length - i) / (0.05 * rateHz));
    const tones = Math.sin((2 * Math.PI * 420 * i) / rateHz) + Math.sin((2 * Math.PI * 510 * i) / rateHz);
    street[from + i]! += gain * edge * tones;
  }
}

function highPass(samples: Float32Array, rateHz: RateHz, cornerHz: number): Float32Array {
  const keep = Math.exp((-2 * Math.PI * cornerHz) / rateHz);
  let [heldIn, heldOut] = [0, 0];
  return samples.map((sample) => {
    heldOut = keep * (heldOut + sample - heldIn);
    heldIn = sample;
    return heldOut;
  });
}
