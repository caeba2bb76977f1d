import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import { AUDIO, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { isRefusal, nameOf } from '../fields.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { parametersWith } from '../json-media/stream/read-words.ts';
import { readEncoding } from './encodings.ts';
import { VOXIMPLANT_WORDS } from './words.ts';

/** What a start leaves open. */
export interface VoximplantWishes {
  readonly littleEndian: boolean;
  readonly bidirectional: boolean;
}

/** What Voximplant says: start, numbered audio, stop. */
export class VoximplantReader {
  readonly #reader: MediaReader;
  #samplesPerMs = 8;

  constructor(wishes: VoximplantWishes) {
    this.#reader = new MediaReader({
      words: VOXIMPLANT_WORDS,
      start: (message) => readStart(message, wishes),
      events: new Map(),
    });
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result === AUDIO && into.timestampMs >= 0) {
      into.timestampMs = Math.floor(into.timestampMs / this.#samplesPerMs);
    }
    if (result.type === 'started') this.#samplesPerMs = result.inbound.sampleRateHz / 1000;
    return result;
  }
}

function readStart(message: JsonObject, wishes: VoximplantWishes): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  const named = start['mediaFormat'];
  const format = isObject(named)
    ? readEncoding(named['encoding'], named['sampleRate'], wishes.littleEndian)
    : undefined;
  if (format === undefined) return refuse('unsupported_format', 'mediaFormat is none that can be carried');
  // Where the tag stands is not confirmed.
  const tag = start['tag'] ?? message['tag'];
  const parameters = parametersWith(customParametersOf(start['customParameters']), { tag });
  if (isRefusal(parameters)) return parameters;
  return {
    type: 'started',
    providerCallId: nameOf(parameters['call_id'] ?? parameters['call-id']) ?? null,
    providerStreamId: null,
    inbound: format,
    outbound: format,
    bidirectional: wishes.bidirectional,
    parameters,
    speechOnly: false,
    wantsEvents: false,
  };
}

/** They are JSON in a text; an object is taken as well, and a text that is no JSON is one parameter. */
function customParametersOf(given: unknown): unknown {
  if (typeof given !== 'string' || given === '') return given === '' ? undefined : given;
  return parseObject(given) ?? { custom_parameters: given };
}
