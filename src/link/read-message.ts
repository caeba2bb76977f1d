import { refuse, type Refusal } from '../base/errors.ts';
import { isObject, type JsonObject } from '../base/json.ts';
import { LINK_PROTOCOL, type FromControl, type FromNode } from './messages.ts';

/** A node's message as control may rely on it: every field that decides anything is what it should be. */
export function readFromNode(message: JsonObject): FromNode | Refusal {
  return flawOfNode(message) ?? (message as unknown as FromNode);
}

/** Control's message as a node may rely on it. */
export function readFromControl(message: JsonObject): FromControl | Refusal {
  return flawOfControl(message) ?? (message as unknown as FromControl);
}

// The two sides are started from one checkout, so the shape below what is tested here is the other side's
// promise; what is tested is what would let a damaged message do harm.
function flawOfNode(message: JsonObject): Refusal | undefined {
  switch (message.type) {
    case 'hello':
      return flawOfVersion(message) ?? flawUnless(isHello(message), message);
    case 'events':
      return flawUnless(isNumber(message.first, 1) && isRecords(message.records), message);
    case 'status':
      return flawUnless(isObject(message.status), message);
    case 'result':
      return flawUnless(isNumber(message.id, 1) && isResult(message.result), message);
    case 'ask':
      return flawUnless(isNumber(message.id, 1) && isNamed(message.ask), message);
    default:
      return refuse('protocol_violation', `a node does not say ${String(message.type)}`);
  }
}

function flawOfControl(message: JsonObject): Refusal | undefined {
  switch (message.type) {
    case 'welcome':
      return flawOfVersion(message) ?? flawUnless(isNumber(message.ackedRecord, 0), message);
    case 'ack':
      return flawUnless(isNumber(message.record, 0), message);
    case 'command':
      return flawUnless(isNumber(message.id, 1) && isNamed(message.command), message);
    case 'answer':
      return flawUnless(isNumber(message.id, 1) && isResult(message.result), message);
    default:
      return refuse('protocol_violation', `control does not say ${String(message.type)}`);
  }
}

function flawUnless(isSound: boolean, message: JsonObject): Refusal | undefined {
  if (isSound) return undefined;
  return refuse('protocol_violation', `a ${String(message.type)} message is not what it should be`);
}

function flawOfVersion(message: JsonObject): Refusal | undefined {
  if (message.protocol === LINK_PROTOCOL) return undefined;
  return refuse('unsupported_version', `link protocol ${String(message.protocol)}, not ${LINK_PROTOCOL}`);
}

function isHello(message: JsonObject): boolean {
  return (
    typeof message.incarnation === 'string' &&
    typeof message.region === 'string' &&
    isNumber(message.node, 0) &&
    isNumber(message.pid, 1) &&
    isNumber(message.ownPort, 0) &&
    isNumber(message.firstRecord, 1)
  );
}

function isRecords(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((record) => isObject(record) && isObject(record.envelope) && isObject(record.stamps))
  );
}

function isResult(value: unknown): boolean {
  if (!isObject(value)) return false;
  return value.ok === true || (value.ok === false && typeof value.fault === 'string');
}

function isNamed(value: unknown): boolean {
  return isObject(value) && typeof value.name === 'string';
}

function isNumber(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min;
}
