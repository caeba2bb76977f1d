import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationMsOf, loadSound, soundOf } from '../../../../src/cli/calling/audio/sound.ts';
import { PCMU_8K } from '../../../../src/media/format.ts';
import { writeWav } from '../../../../src/media/wav.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnivoice-sound-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a sound', () => {
  it('is cut into whole frames, the last one filled up with silence', () => {
    const sound = soundOf('x', new Int16Array(200).fill(1_000), PCMU_8K);
    expect(sound.frames.map(({ length }) => length)).toEqual([160, 160]);
    expect(sound.frames[1]!.subarray(40)).toEqual(sound.silence.subarray(40));
    expect(sound.silence).toEqual(new Uint8Array(160).fill(0xff));
    expect(durationMsOf(sound)).toBe(40);
  });

  it('is brought to the rate of the wire', () => {
    const file = join(folder, 'a.wav');
    writeFileSync(file, writeWav(new Int16Array(44_100), 44_100));
    expect(loadSound(file, PCMU_8K).frames).toHaveLength(50);
    expect(
      loadSound(file, { codec: 'l16', sampleRateHz: 16_000, littleEndian: true }).frames[0],
    ).toHaveLength(640);
  });

  it.each([
    ['nothing.wav', undefined, /cannot read .*nothing\.wav/],
    ['text.wav', Buffer.from('hello'), /text\.wav: not a readable WAV file/],
    ['empty.wav', Buffer.from(writeWav(new Int16Array(0), 8_000)), /empty\.wav holds no sound/],
  ])('cannot be had from %s, which says so', (name, content, sentence) => {
    const file = join(folder, name);
    if (content !== undefined) writeFileSync(file, content);
    expect(() => loadSound(file, PCMU_8K)).toThrow(sentence);
  });
});
