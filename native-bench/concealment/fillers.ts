import { Concealer } from '../../src/media/conceal/concealer.ts';

/** What a listener hears of `sound` when the frames marked in `lost` never came. */
export type Filler = (sound: Int16Array, sampleRateHz: number, lost: Uint8Array) => Int16Array;

export const FILLERS: Readonly<Record<string, Filler>> = {
  silence: (sound, sampleRateHz, lost) => fill(sound, sampleRateHz, lost, (frame) => frame.fill(0)),
  repetition: (sound, sampleRateHz, lost) =>
    fill(sound, sampleRateHz, lost, (frame, last) => frame.set(last)),
  ours: conceal,
};

function fill(
  sound: Int16Array,
  sampleRateHz: number,
  lost: Uint8Array,
  make: (frame: Int16Array, last: Int16Array) => void,
): Int16Array {
  const heard = sound.slice();
  const samples = sampleRateHz / 50;
  let last = new Int16Array(samples);
  for (let index = 0; index < lost.length; index++) {
    const frame = heard.subarray(index * samples, (index + 1) * samples);
    if (lost[index] === 1) make(frame, last);
    last = frame;
  }
  return heard;
}

function conceal(sound: Int16Array, sampleRateHz: number, lost: Uint8Array): Int16Array {
  const concealer = new Concealer(sampleRateHz);
  const heard = sound.slice();
  const samples = sampleRateHz / 50;
  for (let index = 0; index < lost.length; index++) {
    const frame = heard.subarray(index * samples, (index + 1) * samples);
    if (lost[index] === 1) concealer.concealInto(frame);
    else concealer.hear(frame);
  }
  return heard;
}
