import { refuse, type Refusal } from '../../base/errors.ts';
import { numberOf, type JsonObject } from '../../base/json.ts';
import type { LegStarted } from '../dialect.ts';
import { flagOf, isRefusal, nameOf, parametersOf } from '../fields.ts';
import { readFormats, type Formats } from './format.ts';

/** The version of the words on the wire; a second one would be another subprotocol. */
export const NATIVE_VERSION = 1;

/** What a `start` or a `resume` asks for. */
export interface Wishes {
  readonly started: LegStarted;
  readonly formats: Formats;
  readonly hasRtp: boolean;
}

/** The wishes of a first message; whatever is not said has its default. */
export function readWishes(message: JsonObject): Wishes | Refusal {
  if (numberOf(message['version'] ?? NATIVE_VERSION) !== NATIVE_VERSION) {
    return refuse('unsupported_version', `version is not ${NATIVE_VERSION}`);
  }
  const formats = readFormats(message['format']);
  if (isRefusal(formats)) return formats;
  const parameters = readParameters(message);
  if (isRefusal(parameters)) return parameters;
  const hasRtp = flagOf(message['rtp'], false);
  if (hasRtp === undefined) return refuse('invalid_argument', 'rtp is neither true nor false');
  const wantsEvents = flagOf(message['events'], false);
  if (wantsEvents === undefined) return refuse('invalid_argument', 'events is neither true nor false');
  const gate = message['gate'] ?? 'none';
  if (gate !== 'speech' && gate !== 'none') {
    return refuse('invalid_argument', 'gate is neither speech nor none');
  }
  const started: LegStarted = {
    type: 'started',
    providerCallId: null,
    providerStreamId: null,
    ...formats,
    bidirectional: true,
    parameters,
    speechOnly: gate === 'speech',
    wantsEvents,
  };
  return { started, formats, hasRtp };
}

function readParameters(message: JsonObject): LegStarted['parameters'] | Refusal {
  const parameters = parametersOf(message['parameters'], 'invalid_argument');
  if (isRefusal(parameters)) return parameters;
  const numbers: Record<string, string> = {};
  for (const field of ['from', 'to']) {
    const given = message[field];
    if (given === undefined || given === null) continue;
    const number = nameOf(given);
    if (number === undefined) return refuse('invalid_argument', `${field} is empty, too long or no text`);
    numbers[field] = number;
  }
  return { ...parameters, ...numbers };
}
