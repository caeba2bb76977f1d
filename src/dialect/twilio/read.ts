import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../../base/json.ts';
import { PCMU_8K } from '../../media/format.ts';
import { IGNORED, type LegStarted } from '../dialect.ts';
import { isRefusal, nameOf, parametersOf } from '../fields.ts';
import type { MediaGrammar } from '../json-media/stream/media-reader.ts';
import { hearsOutbound, readDtmf, readMark, startedWith } from '../json-media/stream/read-words.ts';
import { TWILIO_WORDS } from './words.ts';

/** What Twilio says. `timestamp` is trusted: it is the media clock itself. */
export const TWILIO_GRAMMAR: MediaGrammar = {
  words: TWILIO_WORDS,
  connected: () => IGNORED,
  start: readStart,
  events: new Map([
    ['dtmf', (message) => readDtmf(message, TWILIO_WORDS)],
    ['mark', readMark],
  ]),
};

function readStart(message: JsonObject): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  const streamSid = nameOf(start['streamSid']) ?? nameOf(message['streamSid']);
  if (streamSid === undefined) return refuse('protocol_violation', 'start without a streamSid');
  if (!isMulaw(start['mediaFormat'])) {
    return refuse('unsupported_format', 'mediaFormat is not audio/x-mulaw, 8000 Hz, 1 channel');
  }
  const parameters = parametersOf(start['customParameters'], 'protocol_violation');
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: start['callSid'],
    streamId: streamSid,
    inbound: PCMU_8K,
    outbound: PCMU_8K,
    // Only `<Start><Stream>` can hear the outbound track, and to speak on it is error 31924.
    bidirectional: !hearsOutbound(start['tracks']),
    parameters,
  });
}

/** Twilio sends nothing but mu-law at 8 kHz; a start that says nothing of its format means the same. */
function isMulaw(format: unknown): boolean {
  if (format === undefined || format === null) return true;
  if (!isObject(format)) return false;
  const encoding = textOf(format['encoding'] ?? 'audio/x-mulaw')?.toLowerCase();
  return (
    encoding === 'audio/x-mulaw' &&
    numberOf(format['sampleRate'] ?? 8000) === 8000 &&
    numberOf(format['channels'] ?? 1) === 1
  );
}
