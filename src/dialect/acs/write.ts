import type { LegStarted } from '../dialect.ts';
import { MediaWriter } from '../json-media/stream/media-writer.ts';
import type { AcsSpelling } from './words.ts';

/** What is said to Azure: audio, and that what it holds is not to be played. */
export function openAcsWriter({ bidirectional }: LegStarted, { audio, stop }: AcsSpelling): MediaWriter {
  return new MediaWriter({ bidirectional, audio, clear: stop });
}
