import { stat } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { soundPathOf, type PlaceOfRecording } from '../../node/recording/recording-note.ts';

/** Whether nobody has written to a recording for so long. What is not there is written by nobody. */
export async function isSilentFor(
  directory: string,
  place: PlaceOfRecording,
  silentMs: number,
  clock: Pick<Clock, 'unixMs'>,
): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(soundPathOf(directory, place));
    return clock.unixMs() - mtimeMs >= silentMs;
  } catch {
    return true;
  }
}
