import type { LegRole } from '../../base/roles.ts';
import type { SupervisionMode } from '../../events/call-commands.ts';
import type { LegSummary } from '../../events/catalogue.ts';
import type { Leg } from '../../leg/leg.ts';
import type { VoiceDetected } from '../../media/voice/voice-edges.ts';
import type { Channel } from '../hearing/channel.ts';
import type { Ear } from '../hearing/ear.ts';
import type { AgentLine } from '../agent-dialler.ts';
import { LegParty, type Party } from './party.ts';

/**
 * Where a party sits: `partner` may have the caller, `guest` is in the conversation as well, `aside` waits
 * outside of it. Callers and supervisors have seats of their own.
 */
export type Seat = 'partner' | 'guest' | 'aside';

/** One party's share of the call, kept for `leg_disconnected` and the post-call payload. */
export interface Member {
  /** Replaced where a leg comes back to a call that another node had. */
  party: Party;
  /** What it hears; undefined for software of the house, and while a line of another node is not back. */
  ear: Ear | undefined;
  /** How often its line has connected: a resume token of an earlier one is of a socket already replaced. */
  generation: number;
  summary: LegSummary;
  seat: Seat;
  isMuted: boolean;
  /** What is said to it ahead of time waits until somebody asks for it to go on. */
  isPaused: boolean;
  /** How loud it is to everybody, and beside that to some, by their ids. */
  gainRatio: number;
  gains?: ReadonlyMap<string, number>;
  /** Of a supervisor; null for everybody else. */
  supervision: SupervisionMode | null;
  /** The ways to whoever hears it now: replaced whole, between two frames. */
  channels: readonly Channel[];
  /** What is said to a backend that was dialled; undefined for everybody else. */
  agent?: AgentLine;
  /** Whether events tell of its voice: of a dialled backend only where that is asked for. */
  tellsVoice?: boolean;
  /** Voiced milliseconds so far. */
  talkMs: number;
  /** The voice that is going on. */
  voice: VoiceDetected | undefined;
  /** Up to which media time a voice was heard whose line another node had. */
  heardUntilMs?: number;
}

/** Of a line that has connected once. */
export const FIRST_GENERATION = 1;

/** Parties a call may have at once; those that have left are remembered beside them. */
const PARTIES_MAX = 16;
/** Of those that have left only so many are remembered: a call may outlive many agents and listeners. */
const MEMBERS_MAX = 128;

/** Everybody who is or was in the call, in the order they came. */
export class Roster {
  readonly stats = { forgottenMembers: 0 };
  readonly #members = new Map<string, Member>();
  #present: readonly Member[] = [];

  get(partyId: string): Member | undefined {
    return this.#members.get(partyId);
  }

  /** A party that is here now. */
  find(partyId: string): Member | undefined {
    const member = this.#members.get(partyId);
    return member !== undefined && isPresent(member) ? member : undefined;
  }

  /** Whoever is here, in the order they came. */
  get present(): readonly Member[] {
    return this.#present;
  }

  /** Whoever is or was here. */
  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  get caller(): Member | undefined {
    return this.#present.find(({ party }) => party.role === 'caller');
  }

  get hasRoom(): boolean {
    return this.#present.length < PARTIES_MAX;
  }

  /** Every leg that is or was here. */
  get legs(): readonly Leg[] {
    return this.all.flatMap(({ party }) => (party instanceof LegParty ? [party.leg] : []));
  }

  add(member: Member): void {
    this.#members.set(member.party.id, member);
    this.#changed();
    if (this.#members.size <= MEMBERS_MAX) return;
    const oldest = this.all.find((one) => !isPresent(one));
    if (oldest === undefined) return;
    this.#members.delete(oldest.party.id);
    this.stats.forgottenMembers++;
  }

  /** The party is gone; it is remembered. */
  left(member: Member, at: string, reason: string): void {
    member.summary = { ...member.summary, disconnected_at: at, reason };
    member.channels = [];
    this.#changed();
  }

  /** Milliseconds spoken, by role. */
  talkMs(): Partial<Record<LegRole, number>> {
    const talkMs: Partial<Record<LegRole, number>> = {};
    for (const { party, talkMs: ms } of this.#members.values()) {
      talkMs[party.role] = (talkMs[party.role] ?? 0) + ms;
    }
    return talkMs;
  }

  #changed(): void {
    this.#present = this.all.filter(isPresent);
  }
}

function isPresent({ summary }: Member): boolean {
  return summary.disconnected_at === null;
}
