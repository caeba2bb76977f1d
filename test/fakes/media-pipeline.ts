import { AdaptiveJitterBuffer } from '../../src/media/jitter/adaptive-jitter-buffer.ts';
import { FixedJitterBuffer } from '../../src/media/jitter/fixed-jitter-buffer.ts';
import type { JitterBuffer } from '../../src/media/jitter/jitter-buffer.ts';
import { openCodec } from '../../src/media/codecs.ts';
import { PCMU_8K } from '../../src/media/format.ts';
import { FrameCutter } from '../../src/media/frame-cutter.ts';
import { VOICE_DEFAULTS } from '../../src/media/voice-detector.ts';
import { loadDetectors } from '../../src/media/voice/detectors.ts';
import { VoiceEdges } from '../../src/media/voice/voice-edges.ts';
import { readHello } from './hello.ts';

/*
 * The way of a frame through the media room, run as a process of its own: started with a young generation so
 * large that nothing is collected in between, it prints by how many bytes the heap grew for each frame.
 */
const WARM_UP_FRAMES = 20_000;
const MEASURED_FRAMES = 50_000;

const codec = openCodec(PCMU_8K);
const hello = readHello();
const wire = new Uint8Array(hello.samples.length);
codec.encodeInto(hello.samples, wire);
const wireFrames = Math.floor(wire.length / codec.frameBytes);

const payload = new Uint8Array(codec.frameBytes);
const cutter = new FrameCutter(codec.frameBytes);
const edges = new VoiceEdges((await loadDetectors()).open(8000, VOICE_DEFAULTS), VOICE_DEFAULTS);
const frame = new Int16Array(codec.frameBytes);
const out = new Uint8Array(codec.frameBytes);

let mediaMs = 0;
let heardEdges = 0;
let playedFrames = 0;

/** Forty bytes late, so that every frame is put together from two messages, as it is in the worst case. */
function fillPayload(index: number): void {
  const at = (index % wireFrames) * payload.length + 40;
  for (let i = 0; i < payload.length; i++) payload[i] = wire[(at + i) % wire.length]!;
}

function run(jitter: JitterBuffer, frames: number): void {
  for (let index = 0; index < frames; index++) {
    fillPayload(index);
    cutter.push(payload, payload.length);
    while (cutter.next()) {
      codec.decodeInto(cutter.frame, cutter.frame.length, frame);
      if (edges.hear(frame, mediaMs) !== undefined) heardEdges++;
      // Every 50th is lost on the way, and leaves its hole.
      if (index % 50 !== 0) jitter.insert(frame, index & 0xffff, index * frame.length, mediaMs);
      while (jitter.playInto(mediaMs, frame) !== 'waiting') {
        playedFrames += codec.encodeInto(frame, out) / out.length;
        if (jitter.targetMs > 0) break;
      }
      mediaMs += 20;
    }
  }
}

function bytesPerFrame(jitter: JitterBuffer): number {
  run(jitter, WARM_UP_FRAMES);
  // The first time, code is still being compiled anew for a buffer of another kind.
  return Math.min(grownBytes(jitter), grownBytes(jitter));
}

function grownBytes(jitter: JitterBuffer): number {
  const before = process.memoryUsage().heapUsed;
  run(jitter, MEASURED_FRAMES);
  return (process.memoryUsage().heapUsed - before) / MEASURED_FRAMES;
}

const sampleRateHz = 8000;
const grown = {
  atTarget0: bytesPerFrame(new FixedJitterBuffer({ sampleRateHz, targetMs: 0 })),
  atTarget60: bytesPerFrame(new FixedJitterBuffer({ sampleRateHz, targetMs: 60 })),
  unclocked: bytesPerFrame(new AdaptiveJitterBuffer({ sampleRateHz, maxMs: 0 })),
  adaptive: bytesPerFrame(new AdaptiveJitterBuffer({ sampleRateHz })),
};
process.stdout.write(JSON.stringify({ ...grown, heardEdges, playedFrames }));
