import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';

const SAMPLE_BYTES = 2;
const HEADERS_MAX = 256;

/** What Sinch says: `connect`, then audio. There is no word for the end. */
export class SinchReader {
  #hasStarted = false;

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) {
      if (this.#hasStarted) return readAudioBytes(message, SAMPLE_BYTES, into);
      return refuse('protocol_violation', 'audio before connect');
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    return parsed['command'] === 'connect' ? this.#connect(parsed) : IGNORED;
  }

  #connect(message: JsonObject): LegStarted | Refusal {
    if (this.#hasStarted) return refuse('protocol_violation', 'a second connect');
    const { codec, sampleRate, callId, applicationKey, callHeaders } = message;
    const format =
      textOf(codec ?? 'PCM')?.toUpperCase() === 'PCM'
        ? encodingOf('l16', numberOf(sampleRate), true)
        : undefined;
    if (format === undefined) return refuse('unsupported_format', 'not PCM at a rate that can be carried');
    this.#hasStarted = true;
    return {
      type: 'started',
      providerCallId: nameOf(callId) ?? null,
      providerStreamId: null,
      inbound: format,
      outbound: format,
      bidirectional: true,
      parameters: flatParametersOf({ application_key: applicationKey ?? null, ...headersOf(callHeaders) }),
      speechOnly: false,
      wantsEvents: false,
    };
  }
}

/** A list of keys and values, as the description has it, or an object: its exact shape is not confirmed. */
function headersOf(given: unknown): JsonObject {
  if (isObject(given)) return given;
  if (!Array.isArray(given)) return {};
  const entries = given.slice(0, HEADERS_MAX).flatMap((header: unknown) => {
    const name = isObject(header) ? nameOf(header['key'] ?? header['name']) : undefined;
    return name === undefined || !isObject(header) ? [] : [[name, header['value']] as const];
  });
  return Object.fromEntries(entries);
}
