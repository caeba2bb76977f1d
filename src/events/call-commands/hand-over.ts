import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { choice, firstRefusal, number, object, sure, text, textOrNull, wrong } from './arguments.ts';

/** The caller is to be given to somebody else. */
export interface HandOverCommand {
  readonly name: 'hand_over';
  readonly target: HandoverTarget;
  readonly mode: 'cold' | 'warm' | 'whisper';
  readonly reason: string | null;
  readonly context: JsonObject;
  readonly timeout_ms: number;
  readonly hold: 'music' | 'silence' | 'agent_keeps_talking';
}

/** Who is to have the caller. */
export interface HandoverTarget {
  readonly type: 'console' | 'queue' | 'ws' | 'leg' | 'phone';
  /** A queue's or an operator's name, a URL, a leg id, a telephone number. */
  readonly to: string;
}

const TIMEOUT_MS = 30_000;
const TIMEOUT_MS_MAX = 600_000;

export function readHandOver(args: JsonObject): HandOverCommand | Refusal {
  const target = args['target'];
  if (!isObject(target)) return wrong('target', 'is not an object');
  const type = choice(target, 'type', ['console', 'queue', 'ws', 'leg', 'phone']);
  const to = text(target, 'to');
  const mode = choice(args, 'mode', ['cold', 'warm', 'whisper'], 'cold');
  const hold = choice(args, 'hold', ['music', 'silence', 'agent_keeps_talking'], 'music');
  const reason = textOrNull(args, 'reason');
  const context = object(args, 'context');
  const timeout_ms = number(args, 'timeout_ms', 1_000, TIMEOUT_MS_MAX, TIMEOUT_MS);
  const refusal = firstRefusal(type, to, mode, hold, reason, context, timeout_ms);
  if (refusal !== undefined) return refusal;
  if (sure(type) === 'phone' && sure(mode) !== 'cold') {
    return refuse('failed_precondition', 'a phone target can only be handed over to cold');
  }
  return {
    name: 'hand_over',
    target: { type: sure(type), to: sure(to) },
    mode: sure(mode),
    hold: sure(hold),
    reason: sure(reason),
    context: sure(context),
    timeout_ms: sure(timeout_ms),
  };
}
