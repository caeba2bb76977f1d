import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../base/json.ts';
import { PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { OptionValues } from '../capabilities.ts';
import { IGNORED, type LegStarted } from '../dialect.ts';
import { isRefusal, nameOf, parametersOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import type { MediaGrammar } from '../json-media/stream/media-reader.ts';
import { isLittle, l16ByteOrder } from '../json-media/stream/options.ts';
import { hearsOutbound, readDtmf, readMark, startedWith } from '../json-media/stream/read-words.ts';
import { SIGNALWIRE_WORDS } from './words.ts';

/** Its pages do not say which byte of L16 comes first. */
export const BYTE_ORDER = l16ByteOrder('little');

/** What SignalWire says: Twilio's words, with ids in the start alone, more codecs, and keys that last. */
export function signalwireGrammar(options: OptionValues): MediaGrammar {
  const littleEndian = isLittle(BYTE_ORDER, options);
  return {
    words: SIGNALWIRE_WORDS,
    connected: () => IGNORED,
    start: (message) => readStart(message, littleEndian),
    events: new Map([
      ['dtmf', (message) => readDtmf(message, SIGNALWIRE_WORDS)],
      ['mark', readMark],
    ]),
  };
}

function readStart(message: JsonObject, littleEndian: boolean): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  const streamSid = nameOf(start['streamSid']) ?? nameOf(message['streamSid']);
  if (streamSid === undefined) return refuse('protocol_violation', 'start without a streamSid');
  const format = readFormat(start['mediaFormat'], littleEndian);
  if (format === undefined) {
    return refuse('unsupported_format', 'mediaFormat is neither PCMU at 8000 Hz nor L16, of 1 channel');
  }
  const parameters = parametersOf(start['customParameters'], 'protocol_violation');
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: start['callSid'],
    streamId: streamSid,
    inbound: format,
    // One codec for both directions: that of the `codec` attribute.
    outbound: format,
    bidirectional: !hearsOutbound(start['tracks']),
    parameters,
  });
}

function readFormat(given: unknown, littleEndian: boolean): AudioFormat | undefined {
  if (given === undefined || given === null) return PCMU_8K;
  if (!isObject(given) || numberOf(given['channels'] ?? 1) !== 1) return undefined;
  const format = encodingOf(given['encoding'] ?? 'audio/x-mulaw', given['sampleRate'], littleEndian);
  return format?.codec === 'pcmu' || format?.codec === 'l16' ? format : undefined;
}
