import { Q24_CASES, runQ24, type Q24Case, type Q24Result } from './q24.ts';

// node native-bench/tones/keys.ts [rounds of sixteen keys] [8000|16000]
const rounds = Number(process.argv[2] ?? 50);
const only = process.argv[3];
let isBroken = false;

for (const rateHz of [8000, 16_000]) {
  if (only !== undefined && only !== String(rateHz)) continue;
  console.log(`\n## ${rateHz / 1000} kHz, ${16 * rounds} keys each\n`);
  console.log('| what | key | wanted | heard | other | sure after p50 / max ms | onset ± | duration ± |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const one of Q24_CASES) {
    const result = runQ24(one, rounds, rateHz);
    console.log(rowOf(one, result));
    if (one.want === 'heard' && (result.heard < result.sent || result.wrong > 0)) isBroken = true;
    if (one.want === 'refused' && result.heard + result.wrong > 0) isBroken = true;
  }
}
process.exitCode = isBroken ? 1 : 0;

function rowOf({ group, name, want }: Q24Case, result: Q24Result): string {
  const sure = result.sureMs.toSorted((a, b) => a - b);
  const heard = `${((100 * result.heard) / result.sent).toFixed(1)} %`;
  const delay = sure.length === 0 ? '–' : `${sure[sure.length >> 1]} / ${sure.at(-1)}`;
  const cells = [group, name, want, heard, result.wrong, delay];
  return `| ${[...cells, worstOf(result.onsetErrorsMs), worstOf(result.durationErrorsMs)].join(' | ')} |`;
}

function worstOf(errors: readonly number[]): string {
  return errors.length === 0 ? '–' : Math.max(...errors.map(Math.abs)).toFixed(0);
}
