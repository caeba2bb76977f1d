import type { AtMs } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CommandResult } from '../../events/commands.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallFacts } from '../facts.ts';
import type { Invitations } from '../parties/invitation.ts';
import { hangUpOf } from './leg-words.ts';
import { LegParty } from '../parties/party.ts';
import type { Member } from '../parties/roster.ts';
import { orderAtProvider } from '../provider/provider-orders.ts';
import { done, failed, unavailable, type Asker, type Outcome } from './outcome.ts';

type Of<N extends CallCommand['name']> = Extract<CallCommand, { name: N }>;

export function hangUp(desk: CallDesk, _: Of<'hang_up'>, asker: Asker, nowMs: AtMs): Outcome {
  const { facts } = desk;
  const party = asker.type === 'leg' ? asker.member.party : undefined;
  desk.end(party instanceof LegParty ? hangUpOf(party.leg, 'peer') : 'api', nowMs);
  return done({ call_id: facts.id });
}

/** The caller waits, or is back. Asked twice, nothing more happens. */
export function hold(desk: CallDesk, { on, source }: Of<'hold'>, _: Asker, nowMs: AtMs): Outcome {
  const { conversation, roster } = desk;
  const { hold: before } = conversation.decisions;
  const leg_id = roster.caller?.party.id ?? null;
  if (!on && before.name === 'on') {
    conversation.decide({ hold: { name: 'off' } }, nowMs);
    const held_ms = Math.round(nowMs - before.startedAtMs);
    desk.emit('hold_ended', { leg_id, mode: before.source, held_ms }, nowMs);
  } else if (on) {
    const startedAtMs = before.name === 'on' ? before.startedAtMs : nowMs;
    conversation.decide({ hold: { name: 'on', source, startedAtMs } }, nowMs);
    if (before.name === 'off') desk.emit('hold_started', { leg_id, mode: source }, nowMs);
  }
  return done({ on, source: on ? source : null });
}

export function mute(desk: CallDesk, { leg_id, on }: Of<'mute'>, asker: Asker, nowMs: AtMs): Outcome {
  return withMember(desk, leg_id, (member) => {
    if (isCaller(asker) && asker.member !== member) return DENIED;
    member.isMuted = on;
    desk.conversation.rearrange(nowMs);
    return done({ leg_id, on });
  });
}

export function setGain(
  desk: CallDesk,
  { leg_id, gain_ratio, listener_id }: Of<'set_gain'>,
  _: Asker,
  nowMs: AtMs,
): Outcome {
  return withMember(desk, leg_id, (member) => {
    if (listener_id === null) member.gainRatio = gain_ratio;
    else {
      if (desk.roster.find(listener_id) === undefined) {
        return failed('not_found', `${listener_id} is no leg of this call`);
      }
      // Of those who are still here: a call may outlive many listeners.
      const gains = [...(member.gains ?? [])].filter(([id]) => desk.roster.find(id) !== undefined);
      member.gains = new Map([...gains, [listener_id, gain_ratio]]);
    }
    desk.conversation.rearrange(nowMs);
    return done({ leg_id, gain_ratio, listener_id });
  });
}

/** A supervisor changes how it takes part: it leaves the one mode and joins in the other. */
export function supervise(desk: CallDesk, { leg_id, mode }: Of<'supervise'>, _: Asker, nowMs: AtMs): Outcome {
  return withMember(desk, leg_id, (member) => {
    const before = member.supervision;
    if (before === null) return failed('failed_precondition', `${leg_id} is no supervisor`);
    if (before === mode) return done({ leg_id, mode });
    const other = desk.roster.present.find(({ supervision }) => supervision === 'takeover');
    if (mode === 'takeover' && other !== undefined) {
      return failed('conflict', `${other.party.id} has taken the call over`);
    }
    member.supervision = mode;
    desk.conversation.rearrange(nowMs);
    desk.emit('supervisor_left', { leg_id, mode: before }, nowMs);
    desk.emit('supervisor_joined', { leg_id, mode }, nowMs);
    return done({ leg_id, mode });
  });
}

export function removeLeg(desk: CallDesk, { leg_id }: Of<'remove_leg'>, _: Asker, nowMs: AtMs): Outcome {
  return withMember(desk, leg_id, (member) => {
    desk.dismiss(member, { leg: 'removed', call: 'api' }, nowMs);
    return done({ leg_id });
  });
}

/** Makes a URL and a token by which somebody can join. */
export function invite(desk: CallDesk, command: Of<'invite'>): Outcome {
  const { invitations } = desk.ports;
  if (invitations === undefined) return unavailable('inviting');
  if (!desk.roster.hasRoom) return failed('conflict', 'the call has as many parties as it can hold');
  return mint(invitations, command, desk.facts);
}

async function mint(
  invitations: Invitations,
  { role, mode }: Of<'invite'>,
  facts: CallFacts,
): Promise<CommandResult> {
  try {
    return done({ role, mode, ...(await invitations.mint({ role, mode, handoverId: null }, facts)) });
  } catch (error) {
    return failed('unavailable', messageOf(error));
  }
}

/** Gives the telephone call away by the words of the caller's own protocol. */
export function transfer(desk: CallDesk, { to }: Of<'transfer'>): Outcome {
  const { caller } = desk.roster;
  const leg = caller?.party instanceof LegParty ? caller.party.leg : undefined;
  const message = leg?.capabilities.transfer ? leg.session.writeTransfer?.(to) : undefined;
  if (leg === undefined || message === undefined) {
    const asked = transferByProvider(desk, to);
    if (asked !== undefined) return asked;
    const dialect = caller?.party.dialectName ?? 'nobody';
    return failed(
      'failed_precondition',
      `the protocol of the caller (${dialect}) has no word for a transfer, and no REST account of the ` +
        'provider is there to do it',
    );
  }
  leg.send(message);
  desk.notes.transferredTo = to;
  return done({ to });
}

/** The stream may be gone before its provider has answered: that the call is given away is known before. */
function transferByProvider(desk: CallDesk, to: string): Promise<CommandResult> | undefined {
  const asked = orderAtProvider(desk, { action: 'transfer', to, from: null });
  if (asked === undefined) return undefined;
  desk.notes.transferredTo = to;
  return transferredOnceAccepted(desk, to, asked);
}

async function transferredOnceAccepted(
  { notes }: CallDesk,
  to: string,
  asked: Promise<CommandResult>,
): Promise<CommandResult> {
  const result = await asked;
  if (result.ok) return done({ to });
  if (notes.transferredTo === to) notes.transferredTo = null;
  return result;
}

/** The party that is meant, if it is here. */
function withMember(desk: CallDesk, legId: string, use: (member: Member) => Outcome): Outcome {
  const member = desk.roster.find(legId);
  return member === undefined ? failed('not_found', `${legId} is no leg of this call`) : use(member);
}

export const DENIED = failed('permission_denied', 'a caller may not ask for this');

export function isCaller(asker: Asker): asker is Extract<Asker, { type: 'leg' }> {
  return asker.type === 'leg' && asker.member.party.role === 'caller';
}
