import { DtmfDetector } from '../../src/media/tones/dtmf/dtmf-detector.ts';
import { DtmfTone } from '../../src/media/tones/dtmf/dtmf-tone.ts';
import { ToneListener } from '../../src/media/tones/tone-listener.ts';
import type { Speech } from '../load/speech.ts';
import type { Kernel } from './measure.ts';

const FRAME_MS = 20;
const RATES_HZ = [8000, 16_000];

/** Ears for keys and tones; at 16 kHz the same samples are played faster, which costs the same. */
export function toneKernels({ samples }: Speech): Kernel[] {
  return RATES_HZ.flatMap((sampleRateHz) => {
    const rate = `${sampleRateHz / 1000} kHz`;
    const frames = framesOf(samples, sampleRateHz / 50);
    const keys = new DtmfDetector(sampleRateHz);
    const pressed = new DtmfDetector(sampleRateHz);
    const tones = new ToneListener(sampleRateHz);
    const pressedFrames = framesOf(keySound(sampleRateHz), sampleRateHz / 50);
    return [
      { name: `keys, speech at ${rate}`, run: (i) => keys.hear(at(frames, i), FRAME_MS * i) },
      { name: `keys, keys at ${rate}`, run: (i) => pressed.hear(at(pressedFrames, i), FRAME_MS * i) },
      { name: `tones, speech at ${rate}`, run: (i) => tones.hear(at(frames, i), FRAME_MS * i) },
    ];
  });
}

function keySound(sampleRateHz: number): Int16Array {
  const digits = '0123456789';
  const sound = new Int16Array((digits.length * 170 * sampleRateHz) / 1000);
  new DtmfTone(digits, sampleRateHz).fillInto(sound);
  return sound;
}

function framesOf(whole: Int16Array, frameSamples: number): Int16Array[] {
  return Array.from({ length: Math.floor(whole.length / frameSamples) }, (_, index) =>
    whole.slice(index * frameSamples, (index + 1) * frameSamples),
  );
}

function at(frames: readonly Int16Array[], index: number): Int16Array {
  return frames[index % frames.length]!;
}
