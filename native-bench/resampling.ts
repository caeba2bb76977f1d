/*
 * What the resampler does to tones, for every pair of rates, as docs/media/resampling.md has it:
 * node native-bench/resampling.ts [FROM_HZ TO_HZ]
 */
import { RESAMPLED_RATES_HZ } from '../src/media/resampler/resampler.ts';
import { sweep } from './resampling/sweep.ts';

const MAIN_HZ = [8000, 16_000, 24_000, 48_000];
const CALL_HZ = [8000, 16_000];

const [from, to] = process.argv.slice(2).map(Number);
const pairs = RESAMPLED_RATES_HZ.flatMap((fromHz) =>
  RESAMPLED_RATES_HZ.map((toHz) => [fromHz, toHz] as const),
);
const wanted = pairs.filter(([fromHz, toHz]) => {
  if (from !== undefined) return fromHz === from && toHz === to;
  const isMain = MAIN_HZ.includes(fromHz) && MAIN_HZ.includes(toHz);
  return fromHz !== toHz && (isMain || CALL_HZ.includes(fromHz) || CALL_HZ.includes(toHz));
});
console.log(
  '| from, Hz | to, Hz | ripple, dB | −1 dB, Hz | −3 dB, Hz | aliases, dB | images, dB | delay, ms |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const [fromHz, toHz] of wanted) {
  const { rippleDb, minus1DbHz, minus3DbHz, aliasDb, imageDb, delayMs } = sweep(fromHz, toHz);
  const figures = [
    rippleDb.toFixed(3),
    minus1DbHz.toFixed(0),
    minus3DbHz.toFixed(0),
    aliasDb === null ? '–' : aliasDb.toFixed(1),
    imageDb.toFixed(1),
    delayMs.toFixed(2),
  ];
  console.log(`| ${[fromHz, toHz, ...figures].join(' | ')} |`);
}
