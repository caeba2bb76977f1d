import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, textOf, type JsonObject } from '../../base/json.ts';
import { readCallCommand, type CallCommand, type CallCommandName } from '../../events/call-commands.ts';

/** An action of a hook: its name, and arguments that stand over the mapped fields. */
export interface InboundAction {
  readonly type: string;
  readonly args: JsonObject;
}

/** What one accepted call is to do to a call of ours, as it is kept until it is done. */
export interface PlannedCommand {
  readonly action: string;
  readonly callId: string;
  readonly command: CallCommand;
}

/** What all actions of a hook come to for one body. */
export interface Plan {
  readonly commands: readonly PlannedCommand[];
  readonly events: readonly { readonly type: string; readonly data: JsonObject }[];
}

/** Actions on calls, each a command of `events/call-commands.ts`: another one is another line. */
const CALL_ACTIONS: {
  readonly [action: string]: { readonly command: CallCommandName; readonly fixed?: JsonObject };
} = {
  start_handover: { command: 'hand_over' },
  accept_handover: { command: 'answer_handover', fixed: { verdict: 'accept' } },
  end_handover: { command: 'answer_handover', fixed: { verdict: 'complete' } },
  cancel_handover: { command: 'answer_handover', fixed: { verdict: 'cancel' } },
  set_disposition: { command: 'set_disposition' },
  qualify: { command: 'qualify' },
  add_transcript: { command: 'add_transcript' },
  transfer: { command: 'transfer' },
  hang_up: { command: 'hang_up' },
};

/** Actions on records: refused until there are records for them to work on. */
const RECORD_ACTIONS = ['tag', 'create_contact', 'upsert_contact', 'assign', 'escalate'];

const PUBLISH = 'publish_event';
const CUSTOM_TYPE = /^custom(?:\.[a-z0-9_]{1,32}){1,4}$/;

/** Every action a hook may have. */
export const ACTION_NAMES: readonly string[] = [...Object.keys(CALL_ACTIONS), PUBLISH];

/** Why a hook cannot have this action, where it cannot. */
export function faultOfAction({ type, args }: InboundAction): Refusal | undefined {
  if (RECORD_ACTIONS.includes(type)) {
    return refuse('failed_precondition', `${type} works on records, which this version does not keep`);
  }
  if (!ACTION_NAMES.includes(type)) {
    return refuse('invalid_argument', `there is no action ${type}; there are ${ACTION_NAMES.join(', ')}`);
  }
  if (type !== PUBLISH || CUSTOM_TYPE.test(textOf(args['event']) ?? '')) return undefined;
  return refuse('invalid_argument', 'publish_event takes args.event, the type to publish: custom.…');
}

/** What the actions come to with these fields; what they cannot be carried out with is refused at once. */
export function planOf(actions: readonly InboundAction[], fields: JsonObject): Plan | Refusal {
  const commands: PlannedCommand[] = [];
  const events: { type: string; data: JsonObject }[] = [];
  for (const { type, args } of actions) {
    if (type === PUBLISH) {
      events.push({ type: textOf(args['event']) ?? '', data: { ...fields, ...objectOf(args['data']) } });
      continue;
    }
    const planned = commandOf(type, { ...fields, ...args });
    if (!('action' in planned)) return planned;
    commands.push(planned);
  }
  return { commands, events };
}

function commandOf(action: string, given: JsonObject): PlannedCommand | Refusal {
  const entry = CALL_ACTIONS[action];
  if (entry === undefined) return refuse('failed_precondition', `there is no action ${action} any more`);
  const callId = textOf(given['call_id']);
  if (callId === undefined || callId === '' || callId.length > 64) {
    return refuse('invalid_argument', `${action}: no call_id of 1 to 64 characters is mapped`);
  }
  const command = readCallCommand(entry.command, { ...given, ...entry.fixed });
  if ('name' in command) return { action, callId, command };
  return refuse(command.fault, `${action}: ${command.detail}`);
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
