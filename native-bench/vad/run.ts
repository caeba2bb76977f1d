import { openResampler } from '../../src/media/resampler/resampler.ts';
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
    const { kind, noise, snrDb, voice } = track;
    if (kind === 'speech') {
      if (voice === 'unheard')
        put(`an unheard voice, ${noise === 'none' ? 'no noise' : 'all noises'}`, track);
      put(noise === 'none' ? 'speech, no noise' : `speech, ${noise} ${snrDb} dB`, track);
      if ((noise === 'white' || noise === 'street') && snrDb >= 10)
        put('**white, street, 20 and 10 dB**', track);
    } else if (kind === 'noise') put(snrDb === 0 ? noise : `${noise} alone, as at ${snrDb} dB`, track);
    else put(`${kind}: ${noise}`, track);
  }
  return groups;
}

const SPEECH_HEAD = [
  '| sound | detector | precision | recall | F1 | p50 / p95 ms | within 20 ms | missed + open | false / min |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
];
const SPEECHLESS_HEAD = [
  '| sound | detector | reports | hops taken for voice |',
  '| --- | --- | --- | --- |',
];

function tallyOf(group: readonly Track[], contender: Contender): Tally {
  const tally = emptyTally();
  for (const track of group) tallyTrack(track, () => contender.open(track.rateHz), tally);
  return tally;
}

function speechRow(name: string, contender: Contender, tally: Tally): string {
  const scores = scoresOf(tally);
  const missed = tally.onsets - tally.openOnsets - tally.delaysMs.length;
  return rowOf([
    name,
    contender.name,
    scores.precision.toFixed(3),
    scores.recall.toFixed(3),
    scores.f1.toFixed(3),
    `${scores.delayP50Ms} / ${scores.delayP95Ms}`,
    percent(scores.onsetWithinRatio),
    `${missed} + ${tally.openOnsets} of ${tally.onsets}`,
    scores.falsePerMinute.toFixed(2),
  ]);
}

function speechlessRow(name: string, contender: Contender, tally: Tally): string {
  const minutes = (tally.quietHops / 6000).toFixed(1);
  const taken = percent(tally.falsePositives / tally.quietHops);
  return rowOf([name, contender.name, `${tally.falseReports} in ${minutes} min`, taken]);
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(0)} %`;
}

/** Both tables of a rate, as they stand in the documentation. */
function tablesOf(groups: ReadonlyMap<string, readonly Track[]>, all: readonly Contender[]): string[] {
  const speech = [...SPEECH_HEAD];
  const speechless = [...SPEECHLESS_HEAD];
  for (const [name, group] of groups) {
    for (const contender of all) {
      const tally = tallyOf(group, contender);
      if (group[0]!.kind === 'speech') speech.push(speechRow(name, contender, tally));
      else speechless.push(speechlessRow(name, contender, tally));
    }
  }
  return [...speech, '', ...speechless];
}

/** The same telephone calls on a line of 16 kHz, where nothing is above the telephone band. */
function widened(track: Track): Track {
  const resampler = openResampler(8000, 16_000);
  const samples = new Int16Array(2 * track.samples.length);
  for (let at = 0; at + 160 <= track.samples.length; at += 160) {
    resampler.resampleInto(track.samples.subarray(at, at + 160), 160, samples.subarray(2 * at));
  }
  return { ...track, rateHz: 16_000, samples };
}

const LINES: { readonly [line: string]: (half: Half) => readonly Track[] } = {
  '8': (half) => buildSet({ half, rateHz: 8000 }),
  '16': (half) => buildSet({ half, rateHz: 16_000 }),
  '8 on 16': (half) => buildSet({ half, rateHz: 8000 }).map(widened),
};

// node native-bench/vad/run.ts [scoring|tuning] [part of a detector's name] ['8'|'16'|'8 on 16']
const [half = 'scoring', only = '', line] = process.argv.slice(2);
const all = (await contenders()).filter(({ name }) => name.includes(only));
for (const [name, tracksOf] of Object.entries(LINES)) {
  if (line !== undefined && line !== name) continue;
  console.log([`\n## ${name} kHz\n`, ...tablesOf(groupsOf(tracksOf(half as Half)), all)].join('\n'));
}
