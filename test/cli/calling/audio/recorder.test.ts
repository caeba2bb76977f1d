import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Recorder } from '../../../../src/cli/calling/audio/recorder.ts';
import { decodeMulawInto } from '../../../../src/media/codecs/g711.ts';
import { PCMU_8K } from '../../../../src/media/format.ts';
import { readWav, type WavAudio } from '../../../../src/media/wav.ts';
import { stepsSound } from './sounds.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-recorder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { frames } = stepsSound(120);

function decoded(indexes: readonly number[]): number[] {
  return indexes.flatMap((index) => {
    const samples = new Int16Array(160);
    decodeMulawInto(frames[index]!, frames[index]!.length, samples);
    return [...samples];
  });
}

async function record(speak: (recorder: Recorder) => void): Promise<number[]> {
  const file = join(folder, 'out.wav');
  const recorder = await Recorder.open(file, PCMU_8K);
  speak(recorder);
  await recorder.close();
  const wav = readWav(readFileSync(file)) as WavAudio;
  expect(wav.sampleRateHz).toBe(8_000);
  return [...wav.samples];
}

describe('a recording', () => {
  it('is what was heard, sample by sample', async () => {
    const heard = await record((recorder) => frames.forEach((frame) => recorder.hear(frame)));
    expect(heard).toEqual(decoded(frames.map((_, i) => i)));
  });

  it('shows pauses as silence', async () => {
    const heard = await record((recorder) => {
      recorder.hear(frames[0]!);
      recorder.pause(2_500);
      recorder.hear(frames[1]!);
    });
    expect(heard).toEqual([...decoded([0]), ...Array.from({ length: 20_000 }, () => 0), ...decoded([1])]);
  });

  it.each([10, 70])('does not hold the last %i frames, which were taken back', async (takenBack) => {
    const heard = await record((recorder) => {
      for (let i = 0; i < 80; i++) recorder.hear(frames[i]!);
      recorder.takeBack(takenBack * 20);
      recorder.hear(frames[100]!);
    });
    expect(heard).toEqual(decoded([...Array.from({ length: 80 - takenBack }, (_, i) => i), 100]));
  });

  it('of nothing is an empty file that can be read', async () => {
    expect(await record((recorder) => recorder.takeBack(100))).toEqual([]);
  });

  it('says where it cannot be written', async () => {
    await expect(Recorder.open(join(folder, 'no', 'out.wav'), PCMU_8K)).rejects.toThrow(
      /cannot write .*out\.wav/,
    );
  });
});
