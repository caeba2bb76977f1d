/*
 * Draws the pictures of docs/media/concealment.md from samples/hello.wav: node native-bench/concealment-pictures.ts
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FILLERS } from './concealment/fillers.ts';
import { pictureOf } from './concealment/picture.ts';
import { readSpeech } from './load/speech.ts';

const FOLDER = resolve(import.meta.dirname, '../docs/media/concealment');
const SAMPLE_RATE_HZ = 8000;
const FRAME_SAMPLES = 160;
// The first words of the sample; lost are single frames and bursts, in vowels, at an onset and in a pause.
const FROM_FRAME = 22;
const FRAMES = 62;
const LOST_FRAMES = [8, 15, 16, 17, 34, 37, 45, 51, 52, 53, 54, 55];

const { samples } = readSpeech();
const said = samples.subarray(FROM_FRAME * FRAME_SAMPLES, (FROM_FRAME + FRAMES) * FRAME_SAMPLES);
const lost = Uint8Array.from({ length: FRAMES }, (_, index) => (LOST_FRAMES.includes(index) ? 1 : 0));
const none = new Uint8Array(FRAMES);

mkdirSync(FOLDER, { recursive: true });
draw('said', said, none);
for (const [name, fill] of Object.entries(FILLERS)) draw(name, fill(said, SAMPLE_RATE_HZ, lost), lost);

function draw(name: string, sound: Int16Array, marked: Uint8Array): void {
  const picture = pictureOf(sound, marked, FRAME_SAMPLES);
  writeFileSync(join(FOLDER, `${name}.png`), picture);
  console.log(`${name}.png, ${picture.length} bytes`);
}
