import { refuse, type Refusal } from '../base/errors.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../base/json.ts';

/** What can be asked of a live call: by REST, in-band by a `native` leg, or by an agent's tool. */
export type CallCommand =
  | { readonly name: 'hang_up' }
  | { readonly name: 'hold'; readonly on: boolean; readonly source: 'music' | 'silence' }
  | { readonly name: 'mute'; readonly leg_id: string; readonly on: boolean }
  | { readonly name: 'set_gain'; readonly leg_id: string; readonly gain_ratio: number }
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
  | { readonly name: 'add_transcript'; readonly segments: readonly TranscriptSegment[] }
  | {
      readonly name: 'hand_over';
      readonly target: HandoverTarget;
      readonly mode: 'cold' | 'warm' | 'whisper';
      readonly reason: string | null;
      readonly context: JsonObject;
      readonly timeout_ms: number;
      readonly hold: 'music' | 'silence' | 'agent_keeps_talking';
    }
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

/** A copy of a leg's sound to a WebSocket of somebody's. */
export interface ForkCommand {
  readonly name: 'fork';
  readonly url: string | null;
  /** Null: the caller's. */
  readonly leg_id: string | null;
  readonly gate: 'speech' | 'none';
  /** What the leg says, what it hears, or both as two channels. */
  readonly tracks: 'inbound' | 'outbound' | 'both';
  readonly protocol: 'raw' | 'native' | 'deepgram-stt';
  readonly codec: 'l16' | 'pcmu';
  readonly api_key: string | null;
  readonly model: string | null;
  readonly language: string | null;
}

export type CallCommandName = CallCommand['name'];
export type SupervisionMode = 'monitor' | 'whisper' | 'barge' | 'takeover';
export type InvitedRole = 'human' | 'supervisor' | 'agent';

/** Who is to have the caller. */
export interface HandoverTarget {
  readonly type: 'console' | 'queue' | 'ws' | 'leg' | 'phone';
  /** A queue's or an operator's name, a URL, a leg id, a telephone number. */
  readonly to: string;
}

export interface TranscriptSegment {
  readonly speaker: string;
  readonly text: string;
  readonly start_ms: number | null;
  readonly end_ms: number | null;
}

const TEXT_CHARACTERS_MAX = 1_024;
const SEGMENT_CHARACTERS_MAX = 8_192;
const SEGMENTS_MAX = 500;
const CONTEXT_BYTES_MAX = 64 * 1_024;
const DIGITS_MAX = 64;
const GAIN_RATIO_MAX = 4;
const DECIDED_MS_MAX = 600_000;
const HANDOVER_TIMEOUT_MS = 30_000;
const HANDOVER_TIMEOUT_MS_MAX = 600_000;

type Args = JsonObject;
type Reader<N extends CallCommandName> = (args: Args) => Extract<CallCommand, { name: N }> | Refusal;

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
    const [leg_id, gain] = [text(args, 'leg_id'), number(args, 'gain_ratio', 0, GAIN_RATIO_MAX)];
    return firstRefusal(leg_id, gain) ?? { name: 'set_gain', leg_id: sure(leg_id), gain_ratio: sure(gain) };
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
    const mode = args['mode'] === undefined ? null : choice(args, 'mode', SUPERVISION_MODES);
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
    const threshold =
      args['threshold'] === undefined ? null : number(args, 'threshold', -1_000_000, 1_000_000);
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
  add_transcript: (args) => readSegments(args['segments']),
  hand_over: (args) => readHandover(args),
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
    const decided_ms =
      args['decided_ms'] === undefined ? null : number(args, 'decided_ms', 0, DECIDED_MS_MAX);
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

function readHandover(args: Args): Extract<CallCommand, { name: 'hand_over' }> | Refusal {
  const target = args['target'];
  if (!isObject(target)) return wrong('target', 'is not an object');
  const type = choice(target, 'type', ['console', 'queue', 'ws', 'leg', 'phone']);
  const to = text(target, 'to');
  const mode = choice(args, 'mode', ['cold', 'warm', 'whisper'], 'cold');
  const hold = choice(args, 'hold', ['music', 'silence', 'agent_keeps_talking'], 'music');
  const reason = textOrNull(args, 'reason');
  const context = object(args, 'context');
  const timeout_ms = number(args, 'timeout_ms', 1_000, HANDOVER_TIMEOUT_MS_MAX, HANDOVER_TIMEOUT_MS);
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

function readFork(args: Args): ForkCommand | Refusal {
  const [url, leg_id, api_key] = [
    textOrNull(args, 'url'),
    textOrNull(args, 'leg_id'),
    textOrNull(args, 'api_key'),
  ];
  const gate = choice(args, 'gate', ['speech', 'none'], 'none');
  const tracks = choice(args, 'tracks', ['inbound', 'outbound', 'both'], 'inbound');
  const protocol = choice(args, 'protocol', ['raw', 'native', 'deepgram-stt'], 'raw');
  const codec = choice(args, 'codec', ['l16', 'pcmu'], 'l16');
  const [model, language] = [textOrNull(args, 'model'), textOrNull(args, 'language')];
  const refusal = firstRefusal(url, leg_id, api_key, gate, tracks, protocol, codec, model, language);
  if (refusal !== undefined) return refusal;
  if (sure(url) === null && sure(protocol) !== 'deepgram-stt') return wrong('url', 'is needed');
  if (sure(gate) === 'speech' && sure(tracks) !== 'inbound') {
    return wrong('gate', 'of speech is for what a leg says alone');
  }
  if (sure(protocol) === 'native' && sure(tracks) === 'both') {
    return wrong('tracks', 'of omnivoice.v1 are one channel');
  }
  return {
    name: 'fork',
    url: sure(url),
    leg_id: sure(leg_id),
    gate: sure(gate),
    tracks: sure(tracks),
    protocol: sure(protocol),
    codec: sure(codec),
    api_key: sure(api_key),
    model: sure(model),
    language: sure(language),
  };
}

function readSegments(value: unknown): Extract<CallCommand, { name: 'add_transcript' }> | Refusal {
  if (!Array.isArray(value) || value.length === 0 || value.length > SEGMENTS_MAX) {
    return wrong('segments', `must be a list of 1 to ${SEGMENTS_MAX}`);
  }
  const segments: TranscriptSegment[] = [];
  for (const given of value as readonly unknown[]) {
    if (!isObject(given)) return wrong('segments', 'has something that is no object');
    const said = textOf(given['text']);
    const speaker = text(given, 'speaker');
    if (said === undefined || said.length > SEGMENT_CHARACTERS_MAX) {
      return wrong('segments', `needs a text of at most ${SEGMENT_CHARACTERS_MAX} characters in each`);
    }
    const refusal = firstRefusal(speaker);
    if (refusal !== undefined) return refusal;
    segments.push({
      speaker: sure(speaker),
      text: said,
      start_ms: numberOf(given['start_ms']) ?? null,
      end_ms: numberOf(given['end_ms']) ?? null,
    });
  }
  return { name: 'add_transcript', segments };
}

function text(args: Args, field: string): string | Refusal {
  const given = textOf(args[field]);
  if (given !== undefined && given !== '' && given.length <= TEXT_CHARACTERS_MAX) return given;
  return wrong(field, `must be text of 1 to ${TEXT_CHARACTERS_MAX} characters`);
}

function textOrNull(args: Args, field: string): string | null | Refusal {
  return args[field] === undefined || args[field] === null ? null : text(args, field);
}

function flag(args: Args, field: string, otherwise?: boolean): boolean | Refusal {
  const given = args[field];
  if (given === true || given === 'true') return true;
  if (given === false || given === 'false') return false;
  return given === undefined && otherwise !== undefined ? otherwise : wrong(field, 'must be true or false');
}

function number(args: Args, field: string, min: number, max: number, otherwise?: number): number | Refusal {
  if (args[field] === undefined && otherwise !== undefined) return otherwise;
  const given = numberOf(args[field]);
  if (given !== undefined && given >= min && given <= max) return given;
  return wrong(field, `must be a number from ${min} to ${max}`);
}

function choice<T extends string>(
  args: Args,
  field: string,
  values: readonly T[],
  otherwise?: T,
): T | Refusal {
  const given = args[field];
  if (given === undefined && otherwise !== undefined) return otherwise;
  return values.find((value) => value === given) ?? wrong(field, `must be one of ${values.join(', ')}`);
}

function object(args: Args, field: string): JsonObject | Refusal {
  const given = args[field];
  if (given === undefined || given === null) return {};
  if (!isObject(given)) return wrong(field, 'is not an object');
  return JSON.stringify(given).length <= CONTEXT_BYTES_MAX
    ? given
    : wrong(field, `is larger than ${CONTEXT_BYTES_MAX} bytes`);
}

// A stranger's own object may look like a refusal; ours are known by identity.
const OURS = new WeakSet<object>();

function wrong(field: string, why: string): Refusal {
  const refusal = refuse('invalid_argument', `${field} ${why}`);
  OURS.add(refusal);
  return refusal;
}

function firstRefusal(...values: readonly unknown[]): Refusal | undefined {
  return values.find((value): value is Refusal => isObject(value) && OURS.has(value));
}

/** A value that was looked at and is no refusal. */
function sure<T>(value: T | Refusal): T {
  return value as T;
}
