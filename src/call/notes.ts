import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { TranscriptSegment } from '../events/call-commands/transcript.ts';

/** What became of the question whether the caller qualifies. */
export interface Qualification {
  readonly score: number;
  readonly threshold: number | null;
  readonly criteria: JsonObject;
  /** Null where nobody said how much is enough. */
  readonly isMet: boolean | null;
}

/** A live transcript holds so much; the journal has every segment. */
const SEGMENTS_MAX = 2_000;
const CHARACTERS_MAX = 262_144;

/** What was written down about a call while it ran. */
export class CallNotes {
  readonly stats = { forgottenSegments: 0 };
  disposition: { readonly disposition: string; readonly by: string } | null = null;
  qualification: Qualification | null = null;
  /** Who answered a call that was placed: the first to know it told. */
  answeredBy: 'human' | 'machine' | 'unknown' | null = null;
  /** Where the telephone call was sent. */
  transferredTo: string | null = null;
  /** When its provider was told to stream to another place of ours. */
  movedAtMs: AtMs | null = null;
  readonly #segments: TranscriptSegment[] = [];
  #characters = 0;

  /** The transcript so far, oldest first; of a long call its end. */
  get transcript(): readonly TranscriptSegment[] {
    return this.#segments;
  }

  addSegment(segment: TranscriptSegment): void {
    this.#segments.push(segment);
    this.#characters += segment.text.length;
    while (this.#segments.length > SEGMENTS_MAX || this.#characters > CHARACTERS_MAX) {
      this.#characters -= this.#segments.shift()!.text.length;
      this.stats.forgottenSegments++;
    }
  }
}
