import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { PCMU_8K } from '../../media/format.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf, isRefusal, nameOf, parametersOf } from '../fields.ts';
import { MediaScan } from '../json-media/scan.ts';
import { isOurTrack, readMediaStrictly } from '../json-media/strict.ts';
import { TWILIO_WORDS } from './words.ts';

const STOPPED = { type: 'hung_up', reason: 'provider' } as const;

type ReaderState = 'opening' | 'connected' | 'started' | 'stopped';

/** What Twilio says. `timestamp` is trusted: it is the media clock itself. */
export class TwilioReader {
  readonly #scan = new MediaScan(TWILIO_WORDS);
  #state: ReaderState = 'opening';

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#state === 'started') {
      const scanned = this.#scan.scan(message, into);
      if (scanned === 'audio') return AUDIO;
      if (scanned === 'other_track') return IGNORED;
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    return this.#readEvent(parsed, into);
  }

  #readEvent(message: JsonObject, into: Inbound): ReadResult {
    switch (message['event']) {
      case 'connected':
        return this.#connected();
      case 'start':
        return this.#started(message);
      case 'media':
        return this.#inOrder('media') ?? readMediaStrictly(message, TWILIO_WORDS, into);
      case 'dtmf':
        return this.#inOrder('dtmf') ?? readDtmf(message['dtmf']);
      case 'mark':
        return this.#inOrder('mark') ?? readMark(message['mark']);
      case 'stop':
        return this.#inOrder('stop') ?? this.#stopped();
      default:
        return IGNORED;
    }
  }

  #connected(): ReadResult {
    if (this.#state !== 'opening') return refuse('protocol_violation', 'connected is not the first message');
    this.#state = 'connected';
    return IGNORED;
  }

  #started(message: JsonObject): ReadResult {
    if (this.#state === 'started' || this.#state === 'stopped') {
      return refuse('protocol_violation', 'a second start');
    }
    const started = readStart(message);
    if (!isRefusal(started)) this.#state = 'started';
    return started;
  }

  #stopped(): ReadResult {
    this.#state = 'stopped';
    return STOPPED;
  }

  /** Undefined in order; what comes between a stop and the close is of no use and no harm. */
  #inOrder(event: string): typeof IGNORED | Refusal | undefined {
    if (this.#state === 'started') return undefined;
    return this.#state === 'stopped' ? IGNORED : refuse('protocol_violation', `${event} before start`);
  }
}

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
  return {
    type: 'started',
    providerCallId: nameOf(start['callSid']) ?? null,
    providerStreamId: streamSid,
    inbound: PCMU_8K,
    outbound: PCMU_8K,
    bidirectional: !hearsOutbound(start['tracks']),
    parameters,
    speechOnly: false,
    wantsEvents: false,
  };
}

function readDtmf(dtmf: unknown): ReadResult {
  if (!isObject(dtmf)) return refuse('protocol_violation', 'dtmf is not an object');
  if (!isOurTrack(dtmf['track'], TWILIO_WORDS)) return IGNORED;
  const digit = digitOf(dtmf['digit']);
  if (digit === undefined) return refuse('protocol_violation', 'dtmf.digit is no digit');
  return { type: 'dtmf', digit, durationMs: null };
}

function readMark(mark: unknown): ReadResult {
  const name = isObject(mark) ? nameOf(mark['name']) : undefined;
  if (name === undefined) return refuse('protocol_violation', 'mark without a name');
  return { type: 'mark_played', name };
}

/** Only `<Start><Stream>` can hear the outbound track, and to speak on it is error 31924. */
function hearsOutbound(tracks: unknown): boolean {
  return Array.isArray(tracks) && tracks.some((track) => track === 'outbound' || track === 'outbound_track');
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
