import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, type JsonObject } from '../../base/json.ts';
import { l16, type AudioFormat } from '../../media/format.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { ShortMarks } from '../binary-media/short-marks.ts';
import type { OptionValues } from '../capabilities.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf, nameOf } from '../fields.ts';
import { maySpeak } from '../json-media/stream/options.ts';
import { outboundOf } from './options.ts';

const RATES_HZ: readonly number[] = [8000, 16_000, 24_000, 32_000, 48_000];
/** `duration` counts RTP timestamps of telephone events, at 8 kHz (RFC 4733 §2.3.5). */
const TIMESTAMPS_PER_MS = 8;
const DTMF_MS_MAX = 60_000;
/** Any number of bytes is taken: the odd one waits for its other half in the frame to be cut. */
const ANY_BYTES = 1;
const HUNG_UP = { type: 'hung_up', reason: 'provider' } as const;

type ReaderState = 'opening' | 'started' | 'ended';

/**
 * What jambonz says: metadata, audio as much as has come together, digits, marks, and an empty last word.
 */
export class JambonzReader {
  readonly #options: OptionValues;
  readonly #marks: ShortMarks;
  #state: ReaderState = 'opening';

  constructor(options: OptionValues, marks: ShortMarks) {
    this.#options = options;
    this.#marks = marks;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (this.#state === 'ended') return IGNORED;
    if (isBinary) return this.#readBinary(message, into);
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    if (this.#state === 'opening') return this.#start(parsed);
    if (parsed['event'] === 'dtmf') return readDtmf(parsed);
    return parsed['type'] === 'mark' ? this.#readMark(parsed) : IGNORED;
  }

  #readBinary(message: Uint8Array, into: Inbound): ReadResult {
    if (this.#state === 'opening') return refuse('protocol_violation', 'audio before the metadata');
    if (message.length > 0) return readAudioBytes(message, ANY_BYTES, into);
    // Nothing but a header: the verb has ended, and the socket is closed next.
    this.#state = 'ended';
    return HUNG_UP;
  }

  #start(metadata: JsonObject): LegStarted | Refusal {
    const format = formatOf(metadata);
    if (format === undefined) {
      return refuse('unsupported_format', 'no sampleRate of 8000, 16000, 24000, 32000 or 48000 Hz');
    }
    this.#state = 'started';
    return {
      type: 'started',
      providerCallId: nameOf(metadata['callSid']) ?? null,
      providerStreamId: null,
      inbound: format,
      outbound: outboundOf(format, this.#options),
      bidirectional: maySpeak(this.#options),
      parameters: flatParametersOf(metadata, ['sampleRate', 'mixType']),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  /** `event` is `playout` or `cleared`: either way nobody will hear what came before. */
  #readMark({ data }: JsonObject): ReadResult {
    const id = isObject(data) ? nameOf(data['name']) : undefined;
    if (id === undefined) return refuse('protocol_violation', 'mark without a name');
    const name = this.#marks.take(id);
    return name === undefined ? IGNORED : { type: 'mark_played', name };
  }
}

function formatOf({ sampleRate, mixType }: JsonObject): AudioFormat | undefined {
  const sampleRateHz = numberOf(sampleRate);
  if (sampleRateHz === undefined || !RATES_HZ.includes(sampleRateHz)) return undefined;
  // `mono` is the caller alone, `mixed` both voices in one channel, `stereo` a channel for each.
  return mixType === 'stereo' ? { ...l16(sampleRateHz), channels: 2 } : l16(sampleRateHz);
}

function readDtmf(message: JsonObject): ReadResult {
  const digit = digitOf(message['dtmf']);
  if (digit === undefined) return refuse('protocol_violation', 'dtmf is no digit');
  const durationMs = (numberOf(message['duration']) ?? -1) / TIMESTAMPS_PER_MS;
  const isDuration = durationMs >= 0 && durationMs <= DTMF_MS_MAX;
  return { type: 'dtmf', digit, durationMs: isDuration ? durationMs : null };
}
