import { refuse, type Refusal } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import {
  choice,
  choiceOrNull,
  firstRefusal,
  flag,
  number,
  numberOrNull,
  object,
  sure,
  text,
  textOrNull,
  wrong,
} from './call-commands/arguments.ts';
import { readFork, type ForkCommand } from './call-commands/fork.ts';
import { readHandOver, type HandOverCommand } from './call-commands/hand-over.ts';
import { readTranscript, type AddTranscriptCommand } from './call-commands/transcript.ts';

/** What can be asked of a live call: by REST, in-band by a `native` leg, or by an agent's tool. */
export type CallCommand =
  | { readonly name: 'hang_up' }
  | { readonly name: 'hold'; readonly on: boolean; readonly source: 'music' | 'silence' }
  | { readonly name: 'mute'; readonly leg_id: string; readonly on: boolean }
  | {
      readonly name: 'set_gain';
      readonly leg_id: string;
      readonly gain_ratio: number;
      /** Who is to hear it so; null: everybody. */
      readonly listener_id: string | null;
    }
  | { readonly name: 'supervise'; readonly leg_id: string; readonly mode: SupervisionMode }
  | { readonly name: 'remove_leg'; readonly leg_id: string }
  | {
      readonly name: 'play';
      readonly url: string;
      readonly leg_id: string | null;
      readonly loop: boolean;
      readonly gain_ratio: number;
    }
  | { readonly name: 'clear'; readonly leg_id: string | null }
  | { readonly name: 'pause'; readonly leg_id: string | null }
  | { readonly name: 'resume'; readonly leg_id: string | null }
  | { readonly name: 'dtmf'; readonly digits: string; readonly leg_id: string | null }
  | { readonly name: 'invite'; readonly role: InvitedRole; readonly mode: SupervisionMode | null }
  | { readonly name: 'transfer'; readonly to: string }
  | { readonly name: 'set_disposition'; readonly disposition: string; readonly by: string }
  | {
      readonly name: 'qualify';
      readonly score: number;
      readonly threshold: number | null;
      readonly criteria: JsonObject;
    }
  | AddTranscriptCommand
  | HandOverCommand
  | {
      readonly name: 'answer_handover';
      readonly handover_id: string;
      readonly verdict: 'accept' | 'decline' | 'complete' | 'cancel';
    }
  /** Control's own: a member of the queue has accepted, and is to be told the way in. */
  | { readonly name: 'claim_handover'; readonly handover_id: string }
  | { readonly name: 'record'; readonly action: 'start' | 'pause' | 'resume' | 'stop' }
  | ForkCommand
  | { readonly name: 'stop_fork'; readonly fork_id: string }
  /** Control's own: the provider has told that its call is over. */
  | { readonly name: 'end_by_provider' }
  /** Control's own: the provider has told who answered. */
  | {
      readonly name: 'tell_answer';
      readonly result: 'human' | 'machine' | 'unknown';
      readonly decided_ms: number | null;
    };

export type CallCommandName = CallCommand['name'];
export type SupervisionMode = 'monitor' | 'whisper' | 'barge' | 'takeover';
export type InvitedRole = 'human' | 'supervisor' | 'agent';

const DIGITS_MAX = 64;
const GAIN_RATIO_MAX = 4;
const DECIDED_MS_MAX = 600_000;

type Reader<N extends CallCommandName> = (args: JsonObject) => Extract<CallCommand, { name: N }> | Refusal;

const READERS: { readonly [N in CallCommandName]: Reader<N> } = {
  hang_up: () => ({ name: 'hang_up' }),
  hold: (args) => {
    const on = flag(args, 'on');
    const source = choice(args, 'source', ['music', 'silence'], 'music');
    return firstRefusal(on, source) ?? { name: 'hold', on: sure(on), source: sure(source) };
  },
  mute: (args) => {
    const [leg_id, on] = [text(args, 'leg_id'), flag(args, 'on')];
    return firstRefusal(leg_id, on) ?? { name: 'mute', leg_id: sure(leg_id), on: sure(on) };
  },
  set_gain: (args) => {
    const [leg_id, listener_id] = [text(args, 'leg_id'), textOrNull(args, 'listener_id')];
    const gain = number(args, 'gain_ratio', 0, GAIN_RATIO_MAX);
    return (
      firstRefusal(leg_id, gain, listener_id) ?? {
        name: 'set_gain',
        leg_id: sure(leg_id),
        gain_ratio: sure(gain),
        listener_id: sure(listener_id),
      }
    );
  },
  supervise: (args) => {
    const [leg_id, mode] = [text(args, 'leg_id'), choice(args, 'mode', SUPERVISION_MODES)];
    return firstRefusal(leg_id, mode) ?? { name: 'supervise', leg_id: sure(leg_id), mode: sure(mode) };
  },
  remove_leg: (args) => {
    const leg_id = text(args, 'leg_id');
    return firstRefusal(leg_id) ?? { name: 'remove_leg', leg_id: sure(leg_id) };
  },
  play: (args) => {
    const [url, leg_id, loop] = [text(args, 'url'), textOrNull(args, 'leg_id'), flag(args, 'loop', false)];
    const gain = number(args, 'gain_ratio', 0, GAIN_RATIO_MAX, 1);
    return (
      firstRefusal(url, leg_id, loop, gain) ?? {
        name: 'play',
        url: sure(url),
        leg_id: sure(leg_id),
        loop: sure(loop),
        gain_ratio: sure(gain),
      }
    );
  },
  clear: (args) => {
    const leg_id = textOrNull(args, 'leg_id');
    return firstRefusal(leg_id) ?? { name: 'clear', leg_id: sure(leg_id) };
  },
  pause: (args) => {
    const leg_id = textOrNull(args, 'leg_id');
    return firstRefusal(leg_id) ?? { name: 'pause', leg_id: sure(leg_id) };
  },
  resume: (args) => {
    const leg_id = textOrNull(args, 'leg_id');
    return firstRefusal(leg_id) ?? { name: 'resume', leg_id: sure(leg_id) };
  },
  dtmf: (args) => {
    const [digits, leg_id] = [text(args, 'digits'), textOrNull(args, 'leg_id')];
    const refusal = firstRefusal(digits, leg_id);
    if (refusal !== undefined) return refusal;
    const keys = sure(digits).toUpperCase();
    if (keys.length > DIGITS_MAX || !/^[0-9*#A-D]+$/.test(keys)) {
      return wrong('digits', `must be 1 to ${DIGITS_MAX} of 0–9, *, #, A–D`);
    }
    return { name: 'dtmf', digits: keys, leg_id: sure(leg_id) };
  },
  invite: (args) => {
    const role = choice(args, 'role', ['human', 'supervisor', 'agent']);
    const mode = choiceOrNull(args, 'mode', SUPERVISION_MODES);
    const refusal = firstRefusal(role, mode);
    if (refusal !== undefined) return refusal;
    if (sure(role) !== 'supervisor' && mode !== null) return wrong('mode', 'only a supervisor has one');
    const supervision = sure(role) === 'supervisor' ? (sure(mode) ?? 'monitor') : null;
    return { name: 'invite', role: sure(role), mode: supervision };
  },
  transfer: (args) => {
    const to = text(args, 'to');
    return firstRefusal(to) ?? { name: 'transfer', to: sure(to) };
  },
  set_disposition: (args) => {
    const [disposition, by] = [text(args, 'disposition'), textOrNull(args, 'by')];
    const refusal = firstRefusal(disposition, by);
    return refusal ?? { name: 'set_disposition', disposition: sure(disposition), by: sure(by) ?? 'api' };
  },
  qualify: (args) => {
    const score = number(args, 'score', -1_000_000, 1_000_000);
    const threshold = numberOrNull(args, 'threshold', -1_000_000, 1_000_000);
    const criteria = object(args, 'criteria');
    return (
      firstRefusal(score, threshold, criteria) ?? {
        name: 'qualify',
        score: sure(score),
        threshold: sure(threshold),
        criteria: sure(criteria),
      }
    );
  },
  add_transcript: (args) => readTranscript(args),
  hand_over: (args) => readHandOver(args),
  answer_handover: (args) => {
    const handover_id = text(args, 'handover_id');
    const verdict = choice(args, 'verdict', ['accept', 'decline', 'complete', 'cancel']);
    return (
      firstRefusal(handover_id, verdict) ?? {
        name: 'answer_handover',
        handover_id: sure(handover_id),
        verdict: sure(verdict),
      }
    );
  },
  claim_handover: (args) => {
    const handover_id = text(args, 'handover_id');
    return firstRefusal(handover_id) ?? { name: 'claim_handover', handover_id: sure(handover_id) };
  },
  record: (args) => {
    const action = choice(args, 'action', ['start', 'pause', 'resume', 'stop']);
    return firstRefusal(action) ?? { name: 'record', action: sure(action) };
  },
  fork: (args) => readFork(args),
  stop_fork: (args) => {
    const fork_id = text(args, 'fork_id');
    return firstRefusal(fork_id) ?? { name: 'stop_fork', fork_id: sure(fork_id) };
  },
  end_by_provider: () => ({ name: 'end_by_provider' }),
  tell_answer: (args) => {
    const result = choice(args, 'result', ['human', 'machine', 'unknown']);
    const decided_ms = numberOrNull(args, 'decided_ms', 0, DECIDED_MS_MAX);
    const refusal = firstRefusal(result, decided_ms);
    return refusal ?? { name: 'tell_answer', result: sure(result), decided_ms: sure(decided_ms) };
  },
};

const SUPERVISION_MODES = ['monitor', 'whisper', 'barge', 'takeover'] as const;

/** Every command there is, by its name on the wire. */
export const CALL_COMMAND_NAMES = Object.keys(READERS) as readonly CallCommandName[];

/** The command of that name, out of a stranger's arguments; what is wrong with them is said by field. */
export function readCallCommand(name: string, args: JsonObject): CallCommand | Refusal {
  if (!Object.hasOwn(READERS, name))
    return refuse('invalid_argument', `there is no command ${name.slice(0, 64)}`);
  return READERS[name as CallCommandName](args);
}
