import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { invariant } from '../../../src/base/errors.ts';
import { decodeMulawInto, encodeMulawInto } from '../../../src/media/codecs/g711.ts';
import { openResampler } from '../../../src/media/resampler/resampler.ts';
import { readWav } from '../../../src/media/wav.ts';

/** The repository's speech: somebody who says hello, over and over. */
export function agentVoice(sampleRateHz = 8000): Int16Array {
  const wav = readWav(readFileSync(resolve(import.meta.dirname, '../../../samples/hello.wav')));
  invariant('samples' in wav, 'the sample is a WAV file');
  const samples = wav.samples.subarray(0, wav.samples.length - (wav.samples.length % 160));
  if (sampleRateHz === 8000) return samples;
  const resampler = openResampler(8000, sampleRateHz);
  const whole = new Int16Array((samples.length * sampleRateHz) / 8000);
  const frame = new Int16Array(sampleRateHz / 50);
  for (let at = 0; at < samples.length; at += 160) {
    resampler.resampleInto(samples.subarray(at, at + 160), 160, frame);
    whole.set(frame, (at / 160) * frame.length);
  }
  return whole;
}

/** Somebody else: the same words a third higher and faster, from another place, and quieter by so much. */
export function callerVoice(agent: Int16Array, levelDb: number): Int16Array {
  const gain = 10 ** (levelDb / 20);
  return Int16Array.from({ length: agent.length }, (_, i) => {
    const at = (i * 1.25 + agent.length / 3) % (agent.length - 1);
    const k = Math.floor(at);
    return gain * (agent[k]! * (k + 1 - at) + agent[k + 1]! * (at - k));
  });
}

/** A path back over a telephone line: some reflections, noise, and µ-law on top of it. */
export function echoOf(
  voice: Int16Array,
  path: { delaySamples: number; gainDb: number; seed: number },
): Int16Array {
  const gain = 10 ** (path.gainDb / 20);
  let state = path.seed;
  const noise = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return 20 * (state / 2 ** 32 - 0.5);
  };
  const reflections = [
    [0, 0.88],
    [9, 0.35],
    [23, -0.26],
    [40, 0.13],
  ] as const;
  const echo = Float64Array.from({ length: voice.length }, () => noise());
  for (const [later, share] of reflections) {
    const delay = path.delaySamples + later;
    const whole = Math.ceil(delay);
    const part = whole - delay;
    for (let i = whole; i < echo.length; i++) {
      echo[i]! += gain * share * (voice[i - whole]! * (1 - part) + voice[i - whole + 1]! * part);
    }
  }
  return Int16Array.from(echo, Math.round);
}

/** Two voices on one line, as G.711 carries them. */
export function onTheLine(one: Int16Array, other?: Int16Array): Int16Array {
  const sum = Int16Array.from(one, (sample, i) =>
    Math.max(-32_768, Math.min(32_767, sample + (other?.[i] ?? 0))),
  );
  const codes = new Uint8Array(sum.length);
  encodeMulawInto(sum, codes);
  decodeMulawInto(codes, codes.length, sum);
  return sum;
}
