import {
  decodeAlawInto,
  decodeMulawInto,
  encodeAlawInto,
  encodeMulawInto,
} from '../../src/media/codecs/g711.ts';
import {
  decodeL16BigInto,
  decodeL16LittleInto,
  encodeL16BigInto,
  encodeL16LittleInto,
} from '../../src/media/codecs/l16.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import { FrameCutter } from '../../src/media/frame-cutter.ts';
import { loadFvad } from '../../src/media/voice/fvad-detector.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { FRAME_SAMPLES, type Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

const FRAME_MS = 20;

/** Everything of `media/` that is called for each frame. */
export async function mediaKernels(speech: Speech): Promise<Kernel[]> {
  return [
    ...g711Kernels(speech),
    ...l16Kernels(speech),
    cutterKernel(speech),
    ...(await voiceKernels(speech)),
    jitterKernel(speech, 0),
    jitterKernel(speech, 60),
  ];
}

function g711Kernels(speech: Speech): Kernel[] {
  const mulaw = framesOf(speech.mulaw);
  const alaw = framesOf(speech.alaw);
  const samples = framesOf(speech.samples);
  const pcm = new Int16Array(FRAME_SAMPLES);
  const codes = new Uint8Array(FRAME_SAMPLES);
  // The least that could be: every byte moved into a sample, and back, without a table.
  const copyIn = { name: 'TypedArray.set', run: (i: number) => pcm.set(at(mulaw, i)) };
  const copyOut = { name: 'TypedArray.set', run: (i: number) => codes.set(at(samples, i)) };
  return [
    {
      name: 'µ-law decode, 160',
      run: (i) => decodeMulawInto(at(mulaw, i), FRAME_SAMPLES, pcm),
      peer: copyIn,
    },
    { name: 'µ-law encode, 160', run: (i) => encodeMulawInto(at(samples, i), codes), peer: copyOut },
    { name: 'A-law decode, 160', run: (i) => decodeAlawInto(at(alaw, i), FRAME_SAMPLES, pcm), peer: copyIn },
    { name: 'A-law encode, 160', run: (i) => encodeAlawInto(at(samples, i), codes), peer: copyOut },
  ];
}

function l16Kernels({ samples }: Speech): Kernel[] {
  const little = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const bytes = Array.from({ length: samples.length / FRAME_SAMPLES }, (_, frame) =>
    little.slice(frame * 2 * FRAME_SAMPLES, (frame + 1) * 2 * FRAME_SAMPLES),
  );
  const frames = framesOf(samples);
  const pcm = new Int16Array(FRAME_SAMPLES);
  const wire = new Uint8Array(2 * FRAME_SAMPLES);
  const move = { name: 'TypedArray.set', run: (i: number) => wire.set(at(bytes, i)) };
  return [
    {
      name: 'L16 little decode, 160',
      run: (i) => decodeL16LittleInto(at(bytes, i), 2 * FRAME_SAMPLES, pcm),
      peer: move,
    },
    { name: 'L16 little encode, 160', run: (i) => encodeL16LittleInto(at(frames, i), wire), peer: move },
    {
      name: 'L16 big decode, 160',
      run: (i) => decodeL16BigInto(at(bytes, i), 2 * FRAME_SAMPLES, pcm),
      peer: move,
    },
    { name: 'L16 big encode, 160', run: (i) => encodeL16BigInto(at(frames, i), wire), peer: move },
  ];
}

function cutterKernel({ mulaw }: Speech): Kernel {
  const frames = framesOf(mulaw);
  const target = new Uint8Array(FRAME_SAMPLES);
  const cutter = new FrameCutter(FRAME_SAMPLES);
  return {
    name: 'cutter, a whole frame',
    run: (i) => {
      cutter.push(at(frames, i), FRAME_SAMPLES);
      while (cutter.next());
    },
    peer: { name: 'TypedArray.set', run: (i) => target.set(at(frames, i)) },
  };
}

async function voiceKernels({ samples }: Speech): Promise<Kernel[]> {
  const fvad = await loadFvad();
  const hops = framesOf(samples, FRAME_SAMPLES / 2);
  const frames = framesOf(samples);
  const detector = fvad.open(8000, VOICE_DEFAULTS.aggressiveness);
  const wideband = fvad.open(16_000, VOICE_DEFAULTS.aggressiveness);
  const edges = new VoiceEdges(fvad.open(8000, VOICE_DEFAULTS.aggressiveness), VOICE_DEFAULTS);
  return [
    { name: 'fvad, a hop of 10 ms at 8 kHz', run: (i) => detector.isVoice(at(hops, i)) },
    // The same samples at twice the rate: what they say matters less than how many they are.
    { name: 'fvad, a hop of 10 ms at 16 kHz', run: (i) => wideband.isVoice(at(frames, i)) },
    { name: 'voice edges, a frame at 8 kHz', run: (i) => edges.hear(at(frames, i), i * FRAME_MS) },
  ];
}

function jitterKernel({ samples }: Speech, targetMs: number): Kernel {
  const frames = framesOf(samples);
  const played = new Int16Array(FRAME_SAMPLES);
  const copy = new Int16Array(FRAME_SAMPLES);
  const jitter = new FixedJitterBuffer({ sampleRateHz: 8000, targetMs });
  return {
    name: `jitter insert + play, target ${targetMs} ms`,
    run: (i) => {
      jitter.insert(at(frames, i), i & 0xffff, i * FRAME_SAMPLES, i * FRAME_MS);
      while (jitter.playInto(i * FRAME_MS, played) !== 'waiting') if (targetMs > 0) break;
    },
    peer: {
      name: 'in and out by set',
      run: (i) => {
        copy.set(at(frames, i));
        played.set(copy);
      },
    },
  };
}

function framesOf<T extends Uint8Array | Int16Array>(whole: T, frameSamples = FRAME_SAMPLES): T[] {
  const count = Math.floor(whole.length / frameSamples);
  return Array.from(
    { length: count },
    (_, frame) => whole.slice(frame * frameSamples, (frame + 1) * frameSamples) as T,
  );
}

function at<T>(frames: readonly T[], index: number): T {
  return frames[index % frames.length]!;
}
