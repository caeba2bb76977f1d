import { soundOf, type Sound } from '../../../../src/cli/calling/audio/sound.ts';
import { PCMU_8K, type AudioFormat } from '../../../../src/media/format.ts';

/** A sound whose frames all differ: frame `i` is full of samples of a level of its own. */
export function stepsSound(frames: number, format: AudioFormat = PCMU_8K): Sound {
  const length = format.sampleRateHz / 50;
  const samples = Int16Array.from({ length: frames * length }, (_, i) => {
    const frame = Math.floor(i / length);
    return (frame % 100) * 320 + 1_000 + (i % 2) * (Math.floor(frame / 100) + 1) * 700;
  });
  return soundOf('steps', samples, format);
}
