import { isObject, type JsonObject } from '../../base/json.ts';
import type { SupervisionMode } from '../../events/call-commands.ts';
import type { TranscriptSegment } from '../../events/call-commands/transcript.ts';
import type { LegSummary } from '../../events/catalogue.ts';
import type { EventRecord } from '../../events/envelope.ts';
import type { CallFacts } from '../facts.ts';
import type { CallNotes, Qualification } from '../notes.ts';
import type { LineFacts } from '../parties/party.ts';
import type { Seat } from '../parties/roster.ts';

/** The form that is written. A form that is not known is not read: the call cannot go on here. */
export const SNAPSHOT_VERSION = 1;

/**
 * A call as its next owner needs it: plain JSON (cluster.md §2.5). Instants are Unix milliseconds of the
 * owner that wrote them, to be read against its own `savedAtUnixMs`; durations are milliseconds. No sound,
 * no secret, and of a long transcript only its end.
 */
export interface CallSnapshot {
  readonly v: typeof SNAPSHOT_VERSION;
  readonly savedAtUnixMs: number;
  readonly facts: CallFacts;
  /** As every event of the call says it. */
  readonly startedAt: string;
  readonly lastedMs: number;
  /** Since somebody was last heard. */
  readonly silentMs: number;
  /** The highest number an event was given. */
  readonly sequence: number;
  readonly timeline: readonly SavedEntry[];
  /** Whoever is or was here, in the order they came. */
  readonly members: readonly SavedMember[];
  /** Of those that have left, so many are not among them; absent where there are none. */
  readonly forgottenMembers?: number;
  readonly decisions: SavedDecisions;
  readonly notes: SavedNotes;
  /** Of each part, by its name. */
  readonly parts: { readonly [name: string]: JsonObject };
  /** Told, and not yet acknowledged by the journal, oldest first. */
  readonly events: readonly Pick<EventRecord, 'envelope'>[];
  /** The call has changed its owner, and none of its legs is back yet. */
  readonly recovery: { readonly from: string; readonly lostAtUnixMs: number } | null;
}

/** Number, type, milliseconds after the start, and the member it is about by its place, if any. */
export type SavedEntry =
  | readonly [sequence: number, type: string, offsetMs: number]
  | readonly [sequence: number, type: string, offsetMs: number, member: number];

export interface SavedMember {
  readonly summary: LegSummary;
  readonly talkMs: number;
  /** Absent of those that have left. */
  readonly place?: SavedPlace;
}

export interface SavedPlace {
  /** Null of software of the house. */
  readonly line: LineFacts | null;
  readonly generation: number;
  readonly seat: Seat;
  readonly isMuted: boolean;
  /** Absent where nothing waits to be asked for again. */
  readonly isPaused?: true;
  readonly gainRatio: number;
  /** How loud it is to some, by their ids. */
  readonly gains?: { readonly [listenerId: string]: number };
  readonly supervision: SupervisionMode | null;
  readonly tellsVoice?: boolean;
  /** The voice that is going on, in media time of its line. */
  readonly voice?: {
    readonly atMs: number;
    readonly onsetMs: number;
    readonly levelDbfs: number;
    readonly heardUntilMs: number;
  };
  /** Null while its line is there. */
  readonly lostAtUnixMs: number | null;
}

export interface SavedDecisions {
  readonly partnerId: string | null;
  readonly consultedId: string | null;
  /** Null while nobody waits. */
  readonly hold: {
    readonly source: 'music' | 'silence' | 'agent_keeps_talking';
    readonly heldMs: number;
  } | null;
}

export interface SavedNotes {
  readonly disposition: { readonly disposition: string; readonly by: string } | null;
  readonly qualification: Qualification | null;
  readonly answeredBy: CallNotes['answeredBy'];
  readonly transferredTo: string | null;
  /** Since its provider was told to stream elsewhere. */
  readonly movedMs: number | null;
  readonly transcript: readonly TranscriptSegment[];
  /** Segments before those; absent where there are none. */
  readonly forgottenSegments?: number;
}

/** What was saved, if it is of a version that is known. The registry's fence vouches for its shape. */
export function readSnapshot(saved: unknown): CallSnapshot | undefined {
  if (!isObject(saved) || saved['v'] !== SNAPSHOT_VERSION) return undefined;
  const isWhole = isObject(saved['facts']) && Array.isArray(saved['members']);
  return isWhole ? (saved as unknown as CallSnapshot) : undefined;
}
