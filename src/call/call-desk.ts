import type { AtMs, Clock } from '../base/clock.ts';
import type { JsonObject } from '../base/json.ts';
import type { CallEndReason, CallEventType } from '../events/catalogue.ts';
import type { CallCommand } from '../events/call-commands.ts';
import type { Leg } from '../leg/leg.ts';
import type { LegListener } from '../leg/leg-listener.ts';
import type { LegEndReason } from '../leg/state.ts';
import type { CallCounts } from './call-counts.ts';
import type { Asker, Outcome } from './commands/outcome.ts';
import type { CallFacts, CallState } from './facts.ts';
import type { Conversation } from './hearing/conversation.ts';
import type { CallNotes } from './notes.ts';
import type { CallPorts } from './ports.ts';
import type { JoinWish } from './parties/invitation.ts';
import type { Member, Roster } from './parties/roster.ts';

/** What commands and parts of a call may do with it. */
export interface CallDesk extends LegListener {
  readonly facts: CallFacts;
  readonly clock: Clock;
  readonly state: CallState;
  readonly ports: CallPorts;
  /** Raised where a limit holds something back. */
  readonly counts: CallCounts;
  /** Who is here. */
  readonly roster: Roster;
  /** Who hears whom. */
  readonly conversation: Conversation;
  /** What was written down about the call. */
  readonly notes: CallNotes;
  /** A leg that was dialled for the call is up; with a wish, it comes as one that was invited with it. */
  join(leg: Leg, nowMs: AtMs, wish?: JoinWish): void;
  /** A leg of the id of one that was lost is up, in its place. */
  rejoin(leg: Leg, nowMs: AtMs): void;
  /** Does what is asked of the call, or says why not. */
  command(command: CallCommand, nowMs: AtMs, asker?: Asker): Outcome;
  emit(type: CallEventType, own: JsonObject, nowMs: AtMs): { readonly created_at: string };
  /** Ends one party's line; a call without its caller, or without anybody, is over for `callReason`. */
  dismiss(member: Member, why: { leg: LegEndReason; call: CallEndReason }, nowMs: AtMs): void;
  /** Ends the call for everybody, once. */
  end(reason: CallEndReason, nowMs: AtMs): void;
}
