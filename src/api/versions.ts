import { VoiceError } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';

interface Version {
  readonly date: string;
  /** Turns an answer of this version into one of the version before it. */
  readonly undo: (answer: JsonObject) => JsonObject;
}

// Newest first. An answer is made in the newest version and walks down to the one that was asked for.
const VERSIONS: readonly Version[] = [
  { date: '2025-11-01', undo: withoutPage },
  { date: '2025-06-01', undo: (answer) => answer },
];

/** The versions of the contract that are served, newest first. */
export const KNOWN_VERSIONS: readonly string[] = VERSIONS.map(({ date }) => date);

/** The version a request is in: what it says, else what its key was made with. */
export function versionOf(header: string | undefined, pinned: string): string {
  if (header === undefined) return KNOWN_VERSIONS.includes(pinned) ? pinned : KNOWN_VERSIONS[0]!;
  if (KNOWN_VERSIONS.includes(header)) return header;
  throw new VoiceError('unsupported_version', `known versions are ${KNOWN_VERSIONS.join(', ')}`, {
    field: 'Omniflow-Version',
  });
}

/** An answer as the given version promised it. */
export function answerIn(version: string, answer: JsonObject): JsonObject {
  let spoken = answer;
  for (const { date, undo } of VERSIONS) {
    if (date === version) break;
    spoken = undo(spoken);
  }
  return spoken;
}

/** Before 2025-11-01 lists came without `meta.page`. */
function withoutPage(answer: JsonObject): JsonObject {
  const { meta } = answer;
  if (!isObject(meta) || !('page' in meta)) return answer;
  const { page: _, ...older } = meta;
  return { ...answer, meta: older };
}
