import type { AtMs } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { CallCommand, CallCommandName } from '../events/call-commands.ts';
import type { CallEndReason } from '../events/catalogue.ts';
import type { CallInput } from '../leg/leg-listener.ts';
import type { VoiceEdge } from '../media/voice/voice-edges.ts';
import type { CallDesk } from './call-desk.ts';
import type { Asker, Outcome } from './commands/outcome.ts';
import type { JoinWish } from './parties/invitation.ts';
import type { Member, Seat } from './parties/roster.ts';

/**
 * Something built on top of a call: made with it, told what happens in it, and asked to carry out the
 * commands it is for. Every hook is optional, and runs in the turn of its cause.
 */
export interface CallPart {
  /** Under which it is found again in a call's snapshot; parts without one keep nothing. */
  readonly name?: string;
  /** The call ends after so much silence, where its own limit is not sooner; 0: no limit. */
  readonly silenceMaxMs?: number;
  /** The commands it carries out; the first part that names one has it. */
  readonly commands?: readonly CallCommandName[];
  command?(command: CallCommand, asker: Asker, nowMs: AtMs): Outcome;
  /** Where a leg that has just come in is to sit; undefined where that is not this part's business. */
  seatOf?(member: Member, wish: JoinWish | undefined): Seat | undefined;
  onJoined?(member: Member, wish: JoinWish | undefined, nowMs: AtMs): void;
  /**
   * A leg of a restored call is back: the member is the one it was, its line and its ear are new, and it is
   * heard already. Not told where the leg was here all along.
   */
  onReturned?(member: Member, nowMs: AtMs): void;
  /** The party is out of the roster, and those who are left hear each other already. */
  onLeft?(member: Member, nowMs: AtMs): void;
  /** After the frame has gone to everybody who hears the speaker. Per frame: it must not allocate. */
  onFrame?(speaker: Member, frame: Int16Array, nowMs: AtMs): void;
  onVoice?(speaker: Member, edge: VoiceEdge, nowMs: AtMs): void;
  /** What a leg said beside audio. True where the part has seen to it, and nobody else needs to. */
  onInput?(member: Member, input: CallInput, nowMs: AtMs): boolean;
  /** About once a second. */
  sweep?(nowMs: AtMs): void;
  /** Own fields of `call_completed`; what was measured by the call itself is there already. */
  completion?(): { readonly [field: string]: unknown };
  /** The call is ending; its parties are still there. */
  onEnding?(nowMs: AtMs, reason: CallEndReason): void;
  /**
   * The call goes on at another node: nothing may be told or asked of the world any more. Without this hook
   * the part is told of an ending by `node_lost`.
   */
  onSurrendered?(nowMs: AtMs): void;
  /**
   * What the call's next owner needs to go on with it: plain JSON, small, without sound, secrets or instants
   * of this host's clock (durations left, or Unix time). Undefined where there is nothing to keep.
   */
  save?(nowMs: AtMs): JsonObject | undefined;
  /**
   * The call was restored: its members sit where they sat, every leg of theirs still to come back. Told
   * before anything else; `saved` is undefined where the former owner kept nothing. It tells no event of what
   * was told before.
   */
  restore?(saved: JsonObject | undefined, nowMs: AtMs): void;
}

export type MakeCallPart = (desk: CallDesk) => CallPart;
