import { ANSWER_DEFAULTS } from '../../src/media/tones/answer/answer-settings.ts';
import { answeredCall, CALL_RATE_HZ, type AnsweredCall } from './answered-calls.ts';
import { judge, type Judged } from './answers.ts';

/*
 * Who took the call? Generated calls: short hellos, long greetings, beeps, hiss. Needs espeak-ng and ffmpeg.
 *
 * node native-bench/tones/answer-score.ts [calls] [seed] [greeting ms]
 */
const BEEP_WITHIN_MS = 900;
const ANSWERS = ['human', 'machine', 'unknown'] as const;

const count = Number(process.argv[2] ?? 400);
const seed = Number(process.argv[3] ?? 1);
const settings = { ...ANSWER_DEFAULTS, greetingMs: Number(process.argv[4] ?? ANSWER_DEFAULTS.greetingMs) };
const calls = Array.from({ length: count }, (_, number) => {
  const call = answeredCall(number, seed);
  return { call, judged: judge(call.samples, CALL_RATE_HZ, settings) };
});

console.log(`seed ${seed}, ${count} calls, greeting ${settings.greetingMs} ms\n`);
console.log('| taken by | human | machine | unknown | precision | recall | decided p50 / p95 ms |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const who of ['human', 'machine'] as const) {
  const own = calls.filter(({ call }) => call.who === who);
  const toldSo = calls.filter(({ judged }) => judged.answer.result === who);
  const counts = ANSWERS.map((answer) => own.filter(({ judged }) => judged.answer.result === answer).length);
  const right = counts[ANSWERS.indexOf(who)]!;
  const delays = own.map(({ judged }) => judged.answer.decidedMs).toSorted((a, b) => a - b);
  const times = `${quantile(delays, 0.5)} / ${quantile(delays, 0.95)}`;
  const scores = [(right / toldSo.length).toFixed(3), (right / own.length).toFixed(3)];
  console.log(`| ${[who, ...counts, ...scores, times].join(' | ')} |`);
}
const beeps = calls.map(({ call, judged }) => beepsOf(call, judged));
const [hits, told, sent] = [0, 1, 2].map((at) => beeps.reduce((sum, one) => sum + one[at]!, 0)) as [
  number,
  number,
  number,
];
console.log(
  `\nbeeps: ${sent} sent, precision ${(hits / told).toFixed(3)}, recall ${(hits / sent).toFixed(3)}\n`,
);
for (const { call, judged } of calls) {
  if (judged.answer.result !== call.who) console.log(`- ${call.who}, “${call.name}”: ${judged.answer.cause}`);
}

/** Beeps that were told right, told at all, and sent. */
function beepsOf({ beepEndsMs }: AnsweredCall, { tones }: Judged): readonly [number, number, number] {
  const found = tones.filter((edge) => edge.type === 'tone_detected');
  if (beepEndsMs === undefined) return [0, found.length, 0];
  const isIt = found.some(
    ({ tone, atMs }) => tone === 'beep' && Math.abs(atMs - beepEndsMs) < BEEP_WITHIN_MS,
  );
  return [isIt ? 1 : 0, found.length, 1];
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
