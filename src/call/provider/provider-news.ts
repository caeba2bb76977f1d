import type { AtMs } from '../../base/clock.ts';
import type { CallCommand } from '../../events/call-commands.ts';
import type { CallDesk } from '../call-desk.ts';
import { done, failed, type Asker, type Outcome } from '../commands/outcome.ts';

type Of<N extends CallCommand['name']> = Extract<CallCommand, { name: N }>;

/** The telephone call is over at its provider: the caller's leg is, too, should its stream not say so. */
export function endByProvider(desk: CallDesk, _: Of<'end_by_provider'>, _asker: Asker, nowMs: AtMs): Outcome {
  const { caller } = desk.roster;
  if (caller === undefined) desk.end('provider_stop', nowMs);
  else desk.dismiss(caller, { leg: 'provider_stop', call: 'provider_stop' }, nowMs);
  return done({ call_id: desk.facts.id });
}

/** Who answered, as the provider has made out. What was told first stands. */
export function tellAnswer(
  desk: CallDesk,
  { result, decided_ms }: Of<'tell_answer'>,
  _: Asker,
  nowMs: AtMs,
): Outcome {
  const { notes, roster, state } = desk;
  if (state.name !== 'active') return failed('failed_precondition', 'this call has ended');
  if (notes.answeredBy !== null) return done({ result: notes.answeredBy });
  notes.answeredBy = result;
  const leg_id = roster.caller?.party.id ?? null;
  const decidedMs = decided_ms ?? Math.round(nowMs - state.startedAtMs);
  desk.emit('amd_result', { leg_id, result, cause: 'provider', decided_ms: decidedMs }, nowMs);
  return done({ result });
}
