import { loadFvad } from '../../src/media/voice/fvad-detector.ts';
import { OwnDetector } from '../../src/media/voice/own/own-detector.ts';
import type { VoiceDetector } from '../../src/media/voice-detector.ts';
import type { Half, RateHz } from './prompts.ts';
import { emptyTally, scoresOf, tallyTrack, type Tally } from './score.ts';
import { buildSet, type Track } from './tracks.ts';

interface Contender {
  readonly name: string;
  readonly open: (rateHz: RateHz) => VoiceDetector;
}

const MODES = [0, 1, 2, 3];

async function contenders(): Promise<Contender[]> {
  const fvad = await loadFvad();
  return [
    ...MODES.map((mode) => ({ name: `fvad ${mode}`, open: (rateHz: RateHz) => fvad.open(rateHz, mode) })),
    ...MODES.map((mode) => ({
      name: `own ${mode}`,
      open: (rateHz: RateHz) => new OwnDetector(rateHz, mode),
    })),
  ];
}

/** Tracks that stand in one row of the table. */
function groupsOf(tracks: readonly Track[]): Map<string, Track[]> {
  const groups = new Map<string, Track[]>();
  const put = (name: string, track: Track): void => {
    groups.set(name, [...(groups.get(name) ?? []), track]);
  };
  for (const track of tracks) {
    const { kind, noise, snrDb } = track;
    if (kind === 'speech') {
      put(noise === 'none' ? 'speech, no noise' : `speech, ${noise} ${snrDb} dB`, track);
      if ((noise === 'white' || noise === 'street') && snrDb >= 10)
        put('**white, street, 20 and 10 dB**', track);
    } else if (kind === 'noise') put(`${noise} alone, as at ${snrDb} dB`, track);
    else put(`${kind}: ${noise}`, track);
  }
  return groups;
}

function rowOf(name: string, group: readonly Track[], contender: Contender): string {
  const tally: Tally = emptyTally();
  for (const track of group) tallyTrack(track, () => contender.open(track.rateHz), tally);
  const scores = scoresOf(tally);
  const minutes = (tally.quietHops / 6000).toFixed(1);
  if (group[0]!.kind !== 'speech') {
    return `| ${name} | ${contender.name} | ${tally.falseReports} in ${minutes} min | ${percent(tally.falsePositives / tally.quietHops)} |`;
  }
  return `| ${[
    name,
    contender.name,
    scores.precision.toFixed(3),
    scores.recall.toFixed(3),
    scores.f1.toFixed(3),
    `${scores.delayP50Ms} / ${scores.delayP95Ms}`,
    percent(scores.onsetWithinRatio),
    `${tally.onsets - tally.openOnsets - tally.delaysMs.length} + ${tally.openOnsets} of ${tally.onsets}`,
    scores.falsePerMinute.toFixed(2),
  ].join(' | ')} |`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}

const [half = 'scoring', only = ''] = process.argv.slice(2);
const all = await contenders();
for (const rateHz of [8000, 16_000] as const) {
  const groups = groupsOf(buildSet({ half: half as Half, rateHz }));
  console.log(`\n## ${rateHz} Hz\n`);
  for (const [name, group] of groups) {
    for (const contender of all) {
      if (contender.name.includes(only)) console.log(rowOf(name, group, contender));
    }
  }
}
