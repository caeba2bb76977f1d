import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import type { AudioFormat } from '../../media/format.ts';
import { IGNORED, type LegStarted } from '../dialect.ts';
import { isRefusal, nameOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import type { MediaGrammar } from '../json-media/stream/media-reader.ts';
import { parametersWith, readDtmf, readMark, startedWith } from '../json-media/stream/read-words.ts';
import { EXOTEL_WORDS } from './words.ts';

/** What a start of Exotel leaves open. */
export interface ExotelWishes {
  readonly bidirectional: boolean;
  /** `?sample-rate=` of the URL, as it was dialled; 8000 where it says nothing. */
  readonly sampleRate: string;
}

/** What Exotel says: Twilio's words in snake_case, samples instead of mu-law. */
export function exotelGrammar(wishes: ExotelWishes): MediaGrammar {
  return {
    words: EXOTEL_WORDS,
    connected: () => IGNORED,
    start: (message) => readStart(message, wishes),
    events: new Map([
      ['dtmf', (message) => readDtmf(message, EXOTEL_WORDS)],
      ['mark', readMark],
    ]),
  };
}

/** The rate that the path of the URL asks for. */
export function sampleRateOf(target: string): string {
  const query = target.indexOf('?');
  return (query < 0 ? null : new URLSearchParams(target.slice(query + 1)).get('sample-rate')) ?? '8000';
}

function readStart(message: JsonObject, wishes: ExotelWishes): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  const streamSid = nameOf(start['stream_sid']) ?? nameOf(message['stream_sid']);
  if (streamSid === undefined) return refuse('protocol_violation', 'start without a stream_sid');
  const format = readFormat(start['media_format'], wishes.sampleRate);
  if (format === undefined) return refuse('unsupported_format', 'media_format is neither samples nor mu-law');
  const { from, to } = start;
  const parameters = parametersWith(start['custom_parameters'], { from, to });
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: start['call_sid'],
    streamId: streamSid,
    inbound: format,
    outbound: format,
    bidirectional: wishes.bidirectional,
    parameters,
  });
}

/** Samples, low byte first; ExoML's `StartStream` sends mu-law by default, and says so. */
function readFormat(given: unknown, sampleRate: string): AudioFormat | undefined {
  const format = given ?? {};
  if (!isObject(format)) return undefined;
  const named = encodingOf(format['encoding'] ?? 'audio/x-raw', format['sample_rate'] ?? sampleRate, true);
  return named?.codec === 'l16' || named?.codec === 'pcmu' ? named : undefined;
}
