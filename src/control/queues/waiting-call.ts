import type { Cancel } from '../../base/clock.ts';
import type { JsonObject } from '../../base/json.ts';
import type { MemberWire } from '../../api/queues/queue-desk.ts';
import type { AtMs } from '../../base/clock.ts';

/** One member is asked to take one call. */
export interface Offer {
  readonly id: string;
  readonly call: WaitingCall;
  readonly member: Member;
  readonly cancelExpiry: Cancel;
}

/** Whether a call may be offered to somebody. `claimed`: somebody has the way in, and is not there yet. */
export type WaitingStanding =
  | { readonly name: 'waiting' }
  | { readonly name: 'offered'; readonly offer: Offer }
  | { readonly name: 'accepting'; readonly offer: Offer }
  | { readonly name: 'claimed' };

/** A handover that waits, as its node last said. */
export interface WaitingCall {
  readonly handoverId: string;
  readonly callId: string;
  readonly workspaceId: string;
  /** The node that has the call. */
  incarnation: string;
  readonly sinceUnixMs: number;
  deadlineAtMs: AtMs;
  readonly offer: JsonObject;
  /** Members that do not want it. */
  readonly declinedBy: Set<string>;
  standing: WaitingStanding;
  /** It is forgotten where its node says nothing of it for so long. */
  cancelLapse: Cancel;
}

/** What a member does now. Who is idle for longest is asked first. */
export type MemberStanding =
  | { readonly name: 'away' }
  | { readonly name: 'ready'; readonly idleSinceMs: AtMs }
  | { readonly name: 'offered'; readonly offer: Offer; readonly idleSinceMs: AtMs }
  | { readonly name: 'accepting'; readonly offer: Offer; readonly idleSinceMs: AtMs };

/** A member that was in the queue already, at another host that kept it. */
export interface FormerMember {
  readonly id: string;
  /** Null where it asked for no calls. */
  readonly idleMs: number | null;
}

/** Somebody who takes calls of a queue. */
export interface Member {
  readonly id: string;
  readonly label: string | null;
  readonly wire: MemberWire;
  standing: MemberStanding;
}
