import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import { l16, type AudioFormat } from '../../media/format.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { isRefusal, nameOf, parametersOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import { MediaReader } from '../json-media/stream/media-reader.ts';
import { hearsOutbound, readDtmf, startedWith } from '../json-media/stream/read-words.ts';
import { PLIVO_WORDS } from './words.ts';

/** What Plivo does not say on the wire, in the house's words. */
export interface PlivoWishes {
  readonly littleEndian: boolean;
  readonly bidirectional: boolean;
}

/** What Plivo says, and those who copy it. Its media clock counts from 1970: here, from its first frame. */
export class PlivoReader {
  readonly #reader: MediaReader;
  #startedAtUnixMs = -1;

  constructor(wishes: PlivoWishes) {
    this.#reader = new MediaReader({
      words: PLIVO_WORDS,
      start: (message) => readStart(message, wishes),
      events: new Map([
        ['dtmf', (message) => readDtmf(message, PLIVO_WORDS)],
        ['playedStream', readPlayed],
        ['clearedAudio', () => IGNORED],
      ]),
    });
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result === AUDIO && into.timestampMs >= 0) {
      if (this.#startedAtUnixMs < 0) this.#startedAtUnixMs = into.timestampMs;
      into.timestampMs = Math.max(0, into.timestampMs - this.#startedAtUnixMs);
    }
    return result;
  }
}

function readStart(message: JsonObject, wishes: PlivoWishes): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  const streamId = nameOf(start['streamId']) ?? nameOf(message['streamId']);
  if (streamId === undefined) return refuse('protocol_violation', 'start without a streamId');
  const format = readFormat(start['mediaFormat'], wishes.littleEndian);
  if (format === undefined) {
    return refuse('unsupported_format', 'mediaFormat is neither audio/x-l16 nor audio/x-mulaw');
  }
  const parameters = parametersOf(readExtraHeaders(message, start), 'protocol_violation');
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: start['callId'],
    streamId,
    inbound: format,
    outbound: format,
    bidirectional: wishes.bidirectional && !hearsOutbound(start['tracks']),
    parameters,
  });
}

/** `contentType` of a stream that names none is L16 at 8000 Hz. */
function readFormat(given: unknown, littleEndian: boolean): AudioFormat | undefined {
  if (given === undefined || given === null) return l16(8000, littleEndian);
  if (!isObject(given)) return undefined;
  const format = encodingOf(given['encoding'] ?? 'audio/x-l16', given['sampleRate'], littleEndian);
  return format?.codec === 'l16' || format?.codec === 'pcmu' ? format : undefined;
}

/** A text: `{}`, JSON, or `a=1;b=2`; how it is written differs from page to page. */
function readExtraHeaders(message: JsonObject, start: JsonObject): unknown {
  const given = message['extra_headers'] ?? start['extra_headers'] ?? message['extraHeaders'];
  if (typeof given !== 'string') return given;
  const parsed = parseObject(given);
  if (parsed !== undefined) return parsed;
  const pairs = given.replace(/^\{|\}$/g, '').split(/[;,&]/);
  return Object.fromEntries(
    pairs.flatMap((pair) => {
      const [, name, value] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(pair) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function readPlayed(message: JsonObject): ReadResult {
  const name = nameOf(message['name']);
  if (name === undefined) return refuse('protocol_violation', 'playedStream without a name');
  return { type: 'mark_played', name };
}
