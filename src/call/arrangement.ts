import type { LegRole } from '../base/roles.ts';

/** How a supervisor takes part (calls.md, Supervision). */
export type SupervisorMode = 'monitor' | 'whisper' | 'barge' | 'takeover';

/** What the arrangement must know of one party. */
export interface Placed {
  readonly id: string;
  readonly role: LegRole;
  readonly isMuted: boolean;
  /** Of a supervisor; null for everybody else. */
  readonly supervision: SupervisorMode | null;
}

/** Everything that decides who hears whom. */
export interface Situation {
  readonly parties: readonly Placed[];
  /** Who has the caller: the agent that came last, the human it was handed to, a supervisor who took over. */
  readonly partnerId: string | null;
  /** Whoever else was invited into the conversation. */
  readonly guestIds: readonly string[];
  /** Who talks with the partner while the caller waits: a handover's target. */
  readonly consultedId: string | null;
  readonly isOnHold: boolean;
  /** The caller is on hold, and goes on hearing its agent all the same (`agent_keeps_talking`). */
  readonly hearsPartnerOnHold: boolean;
}

/** Who hears whom: the speakers of each listener, by id. Whoever is not named hears nothing. */
export type Arrangement = ReadonlyMap<string, readonly string[]>;

/**
 * The whole arrangement of a call, made anew from what is so: replaced at once, it falls between two frames,
 * and nobody ever hears two of them.
 */
export function arrange(situation: Situation): Arrangement {
  const { parties } = situation;
  const listeners = new Map<string, readonly string[]>();
  for (const listener of parties) {
    const heard = parties.filter((speaker) => hears(situation, listener, speaker)).map(({ id }) => id);
    if (heard.length > 0) listeners.set(listener.id, heard);
  }
  return listeners;
}

function hears(situation: Situation, listener: Placed, speaker: Placed): boolean {
  if (listener.id === speaker.id || speaker.isMuted) return false;
  const seat = seatOf(situation, speaker);
  switch (seatOf(situation, listener)) {
    case 'caller':
      return callerHears(situation, seat, speaker);
    case 'partner':
    case 'guest':
      return partnerHears(situation, seat, speaker);
    case 'consulted':
      return seat === 'partner' || isHeardByAgents(speaker);
    case 'supervisor':
      // Supervisors hear the conversation, and each other only where one speaks up for all to hear.
      return seat === 'supervisor' ? speaker.supervision === 'barge' : seat !== 'aside';
    default:
      return false;
  }
}

function callerHears(situation: Situation, seat: Seat, speaker: Placed): boolean {
  if (situation.isOnHold) return situation.hearsPartnerOnHold && seat === 'partner';
  return seat === 'partner' || seat === 'guest' || isHeardByAll(speaker);
}

function partnerHears(situation: Situation, seat: Seat, speaker: Placed): boolean {
  if (seat === 'caller') return !situation.isOnHold;
  return seat !== 'aside' && (seat !== 'supervisor' || isHeardByAgents(speaker));
}

function isHeardByAll({ supervision }: Placed): boolean {
  return supervision === 'barge';
}

function isHeardByAgents({ supervision }: Placed): boolean {
  return supervision === 'whisper' || supervision === 'barge';
}

/** `aside`: on the line and out of the conversation, as an agent whose caller is being handed over. */
type Seat = 'caller' | 'partner' | 'guest' | 'consulted' | 'supervisor' | 'aside';

function seatOf(situation: Situation, { id, role }: Placed): Seat {
  if (role === 'caller') return 'caller';
  if (id === situation.partnerId) return 'partner';
  if (id === situation.consultedId) return 'consulted';
  if (role === 'supervisor') return 'supervisor';
  return situation.guestIds.includes(id) ? 'guest' : 'aside';
}
