/* Ears for keys and tones, over and over: prints how many bytes of heap a frame costs. */
import { getHeapStatistics } from 'node:v8';
import { DtmfDetector } from '../../../src/media/tones/dtmf/dtmf-detector.ts';
import { DTMF_TONE_DEFAULTS, DtmfTone } from '../../../src/media/tones/dtmf/dtmf-tone.ts';
import { ToneListener } from '../../../src/media/tones/tone-listener.ts';
import { readHello } from '../../fakes/hello.ts';

const WARM_FRAMES = 30_000;
const COUNTED_FRAMES = 60_000;
const SPEECHES = 12;
const RATE_HZ = 8000;
const FRAME = RATE_HZ / 50;

const { samples } = readHello();
// A key in two minutes of speech: what is told is garbage, and so are the numbers of code that runs too
// seldom
// to be compiled.
const key = new Int16Array(RATE_HZ / 5);
new DtmfTone('5', RATE_HZ).fillInto(key);
const sound = new Int16Array(SPEECHES * samples.length + key.length);
for (let i = 0; i < SPEECHES; i++) sound.set(samples, i * samples.length);
sound.set(key, SPEECHES * samples.length);
const frames = Array.from({ length: Math.floor(sound.length / FRAME) }, (_, i) =>
  sound.slice(i * FRAME, (i + 1) * FRAME),
);
const keys = new DtmfDetector(RATE_HZ);
const tones = new ToneListener(RATE_HZ);
const saying = new Int16Array(FRAME);
let told = 0;

const grown = {
  keys: bytesPerFrame((frame, mediaMs) => (told += keys.hear(frame, mediaMs).length)),
  tones: bytesPerFrame((frame, mediaMs) => (told += tones.hear(frame, mediaMs).length)),
  saying: sayingBytes(),
  told,
};
process.stdout.write(JSON.stringify(grown));

function bytesPerFrame(hear: (frame: Int16Array, mediaMs: number) => unknown): number {
  for (let i = 0; i < WARM_FRAMES; i++) hear(frames[i % frames.length]!, 20 * i);
  const before = getHeapStatistics().used_heap_size;
  for (let i = WARM_FRAMES; i < WARM_FRAMES + COUNTED_FRAMES; i++) hear(frames[i % frames.length]!, 20 * i);
  return (getHeapStatistics().used_heap_size - before) / COUNTED_FRAMES;
}

function sayingBytes(): number {
  const onMs = 60_000;
  const tone = new DtmfTone('1'.repeat(40), RATE_HZ, { ...DTMF_TONE_DEFAULTS, onMs });
  return bytesPerFrame(() => tone.fillInto(saying));
}
