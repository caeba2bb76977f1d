import type { Refusal } from '../../base/errors.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../../base/json.ts';
import { firstRefusal, sure, text, wrong } from './arguments.ts';

/** Somebody else has written down what was said. */
export interface AddTranscriptCommand {
  readonly name: 'add_transcript';
  readonly segments: readonly TranscriptSegment[];
}

export interface TranscriptSegment {
  readonly speaker: string;
  readonly text: string;
  readonly start_ms: number | null;
  readonly end_ms: number | null;
}

const SEGMENT_CHARACTERS_MAX = 8_192;
const SEGMENTS_MAX = 500;

export function readTranscript(args: JsonObject): AddTranscriptCommand | Refusal {
  const value = args['segments'];
  if (!Array.isArray(value) || value.length === 0 || value.length > SEGMENTS_MAX) {
    return wrong('segments', `must be a list of 1 to ${SEGMENTS_MAX}`);
  }
  const segments: TranscriptSegment[] = [];
  for (const given of value as readonly unknown[]) {
    if (!isObject(given)) return wrong('segments', 'has something that is no object');
    const said = textOf(given['text']);
    const speaker = text(given, 'speaker');
    if (said === undefined || said.length > SEGMENT_CHARACTERS_MAX) {
      return wrong('segments', `needs a text of at most ${SEGMENT_CHARACTERS_MAX} characters in each`);
    }
    const refusal = firstRefusal(speaker);
    if (refusal !== undefined) return refusal;
    segments.push({
      speaker: sure(speaker),
      text: said,
      start_ms: numberOf(given['start_ms']) ?? null,
      end_ms: numberOf(given['end_ms']) ?? null,
    });
  }
  return { name: 'add_transcript', segments };
}
