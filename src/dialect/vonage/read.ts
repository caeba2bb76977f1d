import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, type JsonObject } from '../../base/json.ts';
import type { AudioFormat } from '../../media/format.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf, nameOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';

const SAMPLE_BYTES = 2;
const DTMF_MS_MAX = 60_000;
const RATES_HZ: readonly number[] = [8000, 16_000, 24_000];
/** What Vonage itself says at the top level, beside the headers of its user. */
const OWN_WORDS = ['event', 'content-type'];
/** Names under which users pass the call's own id; Vonage says none by itself. */
const CALL_ID_HEADERS = ['call-id', 'call_id', 'call_uuid', 'uuid'];

/** What look-alikes do not say on the wire, or say otherwise. */
export interface VonageWishes {
  /** What audio is where the start does not say. */
  readonly fallback: AudioFormat;
  readonly littleEndian: boolean;
  /** Absent where nothing is echoed. */
  readonly marks?: ShortMarks;
}

/** What Vonage says, and those who speak alike: `websocket:connected`, then audio and three more words. */
export class VonageReader {
  readonly #wishes: VonageWishes;
  #hasStarted = false;

  constructor(wishes: VonageWishes) {
    this.#wishes = wishes;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) {
      if (this.#hasStarted) return readAudioBytes(message, SAMPLE_BYTES, into);
      return refuse('protocol_violation', 'audio before websocket:connected');
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    switch (parsed['event']) {
      case 'websocket:connected':
        return this.#start(parsed);
      case 'websocket:dtmf':
        return this.#inOrder() ?? readDtmf(parsed);
      case 'websocket:notify':
        return this.#inOrder() ?? this.#readNotify(parsed);
      default:
        // `websocket:cleared` says what we know: marks were given up when the clear was sent.
        return IGNORED;
    }
  }

  #start(message: JsonObject): LegStarted | Refusal {
    if (this.#hasStarted) return refuse('protocol_violation', 'a second websocket:connected');
    const format = formatOf(message['content-type'], this.#wishes);
    if (format === undefined) {
      return refuse('unsupported_format', 'content-type is not audio/l16 at 8000, 16000 or 24000 Hz');
    }
    this.#hasStarted = true;
    const callId = CALL_ID_HEADERS.map((name) => nameOf(message[name])).find((id) => id !== undefined);
    return {
      type: 'started',
      providerCallId: callId ?? null,
      providerStreamId: null,
      inbound: format,
      outbound: format,
      bidirectional: true,
      parameters: flatParametersOf(message, OWN_WORDS),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  #readNotify({ payload }: JsonObject): ReadResult {
    const id = isObject(payload) ? nameOf(payload['id']) : undefined;
    if (id === undefined) return refuse('protocol_violation', 'a notify without the id it was given');
    const name = this.#wishes.marks?.take(id);
    return name === undefined ? IGNORED : { type: 'mark_played', name };
  }

  #inOrder(): Refusal | undefined {
    return this.#hasStarted ? undefined : refuse('protocol_violation', 'a word before websocket:connected');
  }
}

function formatOf(contentType: unknown, wishes: VonageWishes): AudioFormat | undefined {
  if (contentType === undefined || contentType === null) return wishes.fallback;
  const format = encodingOf(contentType, undefined, wishes.littleEndian);
  return format?.codec === 'l16' && RATES_HZ.includes(format.sampleRateHz) ? format : undefined;
}

function readDtmf(message: JsonObject): ReadResult {
  const digit = digitOf(message['digit']);
  if (digit === undefined) return refuse('protocol_violation', 'digit is no digit');
  const durationMs = numberOf(message['duration']);
  const isDuration = durationMs !== undefined && durationMs >= 0 && durationMs <= DTMF_MS_MAX;
  return { type: 'dtmf', digit, durationMs: isDuration ? durationMs : null };
}
