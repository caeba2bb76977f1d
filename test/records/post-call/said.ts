import type { TranscriptSegment } from '../../../src/events/call-commands/transcript.ts';

/** One segment of a transcript. */
export function said(
  speaker: string,
  text: string,
  startMs: number | null = null,
  endMs: number | null = null,
): TranscriptSegment {
  return { speaker, text, start_ms: startMs, end_ms: endMs };
}
