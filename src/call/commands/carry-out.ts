import type { AtMs } from '../../base/clock.ts';
import type { CallCommand, CallCommandName } from '../../events/call-commands.ts';
import type { CallDesk } from '../call-desk.ts';
import type { CallPart } from '../call-part.ts';
import {
  DENIED,
  hangUp,
  hold,
  invite,
  isCaller,
  mute,
  removeLeg,
  setGain,
  supervise,
  transfer,
} from './lines.ts';
import { addTranscript, qualify, setDisposition } from './notes.ts';
import { failed, unavailable, type Asker, type Outcome } from './outcome.ts';
import { clear, dtmf, pause, play, resume } from './sounds.ts';
import { endByProvider, tellAnswer } from '../provider/provider-news.ts';

type CarryOut<N extends CallCommandName> = (
  desk: CallDesk,
  command: Extract<CallCommand, { name: N }>,
  asker: Asker,
  nowMs: AtMs,
) => Outcome;

/** What every call can do by itself. */
const OWN: { readonly [N in CallCommandName]?: CarryOut<N> } = {
  hang_up: hangUp,
  hold,
  mute,
  set_gain: setGain,
  supervise,
  remove_leg: removeLeg,
  invite,
  transfer,
  play,
  clear,
  pause,
  resume,
  dtmf,
  set_disposition: setDisposition,
  qualify,
  add_transcript: addTranscript,
  end_by_provider: endByProvider,
  tell_answer: tellAnswer,
};

/** What needs a part that a node may not have. */
const BUILT_ON_TOP: { readonly [N in CallCommandName]?: string } = {
  hand_over: 'handing over',
  answer_handover: 'handing over',
  record: 'recording',
  fork: 'forking',
  stop_fork: 'forking',
};

// A caller's token may be in anybody's browser: it can do what a telephone can, and no more.
const CALLER_MAY: readonly CallCommandName[] = [
  'hang_up',
  'hold',
  'mute',
  'clear',
  'pause',
  'resume',
  'dtmf',
];

/** What only control knows: its provider said so. */
const OUTSIDE_ALONE: readonly CallCommandName[] = ['end_by_provider', 'tell_answer', 'claim_handover'];

/** Does what is asked of a call, or says why not. */
export function carryOut(
  desk: CallDesk,
  parts: readonly CallPart[],
  command: CallCommand,
  asker: Asker,
  nowMs: AtMs,
): Outcome {
  if (desk.state.name !== 'active') return failed('failed_precondition', 'this call has ended');
  if (isCaller(asker) && !CALLER_MAY.includes(command.name)) return DENIED;
  if (asker.type === 'leg' && OUTSIDE_ALONE.includes(command.name)) return DENIED;
  const part = parts.find(({ commands }) => commands?.includes(command.name));
  if (part?.command !== undefined) return part.command(command, asker, nowMs);
  const own = OWN[command.name] as CarryOut<CallCommandName> | undefined;
  if (own !== undefined) return own(desk, command, asker, nowMs);
  return unavailable(BUILT_ON_TOP[command.name] ?? command.name);
}
