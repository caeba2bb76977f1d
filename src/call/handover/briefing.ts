import type { JsonObject } from '../../base/json.ts';
import type { CallDesk } from '../call-desk.ts';

/** A target reads the end of the talk, not all of it: as many words fit into one event. */
const SEGMENTS_MAX = 50;
const CHARACTERS_MAX = 16_384;

/** What whoever is to have the caller is told of the call so far; what was asked to be said comes first. */
export function briefingOf({ facts, notes, counts }: CallDesk, given: JsonObject): JsonObject {
  const { disposition, qualification } = notes;
  const transcript = lastWords(notes.transcript);
  counts.untoldSegments += notes.transcript.length - transcript.length;
  return {
    from: facts.from,
    to: facts.to,
    lead_id: facts.leadId,
    contact_id: facts.contactId,
    disposition: disposition?.disposition ?? null,
    qualification: qualification === null ? null : { score: qualification.score, met: qualification.isMet },
    transcript,
    ...given,
  };
}

function lastWords(segments: CallDesk['notes']['transcript']): readonly JsonObject[] {
  const last: JsonObject[] = [];
  let characters = 0;
  for (const { speaker, text } of segments.slice(-SEGMENTS_MAX).toReversed()) {
    characters += text.length;
    if (characters > CHARACTERS_MAX) break;
    last.unshift({ speaker, text });
  }
  return last;
}
