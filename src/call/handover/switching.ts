import type { AtMs } from '../../base/clock.ts';
import type { CallDesk } from '../call-desk.ts';
import type { Decisions, Hold } from '../hearing/conversation.ts';
import type { Member, Seat } from '../parties/roster.ts';

type Source = Extract<Hold, { name: 'on' }>['source'];

/**
 * What a handover does to the conversation, and how it is undone. Words its agent had waiting for the caller
 * are parked with the hold, and are gone only once the caller is joined with somebody else.
 */
export class Switching {
  readonly #desk: CallDesk;
  /** How things were before it. */
  readonly before: Decisions;
  #seatBefore: Seat | undefined;

  constructor(desk: CallDesk, before = desk.conversation.decisions, seatBefore?: Seat) {
    this.#desk = desk;
    this.before = before;
    this.#seatBefore = seatBefore;
  }

  /** Where the target sat before it had the caller. */
  get seatBefore(): Seat | undefined {
    return this.#seatBefore;
  }

  /** The caller waits; a hold that was there before goes on under another sound. */
  park(source: Source, nowMs: AtMs): void {
    const { hold } = this.#desk.conversation.decisions;
    const startedAtMs = hold.name === 'on' ? hold.startedAtMs : nowMs;
    this.#desk.conversation.decide({ hold: { name: 'on', source, startedAtMs } }, nowMs);
    if (hold.name === 'off') this.#desk.emit('hold_started', { leg_id: this.#callerId, mode: source }, nowMs);
  }

  /** The target talks with the former agent, and the caller hears neither. */
  consult(target: Member, nowMs: AtMs): void {
    const { hold } = this.#desk.conversation.decisions;
    const isHeard = hold.name === 'on' && hold.source === 'agent_keeps_talking';
    if (hold.name === 'off' || isHeard) this.park('music', nowMs);
    this.#desk.conversation.decide({ consultedId: target.party.id }, nowMs);
  }

  /** Caller and target are joined between two frames. */
  bridge(target: Member, nowMs: AtMs): void {
    this.#seatBefore = target.seat;
    target.seat = 'partner';
    const { caller } = this.#desk.roster;
    // Whose words were paused is not heard any more: nobody thinks of asking for those of the target.
    if (caller !== undefined) caller.isPaused = false;
    this.#settle({ partnerId: target.party.id, consultedId: null, hold: { name: 'off' } }, nowMs);
  }

  /** Everything is as it was before. */
  undo(target: Member | undefined, nowMs: AtMs): void {
    if (target !== undefined && this.#seatBefore !== undefined) target.seat = this.#seatBefore;
    this.#settle(this.before, nowMs);
  }

  #settle(decisions: Decisions, nowMs: AtMs): void {
    const { hold } = this.#desk.conversation.decisions;
    const leg_id = this.#callerId;
    this.#desk.conversation.decide(decisions, nowMs);
    const { hold: after } = decisions;
    if (hold.name === 'on' && after.name === 'off') {
      const held_ms = Math.round(nowMs - hold.startedAtMs);
      this.#desk.emit('hold_ended', { leg_id, mode: hold.source, held_ms }, nowMs);
    } else if (hold.name === 'off' && after.name === 'on') {
      this.#desk.emit('hold_started', { leg_id, mode: after.source }, nowMs);
    }
  }

  get #callerId(): string | null {
    return this.#desk.roster.caller?.party.id ?? null;
  }
}
