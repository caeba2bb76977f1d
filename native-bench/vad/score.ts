import { VoiceEdges, type VoiceEdge } from '../../src/media/voice/voice-edges.ts';
import { VOICE_DEFAULTS, type VoiceDetector } from '../../src/media/voice-detector.ts';
import type { Track } from './tracks.ts';

const HOP_MS = 10;
/** An onset is one after this much quiet: by then every detector has ended what was before. */
const QUIET_BEFORE_MS = 500;
/** A report later than this is of something else. */
const REPORT_WITHIN_MS = 1000;
/** A report that touches speech within this is not false. */
const NEAR_MS = 100;
const ONSET_WITHIN_MS = 20;

/** Raw counts; of any number of tracks. */
export interface Tally {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  quietHops: number;
  onsets: number;
  /** Onsets during which a voice was already reported. */
  openOnsets: number;
  falseReports: number;
  readonly delaysMs: number[];
  readonly onsetErrorsMs: number[];
}

export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly delayP50Ms: number;
  readonly delayP95Ms: number;
  readonly onsetWithinRatio: number;
  readonly onsetErrorP50Ms: number;
  readonly missedRatio: number;
  readonly falsePerMinute: number;
}

export function emptyTally(): Tally {
  return {
    truePositives: 0,
    falsePositives: 0,
    falseNegatives: 0,
    quietHops: 0,
    onsets: 0,
    openOnsets: 0,
    falseReports: 0,
    delaysMs: [],
    onsetErrorsMs: [],
  };
}

/** Lets a detector hear a track as a leg would: its raw decisions, then what would have been reported. */
export function tallyTrack(track: Track, open: () => VoiceDetector, tally: Tally): void {
  tallyDecisions(track, open(), tally);
  tallyReports(track, open(), tally);
}

function tallyDecisions({ samples, labels }: Track, detector: VoiceDetector, tally: Tally): void {
  const { hopSamples } = detector;
  for (let hop = 0; hop < labels.length; hop++) {
    const isVoice = detector.isVoice(samples.subarray(hop * hopSamples, (hop + 1) * hopSamples));
    if (labels[hop] === 0) tally.quietHops++;
    if (isVoice && labels[hop] === 1) tally.truePositives++;
    else if (isVoice) tally.falsePositives++;
    else if (labels[hop] === 1) tally.falseNegatives++;
  }
  detector.close();
}

function tallyReports(track: Track, detector: VoiceDetector, tally: Tally): void {
  const edges = edgesOf(track, detector);
  const detected = edges.filter((edge) => edge.type === 'voice_detected');
  for (const { onsetMs, atMs } of detected) {
    if (!isSpoken(track.labels, onsetMs - NEAR_MS, atMs + NEAR_MS)) tally.falseReports++;
  }
  for (const onsetMs of onsetsOf(track.labels)) {
    tally.onsets++;
    const last = edges.findLast(({ atMs }) => atMs <= onsetMs);
    const report = detected.find(({ atMs }) => atMs > onsetMs && atMs <= onsetMs + REPORT_WITHIN_MS);
    if (last?.type === 'voice_detected') tally.openOnsets++;
    else if (report !== undefined) {
      tally.delaysMs.push(report.atMs - onsetMs);
      tally.onsetErrorsMs.push(report.onsetMs - onsetMs);
    }
  }
}

function edgesOf({ samples, rateHz }: Track, detector: VoiceDetector): VoiceEdge[] {
  const frameSamples = rateHz / 50;
  const edges = new VoiceEdges(detector, VOICE_DEFAULTS);
  const found: VoiceEdge[] = [];
  for (let frame = 0; (frame + 1) * frameSamples <= samples.length; frame++) {
    const edge = edges.hear(
      samples.subarray(frame * frameSamples, (frame + 1) * frameSamples),
      2 * HOP_MS * frame,
    );
    if (edge !== undefined) found.push(edge);
  }
  edges.close();
  return found;
}

/** Where somebody begins to speak after a while of quiet. */
export function onsetsOf(labels: Uint8Array): number[] {
  const onsets: number[] = [];
  let quietHops = 0;
  labels.forEach((label, hop) => {
    if (label === 1 && quietHops * HOP_MS >= QUIET_BEFORE_MS) onsets.push(hop * HOP_MS);
    quietHops = label === 1 ? 0 : quietHops + 1;
  });
  return onsets;
}

function isSpoken(labels: Uint8Array, fromMs: number, toMs: number): boolean {
  return labels.subarray(Math.max(0, Math.floor(fromMs / HOP_MS)), Math.ceil(toMs / HOP_MS)).includes(1);
}

export function scoresOf(tally: Tally): Scores {
  const { truePositives, falsePositives, falseNegatives } = tally;
  const within = tally.onsetErrorsMs.filter((errorMs) => Math.abs(errorMs) <= ONSET_WITHIN_MS);
  return {
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / (truePositives + falseNegatives),
    f1: (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives),
    delayP50Ms: quantile(tally.delaysMs, 0.5),
    delayP95Ms: quantile(tally.delaysMs, 0.95),
    onsetWithinRatio: within.length / tally.onsetErrorsMs.length,
    onsetErrorP50Ms: quantile(tally.onsetErrorsMs, 0.5),
    missedRatio: 1 - (tally.delaysMs.length + tally.openOnsets) / tally.onsets,
    falsePerMinute: tally.falseReports / ((tally.quietHops * HOP_MS) / 60_000),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
