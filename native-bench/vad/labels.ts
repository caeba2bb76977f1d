import { hopPowers, ratioOf } from './levels.ts';

/** Active level that every prompt is brought to: the nominal one of telephony tests (ITU-T P.830 §7.2). */
export const ACTIVE_DBFS = -26;
/** How far below the active level sound is still speech. */
export const MARGIN_DB = 20;
/** Pauses inside a word (the closure of a stop consonant) belong to it. */
const FILLED_GAP_HOPS = 8;
/** A click is not speech. */
const RUN_HOPS_MIN = 3;
/** ITU-T P.56 counts as active what is above 15.9 dB below the active level. */
const P56_MARGIN_DB = 15.9;

/** Active level as a root mean square, in the manner of ITU-T P.56: the mean of what is within its margin. */
export function activeRms(samples: Float32Array, hopSamples: number): number {
  const powers = hopPowers(samples, hopSamples);
  const margin = ratioOf(-P56_MARGIN_DB) ** 2;
  let active = powers.reduce((sum, power) => sum + power, 0) / Math.max(1, powers.length);
  for (let round = 0; round < 20; round++) {
    const loud = powers.filter((power) => power > active * margin);
    active = loud.reduce((sum, power) => sum + power, 0) / Math.max(1, loud.length);
  }
  return Math.sqrt(active);
}

/** 1 for every hop that is speech, told from the clean sound alone, whose active level is `ACTIVE_DBFS`. */
export function labelsOf(clean: Float32Array, hopSamples: number, marginDb = MARGIN_DB): Uint8Array {
  const least = ratioOf(ACTIVE_DBFS - marginDb) ** 2;
  const labels = Uint8Array.from(hopPowers(clean, hopSamples), (power) => (power >= least ? 1 : 0));
  flipShortRuns(labels, 0, FILLED_GAP_HOPS);
  flipShortRuns(labels, 1, RUN_HOPS_MIN - 1);
  return labels;
}

/** Turns every run of `value` that is at most `hopsMax` long; a run at either end stays. */
function flipShortRuns(labels: Uint8Array, value: 0 | 1, hopsMax: number): void {
  let from = 0;
  for (let at = 1; at <= labels.length; at++) {
    if (at < labels.length && labels[at] === labels[from]) continue;
    const isInner = from > 0 && at < labels.length;
    if (labels[from] === value && at - from <= hopsMax && isInner) labels.fill(1 - value, from, at);
    else if (at < labels.length) {
      from = at;
      continue;
    }
    from = at;
  }
}
