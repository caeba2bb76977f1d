import { readPrompts, voicesOf, type Prompt, type RateHz } from '../vad/prompts.ts';
import { FULL_SCALE, ratioOf, scale } from '../vad/levels.ts';
import { tonesIn } from './line-sounds.ts';
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
console.log('| rate | voice | level | minutes | false keys | false tones | which |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const rateHz of [8000, 16_000] as const) {
  if (only === undefined || only === String(rateHz)) runRate(rateHz);
}
process.exitCode = isMissed ? 1 : 0;

function runRate(rateHz: RateHz): void {
  let [minutes, keys, tones] = [0, 0, 0];
  for (const voice of voicesOf('scoring', rateHz)) {
    const prompts = [...readPrompts(voice, 'tuning', rateHz), ...readPrompts(voice, 'scoring', rateHz)];
    for (const louderDb of LOUDER_DB) {
      const found = prompts.map((prompt) => falseIn(prompt, rateHz, louderDb));
      const spoken = prompts.reduce((sum, { samples }) => sum + samples.length / rateHz / 60, 0);
      const falseKeys = found.flatMap((one) => one.keys);
      const falseTones = found.flatMap((one) => one.tones);
      minutes += spoken;
      keys += falseKeys.length;
      tones += falseTones.length;
      const counts = [spoken.toFixed(1), falseKeys.length, falseTones.length];
      const which = [...falseKeys, ...falseTones].join(', ');
      tell([`${rateHz / 1000} kHz`, voice, `${-26 + louderDb} dBFS`, ...counts, which]);
    }
  }
  const per30 = (hits: number): string => ((hits * TARGET_MINUTES) / minutes).toFixed(2);
  if ((keys * TARGET_MINUTES) / minutes >= 1) isMissed = true;
  const sums = `${per30(keys)} keys, ${per30(tones)} tones in 30 min`;
  tell([`${rateHz / 1000} kHz`, 'all', '', minutes.toFixed(1), keys, tones, sums]);
}

function tell(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

interface False {
  readonly keys: readonly string[];
  readonly tones: readonly string[];
}

function falseIn({ name, samples }: Prompt, rateHz: RateHz, louderDb: number): False {
  const sound = samples.slice();
  scale(sound, ratioOf(louderDb));
  const gap = Math.round((GAP_MS * rateHz) / 1000);
  const pcm = new Int16Array(sound.length + 2 * gap);
  for (let i = 0; i < sound.length; i++) {
    pcm[gap + i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sound[i]! * FULL_SCALE)));
  }
  const keys = edgesOf(pcm, rateHz).filter((edge) => edge.type === 'key_pressed');
  const tones = tonesIn(pcm, rateHz).filter((edge) => edge.type === 'tone_detected');
  return {
    keys: keys.map(({ digit, onsetMs }) => `${digit} at ${onsetMs} ms of ${name}`),
    tones: tones.map(({ tone, onsetMs }) => `${tone} at ${onsetMs} ms of ${name}`),
  };
}
