/*
 * The house's resampler beside plain JavaScript with the same filters and beside speexdsp in C, in turn:
 * node native-bench/resampling-peers.ts   (needs gcc and libspeexdsp-dev)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { filterBank, openResampler } from '../src/media/resampler/resampler.ts';
import { readSpeech } from './load/speech.ts';
import { plainResampler } from './resampling/plain-javascript.ts';

const PAIRS = [
  [8000, 16_000],
  [16_000, 8000],
  [8000, 24_000],
  [24_000, 8000],
  [8000, 48_000],
  [48_000, 8000],
  [16_000, 24_000],
  [24_000, 16_000],
  [16_000, 48_000],
  [48_000, 16_000],
  [24_000, 48_000],
  [48_000, 24_000],
  [22_050, 8000],
  [44_100, 16_000],
] as const;
/** Of speexdsp: 48, 80, 128 and 256 taps at the lower rate (its `quality_map`). */
const QUALITIES = [3, 5, 7, 10];
const REPEATS = 7;
const FRAMES = 4000;
const SOURCE = resolve(import.meta.dirname, 'peers/speexdsp-resampler.c');

const folder = mkdtempSync(join(tmpdir(), 'omnivoice-peer-'));
try {
  const peer = join(folder, 'speexdsp-resampler');
  execFileSync('gcc', ['-O3', '-march=native', '-o', peer, SOURCE, '-lspeexdsp', '-lm']);
  const names = ['ours', 'plain JS', ...QUALITIES.map((quality) => `speexdsp ${quality}`)];
  console.log(`| from, Hz | to, Hz | taps | ${names.join(', µs | ')}, µs | ours / speexdsp 5 |`);
  console.log(`|${' --- |'.repeat(names.length + 4)}`);
  for (const [fromHz, toHz] of PAIRS) report(peer, fromHz, toHz);
} finally {
  rmSync(folder, { recursive: true });
}

function report(peer: string, fromHz: number, toHz: number): void {
  const speech = readSpeech().samples;
  const frames = Array.from({ length: 50 }, (_, index) =>
    speech.slice((index * fromHz) / 50 / 8, (index * fromHz) / 50 / 8 + fromHz / 50),
  );
  const target = new Int16Array(toHz / 50);
  const [ours, plain] = [openResampler(fromHz, toHz), plainResampler(fromHz, toHz)];
  const runs: (() => number)[] = [
    () => timed(frames, (frame) => ours.resampleInto(frame, frame.length, target)),
    () => timed(frames, (frame) => plain(frame, target)),
    ...QUALITIES.map((quality) => () => {
      const words = [fromHz, toHz, quality, FRAMES].map(String);
      return Number(execFileSync(peer, words, { encoding: 'utf8' })) / 1000;
    }),
  ];
  const found = runs.map((): number[] => []);
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    for (const [index, run] of runs.entries()) {
      const us = run();
      if (repeat >= 0) found[index]!.push(us);
    }
  }
  const medians = found.map((us) => us.toSorted((a, b) => a - b)[REPEATS >> 1]!);
  const besideSpeex = medians[0]! / medians[2 + QUALITIES.indexOf(5)]!;
  const figures = [...medians, besideSpeex].map((figure) => figure.toFixed(2));
  console.log(`| ${[fromHz, toHz, filterBank(fromHz, toHz).taps, ...figures].join(' | ')} |`);
}

function timed(frames: readonly Int16Array[], run: (frame: Int16Array) => void): number {
  const startedAtMs = performance.now();
  for (let index = 0; index < FRAMES; index++) run(frames[index % frames.length]!);
  return ((performance.now() - startedAtMs) * 1000) / FRAMES;
}
