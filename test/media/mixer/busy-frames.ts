import { Mixer } from '../../../src/media/mixer/mixer.ts';
import { openResampler, type Resampler } from '../../../src/media/resampler/resampler.ts';
import { InterarrivalJitter } from '../../../src/media/quality/interarrival-jitter.ts';
import { readHello } from '../../fakes/hello.ts';

/*
 * Resampling and mixing of many frames, run as a process of its own: started with a young generation so large
 * that nothing is collected in between, it prints by how many bytes the heap grew for each frame.
 */
const WARM_UP_FRAMES = 20_000;
const MEASURED_FRAMES = 30_000;
const FRAME_SAMPLES = 160;
const SOURCES = 4;

const { samples } = readHello();
const frames = Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) - 1 }, (_, index) =>
  samples.slice(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES),
);
const heard = new Int16Array(FRAME_SAMPLES);
const wide = new Int16Array(6 * FRAME_SAMPLES);
const odd = new Int16Array(3 * FRAME_SAMPLES);
const back = new Int16Array(FRAME_SAMPLES + 1);
const mixer = new Mixer({ sampleRateHz: 8000, sources: SOURCES });
const changing = new Mixer({ sampleRateHz: 8000, sources: SOURCES });
const jitter = new InterarrivalJitter();
const up = openResampler(8000, 48_000);
const down = openResampler(48_000, 8000);
const toOdd = openResampler(8000, 11_025);
const fromOdd = openResampler(11_025, 8000);
let oddSamples = 0;
mixer.setGain(0, 4);
mixer.setGain(1, 0.5);

function thereAndBack(there: Resampler, home: Resampler, between: Int16Array, index: number): number {
  const made = there.resampleInto(frameAt(index), FRAME_SAMPLES, between);
  home.resampleInto(between, made, back);
  return made;
}

function resample(index: number): void {
  thereAndBack(up, down, wide, index);
  oddSamples += thereAndBack(toOdd, fromOdd, odd, index);
}

/** Four speak, one of them so loud that together they are too much at times. */
function mix(index: number): void {
  mixer.begin();
  for (let source = 0; source < SOURCES; source++) mixer.add(frameAt(index + 50 * source), source);
  mixer.takeInto(heard);
  jitter.arrived(20 * index, 20 * index + (index % 7));
}

/** One comes and goes, and one changes its gain, both far more often than in any call. */
function change(index: number): void {
  if (index % 16 === 0) changing.setGain(1, index % 32 === 0 ? 4 : 0.5);
  changing.begin();
  for (let source = 0; source < SOURCES; source++) {
    if (source !== 2 || index % 8 < 4) changing.add(frameAt(index + 50 * source), source);
  }
  changing.takeInto(heard);
}

function frameAt(index: number): Int16Array {
  return frames[index % frames.length]!;
}

function bytesPerFrame(run: (index: number) => void): number {
  for (let index = 0; index < WARM_UP_FRAMES; index++) run(index);
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < MEASURED_FRAMES; index++) run(index);
  return (process.memoryUsage().heapUsed - before) / MEASURED_FRAMES;
}

const grown = {
  resampling: bytesPerFrame(resample),
  mixing: bytesPerFrame(mix),
  changing: bytesPerFrame(change),
};
process.stdout.write(JSON.stringify({ ...grown, ...mixer.limiter.stats, oddSamples }));
