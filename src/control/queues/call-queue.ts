import type { MemberWire, QueueView } from '../../api/queues/queue-desk.ts';
import type { AtMs, Clock } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import { textOf, type JsonObject } from '../../base/json.ts';
import type { QueueAsk } from '../../events/asks.ts';
import type { CommandResult } from '../../events/commands.ts';
import {
  refuseTo,
  tellAccepted,
  tellOffer,
  tellState,
  tellWithdrawn,
  type WithdrawnReason,
} from './member-news.ts';
import type { FormerMember, Member, Offer, WaitingCall } from './waiting-call.ts';

/** So long a member is asked (calls.md, Handover). */
const OFFER_MS = 15_000;
/** A node says every two seconds what waits: three times nothing, and it does not wait any more. */
export const LAPSE_MS = 6_000;
export const MEMBERS_MAX = 200;
export const WAITING_MAX = 500;

export interface QueueStats {
  offers: number;
  accepted: number;
  declined: number;
  unanswered: number;
  /** Offers that were open when the call was no longer to be had. */
  withdrawn: number;
  /** Accepted too late: the call was gone, or somebody else had it. */
  tooLate: number;
  /** Calls their node said nothing of for too long. */
  lapsed: number;
  refusedMembers: number;
  refusedWaiting: number;
}

/** What a queue asks of the nodes. Neither throws. */
export interface QueueNodes {
  /** The member of an offer is to have it: answers the way in, or why it cannot. */
  claim(call: WaitingCall): Promise<CommandResult>;
  /** Everybody who could be asked has declined. */
  decline(call: WaitingCall): void;
}

export interface CallQueueOptions {
  readonly clock: Clock;
  readonly nodes: QueueNodes;
  readonly stats: QueueStats;
  /** False while who is there and what waits is only being said: nobody is asked then. */
  readonly isOffering: () => boolean;
  /** Nobody is in it and nothing waits. */
  readonly onEmpty: () => void;
}

/**
 * One queue: what waits first is offered first, to whoever is idle for longest, one offer to a member at a
 * time. What waits is the nodes' to say, and who has it in the end is theirs to decide.
 */
export class CallQueue {
  readonly #options: CallQueueOptions;
  readonly #members = new Map<string, Member>();
  readonly #calls = new Map<string, WaitingCall>();

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  get hasRoomForMember(): boolean {
    return this.#members.size < MEMBERS_MAX;
  }

  /** `former`: as it stood where the queue was kept until now. */
  join(label: string | null, wire: MemberWire, former?: FormerMember): Member {
    const { clock } = this.#options;
    const { id = newId('member', clock), idleMs = null } = former ?? {};
    const member: Member = { id, label, wire, standing: { name: 'away' } };
    this.#members.set(id, member);
    if (idleMs !== null) {
      member.standing = { name: 'ready', idleSinceMs: clock.nowMs() - idleMs };
      tellState(member);
      this.#match();
    }
    return member;
  }

  /** Whoever could not be asked before may be now. */
  offerWaiting(): void {
    this.#match();
  }

  leave(member: Member): void {
    if (!this.#members.delete(member.id)) return;
    const { standing } = member;
    member.standing = { name: 'away' };
    for (const call of this.#calls.values()) call.declinedBy.delete(member.id);
    // An offer that was accepted is the node's by now: it says what comes of it.
    if (standing.name === 'offered') this.#reopen(standing.offer);
    this.#endIfEmpty();
  }

  say(member: Member, message: JsonObject): void {
    if (!this.#members.has(member.id)) return;
    switch (message['type']) {
      case 'ready':
        return this.#ready(member);
      case 'away':
        return this.#away(member);
      case 'accept':
        return this.#answered(member, message, (offer) => void this.#accept(offer));
      case 'decline':
        return this.#answered(member, message, (offer) => this.#decline(offer));
      default:
        refuseTo(member, 'invalid_argument', 'type must be ready, away, accept or decline');
    }
  }

  /** What a node says of a handover; false where there is no room for one more. */
  told(ask: QueueAsk, incarnation: string): boolean {
    const known = this.#calls.get(ask.handover_id);
    if (ask.standing === 'over') {
      // A former owner has nothing to say any more.
      if (known?.incarnation === incarnation) this.#remove(known, 'gone');
      return true;
    }
    const call = known ?? this.#admit(ask, incarnation);
    if (call === undefined) return false;
    this.#renew(call, ask, incarnation);
    return true;
  }

  view(name: string): QueueView {
    const { clock } = this.#options;
    const members = [...this.#members.values()].map(({ id, label, standing }) => ({
      id,
      label,
      state: standing.name,
      idle_ms: standing.name === 'away' ? null : Math.round(clock.nowMs() - standing.idleSinceMs),
    }));
    const waiting = this.#inOrder.map(({ handoverId, callId, standing, sinceUnixMs }) => ({
      handover_id: handoverId,
      call_id: callId,
      state: standing.name,
      since: new Date(sinceUnixMs).toISOString(),
    }));
    return { name, members, waiting };
  }

  /** Nobody is asked any more. */
  close(): void {
    for (const call of this.#calls.values()) {
      call.cancelLapse();
      if (call.standing.name === 'offered') call.standing.offer.cancelExpiry();
    }
    // What is still being accepted finds nothing to go on with.
    this.#calls.clear();
    this.#members.clear();
  }

  #admit(ask: QueueAsk, incarnation: string): WaitingCall | undefined {
    if (this.#calls.size >= WAITING_MAX) {
      this.#options.stats.refusedWaiting++;
      return undefined;
    }
    const call: WaitingCall = {
      handoverId: ask.handover_id,
      callId: ask.call_id,
      workspaceId: ask.workspace_id,
      incarnation,
      sinceUnixMs: ask.since_unix_ms,
      deadlineAtMs: 0,
      offer: ask.offer,
      declinedBy: new Set(),
      standing: { name: 'waiting' },
      cancelLapse: () => undefined,
    };
    this.#calls.set(call.handoverId, call);
    return call;
  }

  #renew(call: WaitingCall, ask: QueueAsk, incarnation: string): void {
    const { clock, stats } = this.#options;
    call.incarnation = incarnation;
    call.deadlineAtMs = clock.nowMs() + ask.remaining_ms;
    call.cancelLapse();
    call.cancelLapse = clock.after(LAPSE_MS, () => {
      stats.lapsed++;
      this.#remove(call, 'gone');
    });
    const { standing } = call;
    if (ask.standing === 'claimed' && (standing.name === 'waiting' || standing.name === 'offered')) {
      // Another control process was faster.
      if (standing.name === 'offered') this.#withdraw(standing.offer, 'gone');
      call.standing = { name: 'claimed' };
    } else if (ask.standing === 'waiting' && standing.name === 'claimed') call.standing = { name: 'waiting' };
    this.#match();
  }

  #remove(call: WaitingCall, reason: WithdrawnReason): void {
    this.#calls.delete(call.handoverId);
    call.cancelLapse();
    if (call.standing.name === 'offered') this.#withdraw(call.standing.offer, reason);
    this.#match();
    this.#endIfEmpty();
  }

  #ready(member: Member): void {
    const { name } = member.standing;
    // Whoever is asked already is ready, and keeps its place.
    if (name === 'offered' || name === 'accepting') return;
    if (name === 'away') member.standing = { name: 'ready', idleSinceMs: this.#options.clock.nowMs() };
    tellState(member);
    this.#match();
  }

  #away(member: Member): void {
    const { standing } = member;
    if (standing.name === 'accepting') {
      return refuseTo(member, 'conflict', 'a call is being accepted');
    }
    if (standing.name === 'offered') {
      this.#withdraw(standing.offer, 'away');
      standing.offer.call.standing = { name: 'waiting' };
    }
    member.standing = { name: 'away' };
    tellState(member);
    this.#match();
  }

  #answered(member: Member, message: JsonObject, act: (offer: Offer) => void): void {
    const { standing } = member;
    const offerId = textOf(message['offer_id']);
    if (standing.name === 'offered' && standing.offer.id === offerId) act(standing.offer);
    else refuseTo(member, 'conflict', 'this offer is not open');
  }

  async #accept(offer: Offer): Promise<void> {
    const { call, member } = offer;
    const { clock, nodes, stats } = this.#options;
    offer.cancelExpiry();
    const idleSinceMs = idleSinceOf(member, clock.nowMs());
    member.standing = { name: 'accepting', offer, idleSinceMs };
    call.standing = { name: 'accepting', offer };
    const result = await nodes.claim(call);
    const isThere = this.#members.has(member.id);
    // Whether it is still wanted: it may have been hung up while the node was asked.
    const isWanted = this.#calls.get(call.handoverId) === call;
    if (result.ok && isWanted) {
      call.standing = { name: 'claimed' };
      stats.accepted++;
      if (isThere) this.#hasAccepted(offer, result.value);
      return;
    }
    stats.tooLate++;
    const isUnavailable = !result.ok && result.fault === 'unavailable';
    if (isThere) {
      member.standing = { name: 'ready', idleSinceMs };
      tellWithdrawn(offer, isUnavailable ? 'unavailable' : 'gone');
    }
    if (!isWanted) return this.#match();
    // A node that does not answer says in two seconds whether it still waits; nobody is asked before that.
    if (isUnavailable) call.standing = { name: 'claimed' };
    else this.#remove(call, 'gone');
  }

  /** Whoever took a call is not asked again before it says so. */
  #hasAccepted(offer: Offer, value: unknown): void {
    offer.member.standing = { name: 'away' };
    tellAccepted(offer, value);
    tellState(offer.member);
  }

  #decline({ call, member, cancelExpiry }: Offer): void {
    const { nodes, stats, clock } = this.#options;
    cancelExpiry();
    stats.declined++;
    call.declinedBy.add(member.id);
    call.standing = { name: 'waiting' };
    member.standing = { name: 'ready', idleSinceMs: clock.nowMs() };
    tellState(member);
    if ([...this.#members.keys()].every((id) => call.declinedBy.has(id))) nodes.decline(call);
    this.#match();
  }

  #reopen(offer: Offer): void {
    offer.cancelExpiry();
    offer.call.standing = { name: 'waiting' };
    this.#match();
  }

  #expire(offer: Offer): void {
    const { clock, stats } = this.#options;
    stats.unanswered++;
    offer.call.standing = { name: 'waiting' };
    // It has had its turn: the others come first.
    offer.member.standing = { name: 'ready', idleSinceMs: clock.nowMs() };
    tellWithdrawn(offer, 'timeout');
    this.#match();
  }

  /** The call is not to be had: its member has kept its place. */
  #withdraw(offer: Offer, reason: WithdrawnReason): void {
    const { clock, stats } = this.#options;
    offer.cancelExpiry();
    stats.withdrawn++;
    offer.member.standing = { name: 'ready', idleSinceMs: idleSinceOf(offer.member, clock.nowMs()) };
    tellWithdrawn(offer, reason);
  }

  #match(): void {
    if (!this.#options.isOffering()) return;
    const ready = this.#readyMembers;
    if (ready.length === 0) return;
    for (const call of this.#inOrder) {
      if (call.standing.name !== 'waiting') continue;
      const next = ready.findIndex(({ id }) => !call.declinedBy.has(id));
      const [member] = next < 0 ? [] : ready.splice(next, 1);
      if (member !== undefined) this.#offer(call, member);
    }
  }

  #offer(call: WaitingCall, member: Member): void {
    const { clock, stats } = this.#options;
    const nowMs = clock.nowMs();
    const leftMs = Math.max(0, Math.min(OFFER_MS, call.deadlineAtMs - nowMs));
    const offer: Offer = {
      id: newId('offer', clock),
      call,
      member,
      cancelExpiry: clock.after(leftMs, () => this.#expire(offer)),
    };
    call.standing = { name: 'offered', offer };
    member.standing = { name: 'offered', offer, idleSinceMs: idleSinceOf(member, nowMs) };
    stats.offers++;
    tellOffer(offer, leftMs);
  }

  get #inOrder(): WaitingCall[] {
    return [...this.#calls.values()].toSorted((one, other) => one.sinceUnixMs - other.sinceUnixMs);
  }

  /** Longest idle first. */
  get #readyMembers(): Member[] {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#members.values()]
      .filter(({ standing }) => standing.name === 'ready')
      .toSorted((one, other) => idleSinceOf(one, nowMs) - idleSinceOf(other, nowMs));
  }

  #endIfEmpty(): void {
    if (this.#members.size === 0 && this.#calls.size === 0) this.#options.onEmpty();
  }
}

function idleSinceOf({ standing }: Member, nowMs: AtMs): AtMs {
  return standing.name === 'away' ? nowMs : standing.idleSinceMs;
}
