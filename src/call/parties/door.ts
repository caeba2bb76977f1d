import type { AtMs } from '../../base/clock.ts';
import { newId } from '../../base/ids.ts';
import type { BuiltInAgent } from '../../events/catalogue.ts';
import type { Leg } from '../../leg/leg.ts';
import type { LegEndReason } from '../../leg/state.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart } from '../call-part.ts';
import { Ear } from '../hearing/ear.ts';
import { tellVoice } from '../hearing/voice-telling.ts';
import type { JoinWish } from './invitation.ts';
import { BuiltInParty, LegParty, type Party } from './party.ts';
import { FIRST_GENERATION, type Member, type Seat } from './roster.ts';

const CLOSE_NORMAL = 1000;
/** "call moved" (contract.md §9): come back by your resume token. */
const CLOSE_MOVED = 4410;

export interface DoorOptions {
  readonly desk: CallDesk;
  readonly parts: readonly CallPart[];
  readonly speak: (member: Member, frame: Int16Array, nowMs: AtMs) => void;
}

/** How parties come into a call, come back to it and leave it. What follows is the call's to say. */
export class Door {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  admit(party: Party, nowMs: AtMs, wish?: JoinWish): Member {
    const { desk } = this.#options;
    const { id: leg_id, role, dialectName: dialect, codecName: codec } = party;
    const own = { leg_id, role, dialect, codec };
    const { created_at: connected_at } = desk.emit('leg_connected', own, nowMs);
    const member: Member = {
      party,
      ear: party instanceof LegParty ? this.#earOf(party.leg) : undefined,
      generation: FIRST_GENERATION,
      summary: { ...own, connected_at, disconnected_at: null, reason: null },
      seat: 'aside',
      isMuted: false,
      isPaused: false,
      gainRatio: 1,
      supervision: role === 'supervisor' ? (wish?.mode ?? 'monitor') : null,
      channels: [],
      talkMs: 0,
      voice: undefined,
    };
    member.seat = this.#seatOf(member, wish);
    desk.roster.add(member);
    if (member.supervision !== null) {
      desk.emit('supervisor_joined', { leg_id, mode: member.supervision }, nowMs);
    }
    return member;
  }

  bringIn(agent: BuiltInAgent, sampleRateHz: number, nowMs: AtMs): void {
    const id = newId('leg', this.#options.desk.clock);
    const member = this.admit(
      this.builtIn({ id, agent, sampleRateHz }, () => member),
      nowMs,
    );
  }

  /** Software of the house that speaks as the member it is told of. */
  builtIn(
    { id, agent, sampleRateHz }: { id: string; agent: BuiltInAgent; sampleRateHz: number },
    member: () => Member,
  ): Party {
    const { speak } = this.#options;
    return new BuiltInParty(id, agent, sampleRateHz, (frame, atMs) => speak(member(), frame, atMs));
  }

  /**
   * A party is back: on the leg it had, or on a new one that takes the place of a line that another node had.
   * True where it is a new one.
   */
  comeBack(member: Member, leg: Leg, nowMs: AtMs): boolean {
    const { desk } = this.#options;
    const isNewLine = !(member.party instanceof LegParty);
    if (isNewLine) {
      finishVoice(desk, member, nowMs);
      member.party = new LegParty(leg);
      member.ear = this.#earOf(leg);
    }
    const { leg_id, role, dialect, codec } = member.summary;
    desk.emit('leg_connected', { leg_id, role, dialect, codec, resumed: true }, nowMs);
    if (isNewLine) desk.conversation.rearrange(nowMs);
    return isNewLine;
  }

  disconnect(member: Member, reason: LegEndReason, nowMs: AtMs): void {
    const { desk } = this.#options;
    const { party, summary, ear, supervision } = member;
    if (summary.disconnected_at !== null) return;
    finishVoice(desk, member, nowMs);
    ear?.close();
    party.end(reason, CLOSE_NORMAL, nowMs);
    const { leg_id, role, dialect, codec } = summary;
    const { created_at } = desk.emit('leg_disconnected', { leg_id, role, dialect, codec, reason }, nowMs);
    desk.roster.left(member, created_at, reason);
    if (supervision !== null) desk.emit('supervisor_left', { leg_id, mode: supervision }, nowMs);
  }

  /** The call is another node's: whoever can come back there is told so, and nobody here hears of it. */
  sendAway(member: Member, nowMs: AtMs, graceMs = 0): void {
    const { roster, clock } = this.#options.desk;
    const { party } = member;
    member.ear?.close();
    const isCalledBack = party instanceof LegParty && member.agent === undefined;
    if (isCalledBack) party.leg.abandon(CLOSE_MOVED, 'call_moved', nowMs, graceMs);
    else party.end('replaced', CLOSE_NORMAL, nowMs);
    roster.left(member, new Date(clock.unixMs()).toISOString(), 'replaced');
  }

  #earOf(leg: Leg): Ear {
    const { desk } = this.#options;
    return new Ear(leg, desk.counts, (mark) => desk.onMark(leg, mark, desk.clock.nowMs()));
  }

  /** Whoever comes first has the caller; who comes to them joins in, unless a part knows better. */
  #seatOf(member: Member, wish: JoinWish | undefined): Seat {
    const { desk, parts } = this.#options;
    for (const part of parts) {
      const seat = part.seatOf?.(member, wish);
      if (seat !== undefined) return seat;
    }
    return desk.conversation.partner === undefined ? 'partner' : 'guest';
  }
}

/** Who speaks when its line goes is cut short: where it was last heard, if the line was another node's. */
function finishVoice(desk: CallDesk, member: Member, nowMs: AtMs): void {
  const { party, voice } = member;
  if (party instanceof LegParty) party.leg.finishVoice(nowMs);
  else if (voice !== undefined) {
    const { heardUntilMs = voice.atMs } = member;
    const durationMs = heardUntilMs - voice.onsetMs;
    tellVoice(desk, member, { type: 'voice_ended', atMs: heardUntilMs, durationMs }, nowMs);
  }
}
