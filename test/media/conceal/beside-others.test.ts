import { describe, expect, it } from 'vitest';
import { FILLERS } from '../../../native-bench/concealment/fillers.ts';
import { burstLoss, randomLoss, type LossPattern } from '../../../native-bench/concealment/losses.ts';
import { Judge, type Distance } from '../../../native-bench/concealment/measures.ts';
import { readHello } from '../../fakes/hello.ts';

const { samples, sampleRateHz } = readHello();
const frames = Math.floor(samples.length / (sampleRateHz / 50));
// As many losses whatever their share: some 700 of these.
const LOST_FRAMES = 700;

function distanceOf(filler: string, pattern: LossPattern, seeds: number): Distance {
  const judge = new Judge(sampleRateHz);
  for (let seed = 1; seed <= seeds; seed++) {
    const lost = pattern(frames, seed);
    judge.hear(samples, FILLERS[filler]!(samples, sampleRateHz, lost), lost);
  }
  return judge.distance;
}

describe.each([0.01, 0.03, 0.05, 0.1, 0.2])('with %f of the frames of the sample lost', (ratio) => {
  it.each([
    ['one by one', randomLoss(ratio), true],
    ['in bursts', burstLoss(ratio, 3), false],
  ])(
    '%s, what is heard is nearer to what was said than with silence or repetition',
    (_, pattern, isSingle) => {
      const seeds = Math.ceil(LOST_FRAMES / (ratio * frames));
      const ours = distanceOf('ours', pattern, seeds);
      for (const other of ['silence', 'repetition']) {
        const theirs = distanceOf(other, pattern, seeds);
        expect(ours.barkDb).toBeLessThan(theirs.barkDb);
        expect(ours.loudnessPercent).toBeLessThan(theirs.loudnessPercent);
        // Of silence the ratio is 0 dB and never less, however long it lasts: only single frames are held to it.
        const snrDbMin = isSingle || other !== 'silence' ? theirs.segmentalSnrDb : -Infinity;
        expect(ours.segmentalSnrDb).toBeGreaterThan(snrDbMin);
      }
    },
  );
});

it('the judge finds no distance where nothing was changed, and all of it in silence', () => {
  const lost = new Uint8Array(frames).fill(1, 20, 30);
  const judge = new Judge(sampleRateHz);
  judge.hear(samples, samples, lost);
  expect(judge.distance).toMatchObject({ segmentalSnrDb: 35, barkDb: 0, loudnessPercent: 0 });
});
