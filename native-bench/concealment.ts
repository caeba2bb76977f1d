/*
 * How far concealment is from what was said, beside silence and repetition of the last frame, on recordings of
 * speech, and what stretching does to them: node native-bench/concealment.ts FOLDER [SECONDS]
 */
import { FILLERS } from './concealment/fillers.ts';
import { burstLoss, randomLoss, type LossPattern } from './concealment/losses.ts';
import { Judge } from './concealment/measures.ts';
import { readRecordings } from './concealment/recordings.ts';
import { measureStretching, STRETCHERS } from './concealment/stretching.ts';

const LOSSES = [0.01, 0.03, 0.05, 0.1, 0.2];
const BURST_FRAMES = 3;

const [folder, seconds = '300'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node native-bench/concealment.ts FOLDER [SECONDS]');
const recordings = readRecordings(folder, Number(seconds));
const spokenSeconds = recordings.reduce(
  (sum, { samples, sampleRateHz }) => sum + samples.length / sampleRateHz,
  0,
);
console.log(`${recordings.length} recordings, ${spokenSeconds.toFixed(0)} s\n`);
console.log('| lost | filled with | segmental SNR, dB | Bark distance, dB | loudness error, % | frames |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const ratio of LOSSES) report(`${100 * ratio} % at random`, randomLoss(ratio));
for (const ratio of LOSSES) report(`${100 * ratio} % in bursts`, burstLoss(ratio, BURST_FRAMES));
console.log('\n| every 40 ms | length changed, % | left alone, % | clicks, % | Bark distance, dB |');
console.log('| --- | --- | --- | --- | --- |');
for (const name of Object.keys(STRETCHERS)) {
  const figures = measureStretching(recordings, name);
  console.log(
    `| ${name} | ${Object.values(figures)
      .map((figure: number) => figure.toFixed(2))
      .join(' | ')} |`,
  );
}

function report(name: string, pattern: LossPattern): void {
  for (const [filler, heardOf] of Object.entries(FILLERS)) {
    const judge = new Judge(recordings[0]!.sampleRateHz);
    for (const [index, { samples, sampleRateHz }] of recordings.entries()) {
      const lost = pattern(Math.floor(samples.length / (sampleRateHz / 50)), index + 1);
      judge.hear(samples, heardOf(samples, sampleRateHz, lost), lost);
    }
    const { segmentalSnrDb, barkDb, loudnessPercent, frames } = judge.distance;
    const figures = [segmentalSnrDb.toFixed(2), barkDb.toFixed(2), loudnessPercent.toFixed(2), frames];
    console.log(`| ${name} | ${filler} | ${figures.join(' | ')} |`);
  }
}
