import { Mixer } from '../../src/media/mixer/mixer.ts';
import { InterarrivalJitter } from '../../src/media/quality/interarrival-jitter.ts';
import { QualityWindow } from '../../src/media/quality/quality-window.ts';
import { openResampler } from '../../src/media/resampler/resampler.ts';
import type { Speech } from '../load/speech.ts';
import { plainResampler } from '../resampling/plain-javascript.ts';
import type { Kernel } from './measure.ts';

const PAIRS = [
  [8000, 16_000],
  [16_000, 8000],
  [16_000, 24_000],
  [24_000, 16_000],
  [16_000, 48_000],
  [48_000, 16_000],
  [8000, 48_000],
  [48_000, 8000],
  [22_050, 16_000],
] as const;
const SOURCES = [1, 2, 4, 16];

/** Resampling, mixing and the figures of quality; at other rates the same samples are played faster. */
export function mixKernels({ samples }: Speech): Kernel[] {
  return [
    ...PAIRS.map(([fromHz, toHz]) => resampling(samples, fromHz, toHz)),
    ...SOURCES.map((sources) => mixing(samples, sources)),
    ...judging(),
  ];
}

function resampling(samples: Int16Array, fromHz: number, toHz: number): Kernel {
  const frames = framesOf(samples, fromHz / 50);
  const target = new Int16Array(toHz / 50);
  const resampler = openResampler(fromHz, toHz);
  const plain = plainResampler(fromHz, toHz);
  return {
    name: `resample ${fromHz / 1000} to ${toHz / 1000} kHz`,
    run: (i) => resampler.resampleInto(at(frames, i), fromHz / 50, target),
    peer: { name: 'the same filter in JS', run: (i) => plain(at(frames, i), target) },
  };
}

function mixing(samples: Int16Array, sources: number): Kernel {
  const frames = framesOf(samples, 160);
  const target = new Int16Array(160);
  const mixer = new Mixer({ sampleRateHz: 8000, sources });
  return {
    name: `mix ${sources} at 8 kHz`,
    run: (i) => {
      mixer.begin();
      for (let source = 0; source < sources; source++) mixer.add(at(frames, i + 20 * source), source);
      mixer.takeInto(target);
    },
    peer: { name: 'TypedArray.set', run: (i) => target.set(at(frames, i)) },
  };
}

/** A window is told once a second, not per frame: what it allocates is its counters. */
function judging(): Kernel[] {
  const jitter = new InterarrivalJitter();
  const window = new QualityWindow({ codec: 'pcmu', startedAtMs: 0 });
  const gauges = { jitterMs: 3, bufferMs: 40, networkMs: 20 };
  return [
    { name: 'interarrival jitter, a frame', run: (i) => jitter.arrived(20 * i, 20 * i + (i % 7)) },
    {
      name: 'quality window, a second',
      run: (i) => {
        const counts = { playedFrames: 49 * i, missingFrames: i, missingRuns: i, lateFrames: 0 };
        window.observe(1000 * i, counts, gauges);
      },
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
