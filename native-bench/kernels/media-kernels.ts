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
import { AdaptiveJitterBuffer } from '../../src/media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import type { JitterBuffer } from '../../src/media/jitter/jitter-buffer.ts';
import { FrameCutter } from '../../src/media/frame-cutter.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { VOICE_DEFAULTS, type DetectorName } from '../../src/media/voice-detector.ts';
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
    adaptiveKernel(speech, { maxMs: 0, lostEvery: Infinity }),
    adaptiveKernel(speech, { maxMs: 200, lostEvery: Infinity }),
    adaptiveKernel(speech, { maxMs: 200, lostEvery: 20 }),
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

/** A whole frame through each detector, ours beside the WebRTC one. */
async function voiceKernels({ samples }: Speech): Promise<Kernel[]> {
  const detectors = await loadDetectors();
  const hops = framesOf(samples, FRAME_SAMPLES / 2);
  // The same samples at twice the rate: what they say matters less than how many they are.
  const wideHops = framesOf(samples);
  const frames = framesOf(samples);
  const ears = (detector: DetectorName, sampleRateHz: number, heard: readonly Int16Array[]) => {
    const opened = detectors.open(sampleRateHz, { ...VOICE_DEFAULTS, detector });
    const hear = (i: number): void => {
      opened.isVoice(at(heard, 2 * i));
      opened.isVoice(at(heard, 2 * i + 1));
    };
    return { name: `${detector}, a frame at ${sampleRateHz / 1000} kHz`, run: hear };
  };
  const edges = (detector: DetectorName) => {
    const settings = { ...VOICE_DEFAULTS, detector };
    const opened = new VoiceEdges(detectors.open(8000, settings), settings);
    const hear = (i: number) => opened.hear(at(frames, i), i * FRAME_MS);
    return { name: `voice edges over ${detector}, a frame at 8 kHz`, run: hear };
  };
  return [
    { ...ears('own', 8000, hops), peer: ears('fvad', 8000, hops) },
    { ...ears('own', 16_000, wideHops), peer: ears('fvad', 16_000, wideHops) },
    { ...edges('own'), peer: edges('fvad') },
  ];
}

function jitterKernel({ samples }: Speech, targetMs: number): Kernel {
  return {
    name: `jitter insert + play, target ${targetMs} ms`,
    run: jitterRun(samples, new FixedJitterBuffer({ sampleRateHz: 8000, targetMs })),
    peer: {
      name: 'in and out by set',
      run: copyRun(samples),
    },
  };
}

/** The adaptive buffer as a leg without a clock, with one, and on a line that loses frames. */
function adaptiveKernel({ samples }: Speech, options: { maxMs: number; lostEvery: number }): Kernel {
  const { maxMs, lostEvery } = options;
  const way =
    maxMs === 0 ? 'no clock' : lostEvery === Infinity ? 'perfect pacing' : `every ${lostEvery}th lost`;
  return {
    name: `adaptive jitter insert + play, ${way}`,
    run: jitterRun(samples, new AdaptiveJitterBuffer({ sampleRateHz: 8000, maxMs }), lostEvery),
    peer: {
      name: `fixed, target ${Math.min(60, maxMs)} ms`,
      run: jitterRun(
        samples,
        new FixedJitterBuffer({ sampleRateHz: 8000, targetMs: Math.min(60, maxMs) }),
        lostEvery,
      ),
    },
  };
}

function jitterRun(samples: Int16Array, jitter: JitterBuffer, lostEvery = Infinity): (index: number) => void {
  const frames = framesOf(samples);
  const played = new Int16Array(FRAME_SAMPLES);
  return (i) => {
    const nowMs = i * FRAME_MS;
    if (lostEvery === Infinity || i % lostEvery !== 0) {
      jitter.insert(at(frames, i), i & 0xffff, i * FRAME_SAMPLES, nowMs);
    }
    while (jitter.playInto(nowMs, played) !== 'waiting') if (jitter.targetMs > 0) break;
  };
}

function copyRun(samples: Int16Array): (index: number) => void {
  const frames = framesOf(samples);
  const played = new Int16Array(FRAME_SAMPLES);
  const copy = new Int16Array(FRAME_SAMPLES);
  return (i) => {
    copy.set(at(frames, i));
    played.set(copy);
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
