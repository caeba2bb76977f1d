import { invariant } from './errors.ts';

/** Everything inside the house moves in whole frames of this length. */
export const FRAME_MS = 20;

export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Exact: throws where the duration is not a whole number of samples. */
export function msToSamples(durationMs: number, sampleRateHz: number): number {
  const samples = (durationMs * sampleRateHz) / 1000;
  invariant(Number.isInteger(samples), `${durationMs} ms is not whole samples at ${sampleRateHz} Hz`);
  return samples;
}

/** Samples in one frame: 160 at 8 kHz, 320 at 16 kHz. */
export function frameSamples(sampleRateHz: number): number {
  return msToSamples(FRAME_MS, sampleRateHz);
}
