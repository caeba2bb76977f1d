import type { CallCommand } from '../../events/call-commands.ts';
import type { Asker } from '../commands/outcome.ts';
import type { HandoverInput } from './handover.ts';
import type { RunningHandover } from './running-handover.ts';

type Verdict = Extract<CallCommand, { name: 'answer_handover' }>['verdict'];

/** What a verdict is to the machine. */
export function inputOf(verdict: Verdict, legId: string): HandoverInput {
  switch (verdict) {
    case 'accept':
      return { type: 'accepted', legId };
    case 'decline':
      return { type: 'declined' };
    case 'complete':
      return { type: 'completed' };
    default:
      return { type: 'cancelled' };
  }
}

/** In its own socket the target answers for itself, and whoever had the caller may end or take back. */
export function mayAnswer({ targetLegId, former }: RunningHandover, verdict: Verdict, asker: Asker): boolean {
  if (asker.type === 'outside') return true;
  const { party } = asker.member;
  if (party.id === targetLegId) return verdict !== 'cancel';
  const isInCharge = party.id === former?.party.id || party.role === 'supervisor';
  return isInCharge && (verdict === 'complete' || verdict === 'cancel');
}
