import { Concealer } from '../../../src/media/conceal/concealer.ts';
import { TimeStretch } from '../../../src/media/stretch/time-stretch.ts';
import { readHello } from '../../fakes/hello.ts';

/*
 * Concealment and stretching of many frames, run as a process of its own: started with a young generation so
 * large that nothing is collected in between, it prints by how many bytes the heap grew for each frame.
 */
const WARM_UP_FRAMES = 20_000;
const MEASURED_FRAMES = 30_000;
const FRAME_SAMPLES = 160;

const { samples } = readHello();
const frames = Array.from({ length: Math.floor(samples.length / FRAME_SAMPLES) - 1 }, (_, index) =>
  samples.slice(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES),
);
const frame = new Int16Array(FRAME_SAMPLES);
const pair = new Int16Array(2 * FRAME_SAMPLES);
const target = new Int16Array(4 * FRAME_SAMPLES);
const concealer = new Concealer(8000);
const stretch = new TimeStretch(8000, concealer.background);

/** A tenth is lost, alone and in threes; a tenth is a pause. */
function conceal(index: number): void {
  const turn = index % 40;
  if (turn === 5 || (turn >= 20 && turn < 23)) concealer.concealInto(frame);
  else if (turn >= 30 && turn < 34) concealer.comfortInto(frame);
  else {
    frame.set(frames[index % frames.length]!);
    concealer.hear(frame);
  }
}

function stretchPair(index: number): void {
  pair.set(frames[index % frames.length]!);
  pair.set(frames[(index + 1) % frames.length]!, FRAME_SAMPLES);
  if (index % 2 === 0) stretch.shortenInto(pair, pair.length, target);
  else stretch.lengthenInto(pair, pair.length, target);
}

function bytesPerFrame(run: (index: number) => void): number {
  for (let index = 0; index < WARM_UP_FRAMES; index++) run(index);
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < MEASURED_FRAMES; index++) run(index);
  return (process.memoryUsage().heapUsed - before) / MEASURED_FRAMES;
}

const grown = { concealing: bytesPerFrame(conceal), stretching: bytesPerFrame(stretchPair) };
process.stdout.write(JSON.stringify({ ...grown, ...concealer.stats, ...stretch.stats }));
