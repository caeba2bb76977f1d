import { readPrompts, voicesOf, type Prompt, type RateHz } from '../vad/prompts.ts';
import { FULL_SCALE, ratioOf, scale } from '../vad/levels.ts';
import { edgesOf } from './q24.ts';

/*
 * Speech in which nobody presses a key: whatever is told is false. All recordings of all voices, one
 * after another, at
 * the usual level and at a loud one.
 *
 * node native-bench/tones/talk-off.ts [8000|16000]
 */
const LOUDER_DB = [0, 10];
const GAP_MS = 200;
const TARGET_MINUTES = 30;

const only = process.argv[2];
let isMissed = false;
console.log('| rate | voice | level | minutes | false keys | which |\n| --- | --- | --- | --- | --- | --- |');
for (const rateHz of [8000, 16_000] as const) {
  if (only === undefined || only === String(rateHz)) runRate(rateHz);
}
process.exitCode = isMissed ? 1 : 0;

function runRate(rateHz: RateHz): void {
  let [minutes, hits] = [0, 0];
  for (const voice of voicesOf('scoring', rateHz)) {
    const prompts = [...readPrompts(voice, 'tuning', rateHz), ...readPrompts(voice, 'scoring', rateHz)];
    for (const louderDb of LOUDER_DB) {
      const found = prompts.flatMap((prompt) => falseKeys(prompt, rateHz, louderDb));
      const spoken = prompts.reduce((sum, { samples }) => sum + samples.length / rateHz / 60, 0);
      minutes += spoken;
      hits += found.length;
      const level = `${-26 + louderDb} dBFS`;
      const cells = [`${rateHz / 1000} kHz`, voice, level, spoken.toFixed(1), found.length, found.join(', ')];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
  const per30 = (hits * TARGET_MINUTES) / minutes;
  if (per30 >= 1) isMissed = true;
  console.log(
    `| ${rateHz / 1000} kHz | all | | ${minutes.toFixed(1)} | ${hits} | ${per30.toFixed(2)} in 30 min |`,
  );
}

function falseKeys({ name, samples }: Prompt, rateHz: RateHz, louderDb: number): string[] {
  const sound = samples.slice();
  scale(sound, ratioOf(louderDb));
  const gap = Math.round((GAP_MS * rateHz) / 1000);
  const pcm = new Int16Array(sound.length + 2 * gap);
  for (let i = 0; i < sound.length; i++) {
    pcm[gap + i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sound[i]! * FULL_SCALE)));
  }
  return edgesOf(pcm, rateHz)
    .filter((edge) => edge.type === 'key_pressed')
    .map(({ digit, onsetMs }) => `${digit} at ${onsetMs} ms of ${name}`);
}
