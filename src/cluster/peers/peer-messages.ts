import { FAULTS, refuse, type FaultCode, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { readCallCommand } from '../../events/call-commands.ts';
import type { CommandResult, CommandToCall } from '../../events/commands.ts';

/** What one node asks another. */
export type PeerQuestion =
  /** Answered with a boolean. */
  { readonly name: 'holds'; readonly call_id: string } | GiveQuestion | CommandToCall | DrainQuestion;

/** The node asked is to leave; answered once it has begun to. */
export interface DrainQuestion {
  readonly name: 'drain';
}

/** The incarnation `to` wants the call; the answer says whether it goes there or stays. */
export interface GiveQuestion {
  readonly name: 'give';
  readonly call_id: string;
  readonly to: string;
  /** The leg that came there and its connection's generation; absent where it came by its provider's name. */
  readonly leg_id?: string;
  readonly generation?: number;
}

/** Who speaks: first on every link, from both sides. */
export interface PeerHello {
  readonly version: 1;
  readonly incarnation: string;
}

export function readHello(payload: Buffer): PeerHello | undefined {
  const hello = parseObject(payload);
  const incarnation = textOf(hello?.['incarnation']);
  if (hello?.['version'] !== 1 || incarnation === undefined || incarnation === '') return undefined;
  return { version: 1, incarnation };
}

/** A question as its bytes say it. */
export function readQuestion(payload: Buffer): PeerQuestion | Refusal {
  const question = parseObject(payload);
  if (question === undefined) return refuse('not_json', 'a question is not a JSON object');
  if (question['name'] === 'drain') return { name: 'drain' };
  const callId = textOf(question['call_id']);
  if (callId === undefined) return refuse('invalid_argument', 'a question names no call');
  if (question['name'] === 'holds') return { name: 'holds', call_id: callId };
  if (question['name'] === 'call_command') return readCommand(question, callId);
  const to = textOf(question['to']);
  if (question['name'] === 'give' && to !== undefined) return readGive(question, callId, to);
  return refuse('invalid_argument', 'no question we know');
}

function readGive(question: JsonObject, callId: string, to: string): GiveQuestion {
  const legId = textOf(question['leg_id']);
  const generation = question['generation'];
  const comer = legId === undefined || typeof generation !== 'number' ? {} : { leg_id: legId, generation };
  return { name: 'give', call_id: callId, to, ...comer };
}

function readCommand(question: JsonObject, callId: string): CommandToCall | Refusal {
  const workspaceId = textOf(question['workspace_id']);
  const command = question['command'];
  const name = isObject(command) ? textOf(command['name']) : undefined;
  if (workspaceId === undefined || !isObject(command) || name === undefined) {
    return refuse('invalid_argument', 'no command we know');
  }
  const read = readCallCommand(name, command);
  if ('type' in read) return read;
  return { name: 'call_command', call_id: callId, workspace_id: workspaceId, command: read };
}

/** An answer as its bytes say it; undefined where they say none. */
export function readAnswer(payload: Buffer): CommandResult | undefined {
  const answer = parseObject(payload);
  if (answer?.['ok'] === true) return { ok: true, value: answer['value'] };
  const fault = textOf(answer?.['fault']);
  if (answer?.['ok'] !== false || fault === undefined || !isFault(fault)) return undefined;
  return { ok: false, fault, detail: textOf(answer['detail']) ?? '' };
}

function isFault(text: string): text is FaultCode {
  return Object.hasOwn(FAULTS, text);
}
