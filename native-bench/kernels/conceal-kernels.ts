import { Concealer } from '../../src/media/conceal/concealer.ts';
import { TimeStretch } from '../../src/media/stretch/time-stretch.ts';
import type { Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

const RATES_HZ = [8000, 16_000, 48_000];

/** Concealment and stretching; at other rates the same samples are played faster, which costs the same. */
export function concealKernels({ samples }: Speech): Kernel[] {
  return RATES_HZ.flatMap((sampleRateHz) => {
    const frames = framesOf(samples, sampleRateHz / 50);
    return [...concealing(frames, sampleRateHz), ...stretching(frames, sampleRateHz)];
  });
}

function concealing(frames: readonly Int16Array[], sampleRateHz: number): Kernel[] {
  const rate = `${sampleRateHz / 1000} kHz`;
  const heard = new Int16Array(sampleRateHz / 50);
  const copied = new Int16Array(sampleRateHz / 50);
  const hearing = new Concealer(sampleRateHz);
  const losing = new Concealer(sampleRateHz);
  const pausing = new Concealer(sampleRateHz);
  for (const frame of frames) pausing.hear(frame.slice());
  return [
    {
      name: `concealer, a frame heard at ${rate}`,
      run: (i) => hearing.hear(at(frames, i)),
      peer: { name: 'TypedArray.set', run: (i) => copied.set(at(frames, i)) },
    },
    {
      name: `concealer, every other frame lost at ${rate}`,
      run: (i) => {
        heard.set(at(frames, i));
        if (i % 2 === 0) losing.hear(heard);
        else losing.concealInto(heard);
      },
    },
    { name: `comfort noise, a frame at ${rate}`, run: () => pausing.comfortInto(heard) },
  ];
}

function stretching(frames: readonly Int16Array[], sampleRateHz: number): Kernel[] {
  const rate = `${sampleRateHz / 1000} kHz`;
  const frameSamples = sampleRateHz / 50;
  const pairs = frames.slice(1).map((frame, index) => Int16Array.of(...frames[index]!, ...frame));
  const target = new Int16Array(4 * frameSamples);
  const stretch = new TimeStretch(sampleRateHz);
  return [
    {
      name: `stretch, two frames shorter at ${rate}`,
      run: (i) => stretch.shortenInto(at(pairs, i), 2 * frameSamples, target),
    },
    {
      name: `stretch, two frames longer at ${rate}`,
      run: (i) => stretch.lengthenInto(at(pairs, i), 2 * frameSamples, target),
    },
  ];
}

function framesOf(whole: Int16Array, frameSamples: number): Int16Array[] {
  return Array.from({ length: Math.floor(whole.length / frameSamples) }, (_, index) =>
    whole.slice(index * frameSamples, (index + 1) * frameSamples),
  );
}

function at(frames: readonly Int16Array[], index: number): Int16Array {
  return frames[index % frames.length]!;
}
