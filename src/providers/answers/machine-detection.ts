import { isObject, numberOf } from '../../base/json.ts';
import { saidIn } from './told-call.ts';
import { fieldsWithin, jsonOf, type Fields, type Webhook } from './webhook.ts';

/** Who answered a call, as its provider has made out. */
export interface ToldAnswer {
  readonly result: 'human' | 'machine' | 'unknown';
  /** How long it took; null where the provider does not say. */
  readonly decidedMs: number | null;
}

type Reader = (fields: Fields, webhook: Webhook) => string | undefined;

const READERS: { readonly [dialect: string]: Reader } = {
  twilio: answeredBy,
  fonoster: answeredBy,
  signalwire: answeredBy,
  // TeXML has Twilio's field, Call Control an event of its own (`call.machine.…detection.ended`).
  telnyx: (fields) =>
    /^call\.machine\.(?:premium\.)?detection\.ended$/.test(fields['event_type'] ?? '')
      ? fields['result']
      : answeredBy(fields),
  plivo: plivoWord,
  vobiz: plivoWord,
  bandwidth: ({ eventType }, webhook) =>
    eventType === 'machineDetectionComplete' ? bandwidthWord(webhook) : undefined,
  // `human` and `machine` are events like `answered`; `beep_start` follows a machine (`sub_state`).
  vonage: ({ status }) => (status === 'human' || status === 'machine' ? status : undefined),
  jambonz: ({ type = '' }) => /^amd_(human|machine)_detected$/.exec(type)?.[1] ?? jambonzDoubt(type),
};

/** What a callback tells of who answered; undefined where it tells nothing of it. */
export function toldAnswerOf(dialect: string, webhook: Webhook): ToldAnswer | undefined {
  const fields = saidIn(dialect, webhook);
  const read = Object.hasOwn(READERS, dialect) ? READERS[dialect] : undefined;
  const word = read?.(fields, webhook);
  if (word === undefined || word === '') return undefined;
  const decidedMs = numberOf(fields['MachineDetectionDuration']) ?? null;
  return { result: resultOf(word), decidedMs: decidedMs !== null && decidedMs >= 0 ? decidedMs : null };
}

/** `AnsweredBy` of Twilio (twilio.com/docs/voice/answering-machine-detection) and its look-alikes. */
function answeredBy({ AnsweredBy: word }: Fields): string | undefined {
  return word;
}

/** `Event=MachineDetection` with `Machine` true or false (docs.plivo.com, machine detection). */
function plivoWord({ Event: event, Machine: machine = '' }: Fields): string | undefined {
  if (event !== 'MachineDetection') return undefined;
  return machine.toLowerCase() === 'true' ? 'machine' : 'human';
}

/** dev.bandwidth.com, webhook `machineDetectionComplete`. */
function bandwidthWord(webhook: Webhook): string {
  const { machineDetectionResult: told } = jsonOf(webhook);
  return (isObject(told) ? fieldsWithin(told)['value'] : undefined) ?? 'unknown';
}

function jambonzDoubt(type: string): string | undefined {
  return type === 'amd_no_speech_detected' || type === 'amd_decision_timeout' ? 'unknown' : undefined;
}

/** `machine_end_beep`, `human_residence`, `answering-machine`, `fax` …: what is neither is not known. */
function resultOf(word: string): ToldAnswer['result'] {
  const spelled = word.toLowerCase();
  if (spelled.startsWith('human')) return 'human';
  return /machine|fax|tone-detected/.test(spelled) ? 'machine' : 'unknown';
}
