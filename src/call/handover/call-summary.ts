import type { JsonObject } from '../../base/json.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { CallDesk } from '../call-desk.ts';
import type { HandOver } from './running-handover.ts';

/** The newest words of a call: enough to sum it up by, and few enough to be asked about in one question. */
const SEGMENTS_MAX = 120;
const CHARACTERS_MAX = 32_768;

/** What a call was about so far, and how that was found out. */
export interface CallSummary {
  readonly method: string;
  readonly text: string;
}

/** Whoever sums calls up. */
export interface Summaries {
  /** Null where nothing sums it up. It answers soon or not at all (`unavailable`), and never throws. */
  summaryOf(segments: readonly TranscriptSegment[]): Promise<CallSummary | null | 'unavailable'>;
}

/**
 * The command, and in its context what the call was about: the asker's own words, else those of the
 * transcript, else null. At once, unless somebody has to be asked.
 */
export function withSummary(desk: CallDesk, command: HandOver): HandOver | Promise<HandOver> {
  const { notes, ports, counts } = desk;
  // Models that have nothing to say leave a field empty, or null.
  const given = command.context['summary'] ?? '';
  if (given !== '') return command;
  const segments = newest(notes.transcript);
  if (segments.length === 0 || ports.summaries === undefined) return summedUp(command, null);
  return ports.summaries.summaryOf(segments).then((summary) => {
    if (summary !== 'unavailable') return summedUp(command, summary);
    counts.missingSummaries++;
    return summedUp(command, null);
  });
}

function summedUp(command: HandOver, summary: CallSummary | null): HandOver {
  const told: JsonObject | null = summary === null ? null : { ...summary };
  return { ...command, context: { ...command.context, summary: told } };
}

function newest(transcript: readonly TranscriptSegment[]): readonly TranscriptSegment[] {
  const segments: TranscriptSegment[] = [];
  let characters = 0;
  for (const segment of transcript.slice(-SEGMENTS_MAX).toReversed()) {
    characters += segment.text.length;
    if (characters > CHARACTERS_MAX) break;
    segments.unshift(segment);
  }
  return segments;
}
