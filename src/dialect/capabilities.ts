/**
 * What a dialect can do, as data: calls never ask which provider they talk to. What is missing is emulated
 * where it can be (marks by played time, clear by not sending more), and declared where it cannot.
 */
export interface Capabilities {
  /** The provider says when audio was really played. */
  readonly marks: boolean;
  /**
   * What becomes of marks still owed when the queue is cleared: `returned` by the provider at once, or
   * `dropped` without a word, so that the leg reports them itself. Meaningless without marks.
   */
  readonly marksOnClear: 'returned' | 'dropped';
  /** Marks of a provider that can hold no more at once are reported by played time instead. */
  readonly marksMax: number;
  /** It says when all it was sent has played, and names nothing: marks wait for that. */
  readonly playedOut?: true;
  readonly clear: boolean;
  readonly dtmfIn: boolean;
  readonly dtmfOut: boolean;
  /** The protocol's own words end the telephone call, and not only the stream. */
  readonly hangUp: boolean;
  /** The protocol's own words transfer the telephone call. */
  readonly transfer: boolean;
  /** The wire carries sequence numbers, so loss and reordering can be seen. */
  readonly sequenced: boolean;
  /** Frames of 20 ms that one audio message to the provider holds: 1 for most, 10 where it wants 200 ms. */
  readonly messageFrames: number;
  /** Milliseconds of audio that may be in flight at the provider's side. */
  readonly inFlightMsMax: number;
  /** Each direction may speak another codec. */
  readonly twoCodecs: boolean;
  /** A clean close (1000) without another word is a hang-up; elsewhere it is a lost connection. */
  readonly closeEnds: boolean;
  /** The client can come back to its leg after a lost connection. */
  readonly resume: boolean;
  /** It comes back by its own name of the call, with no token of ours (`LegStarted.returns`). */
  readonly returns?: true;
  /** The telephone call is over when its stream breaks: nothing streams it again. */
  readonly endsOnLoss?: true;
  /** Told to reconnect (`writeGoaway`), the client opens a new connection by itself. */
  readonly goaway: boolean;
  /**
   * Something must be said this often when nothing else is, or the peer hangs up; 0 where silence is fine.
   */
  readonly keepAliveMs: number;
  /** Its facts rest on second-hand sources (dialects.md [S], [?]). */
  readonly unverified: boolean;
}

/** A fact of the wire that could not be confirmed: a setting of the stream credential, with its default. */
export interface DialectOption {
  readonly name: string;
  /** Every value it may have. */
  readonly values: readonly string[];
  readonly fallback: string;
  /** What it changes, in one sentence, for docs and errors. */
  readonly meaning: string;
}

/** Options of one connection by name; a name that is missing has its fallback. */
export type OptionValues = Readonly<Record<string, string>>;

/** The value of an option, given or by default. */
export function optionOf(option: DialectOption, values: OptionValues): string {
  const given = values[option.name];
  return given !== undefined && option.values.includes(given) ? given : option.fallback;
}
