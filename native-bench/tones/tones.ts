import { scoreTones, TONE_CASES } from './tone-calls.ts';

// node native-bench/tones/tones.ts [rounds]
const rounds = Number(process.argv[2] ?? 100);
for (const rateHz of [8000, 16_000]) {
  console.log(`\n## ${rateHz / 1000} kHz, ${rounds} lines each\n`);
  console.log('| sound | told as | right | told otherwise |\n| --- | --- | --- | --- |');
  const heard = new Map<string, { right: number; sent: number }>();
  const falsely = new Map<string, number>();
  for (const one of TONE_CASES) {
    const { right, wrong, told } = scoreTones(one, rounds, rateHz);
    const others = wrong === 0 ? '0' : `${wrong} (${[...new Set(told)].join(', ')})`;
    console.log(`| ${one.name} | ${one.tone ?? 'nothing'} | ${right} of ${rounds} | ${others} |`);
    for (const tone of told) falsely.set(tone, (falsely.get(tone) ?? 0) + 1);
    if (one.tone === undefined) continue;
    const sum = heard.get(one.tone) ?? { right: 0, sent: 0 };
    heard.set(one.tone, { right: sum.right + right, sent: sum.sent + rounds });
  }
  console.log('\n| tone | precision | recall |\n| --- | --- | --- |');
  for (const [tone, { right, sent }] of heard) {
    const precision = right / (right + (falsely.get(tone) ?? 0));
    console.log(`| ${tone} | ${precision.toFixed(3)} | ${(right / sent).toFixed(3)} |`);
  }
}
