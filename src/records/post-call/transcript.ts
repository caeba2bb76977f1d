import { numberOf, textOf } from '../../base/json.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { Envelope } from '../../events/envelope.ts';

/** What is looked at of one call: of a longer one, its beginning. */
export const SEGMENTS_MAX = 10_000;
export const CHARACTERS_MAX = 1_048_576;

/** What was said in a call, in the order it was written down. */
export interface Transcript {
  readonly segments: readonly TranscriptSegment[];
  readonly characters: number;
  /** There was more than is looked at. */
  readonly isCut: boolean;
}

/** The transcript that the events of a call tell. */
export function transcriptOf(envelopes: Iterable<Envelope>): Transcript {
  const segments: TranscriptSegment[] = [];
  let characters = 0;
  for (const { type, data } of envelopes) {
    if (type !== 'transcript_segment') continue;
    const segment = segmentOf(data);
    if (segment.text === '') continue;
    characters += segment.text.length;
    if (segments.length === SEGMENTS_MAX || characters > CHARACTERS_MAX) {
      return { segments, characters: characters - segment.text.length, isCut: true };
    }
    segments.push(segment);
  }
  return { segments, characters, isCut: false };
}

/** One segment out of the data of its event. */
export function segmentOf(data: Envelope['data']): TranscriptSegment {
  return {
    speaker: textOf(data['speaker']) ?? '',
    text: textOf(data['text']) ?? '',
    start_ms: numberOf(data['start_ms']) ?? null,
    end_ms: numberOf(data['end_ms']) ?? null,
  };
}
