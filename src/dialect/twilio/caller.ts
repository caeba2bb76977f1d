import { base64Bytes, encodeBase64Into } from '../../base/base64.ts';
import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { AUDIO, IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { textMessage } from '../text-message.ts';
import { readMedia } from './read.ts';
import { MediaScan } from './scan.ts';

const ACCOUNT_SID = 'AC00000000000000000000000000000000';

/** Twilio's side of a `<Connect><Stream>`: every counter a string, every message numbered. */
export class TwilioCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media: MediaMessage;
  readonly #scan = new MediaScan();
  #sequenceNumber = 0;

  constructor(options: CallerOptions) {
    if (options.format.codec !== 'pcmu' || options.format.sampleRateHz !== 8000) {
      throw new VoiceError('unsupported_format', 'Twilio speaks PCMU at 8000 Hz only', { field: 'format' });
    }
    this.#options = options;
    this.#media = new MediaMessage(options.streamId);
  }

  hello(): readonly WireMessage[] {
    const { callId, streamId, from, to, parameters } = this.#options;
    const start = {
      accountSid: ACCOUNT_SID,
      streamSid: streamId,
      callSid: callId,
      tracks: ['inbound'],
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
      // Twilio passes on only what the TwiML names, so numbers are parameters like any other.
      customParameters: { ...parameters, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) },
    };
    return [
      textMessage({ event: 'connected', protocol: 'Call', version: '1.0.0' }),
      textMessage({ event: 'start', sequenceNumber: this.#next(), start, streamSid: streamId }),
    ];
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    return this.#media.write(frame, ++this.#sequenceNumber, index);
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#message('dtmf', { track: 'inbound_track', digit })];
  }

  markPlayed(name: string): WireMessage {
    return this.#message('mark', { name });
  }

  goodbye(): readonly WireMessage[] {
    return [this.#message('stop', { accountSid: ACCOUNT_SID, callSid: this.#options.callId })];
  }

  /** Strict, as Twilio is: what it would answer with error 31922 or 31924 is refused. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#scan.scan(message, into) === 'audio') return AUDIO;
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    if (parsed['streamSid'] !== this.#options.streamId) {
      return refuse('protocol_violation', 'a message for another stream');
    }
    return readEvent(parsed, into);
  }

  #message(event: string, body: object): WireMessage {
    return textMessage({
      event,
      sequenceNumber: this.#next(),
      streamSid: this.#options.streamId,
      [event]: body,
    });
  }

  #next(): string {
    return String(++this.#sequenceNumber);
  }
}

function readEvent(message: JsonObject, into: Inbound): CallerRead {
  switch (message['event']) {
    case 'media':
      return readMedia(message['media'], into);
    case 'clear':
      return { type: 'clear' };
    case 'mark': {
      const name = isObject(message['mark']) ? nameOf(message['mark']['name']) : undefined;
      return name === undefined
        ? refuse('protocol_violation', 'mark without a name')
        : { type: 'mark', name };
    }
    case undefined:
      return IGNORED;
    default:
      return refuse('protocol_violation', 'an event Twilio does not know');
  }
}

/** The `media` message, written in place while its numbers keep their widths: hundreds share a core. */
class MediaMessage {
  readonly #tail: string;
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: false };
  #sequenceDigits = 0;
  #chunkDigits = 0;
  #timestampDigits = 0;
  #frameBytes = -1;
  #sequenceEnd = 0;
  #chunkEnd = 0;
  #timestampEnd = 0;
  #payloadStart = 0;

  constructor(streamSid: string) {
    this.#tail = `"},"streamSid":${JSON.stringify(streamSid)}}`;
  }

  write(frame: Uint8Array, sequenceNumber: number, index: number): WireMessage {
    const chunk = index + 1;
    const timestampMs = index * FRAME_MS;
    if (
      frame.length !== this.#frameBytes ||
      digitsOf(sequenceNumber) !== this.#sequenceDigits ||
      digitsOf(chunk) !== this.#chunkDigits ||
      digitsOf(timestampMs) !== this.#timestampDigits
    ) {
      this.#layOut(sequenceNumber, chunk, timestampMs, frame.length);
    }
    const bytes = this.#message.bytes;
    writeDigits(bytes, this.#sequenceEnd, sequenceNumber);
    writeDigits(bytes, this.#chunkEnd, chunk);
    writeDigits(bytes, this.#timestampEnd, timestampMs);
    encodeBase64Into(frame, frame.length, bytes, this.#payloadStart);
    return this.#message;
  }

  #layOut(sequenceNumber: number, chunk: number, timestampMs: number, frameBytes: number): void {
    let text = `{"event":"media","sequenceNumber":"${sequenceNumber}`;
    this.#sequenceEnd = text.length;
    text += `","media":{"track":"inbound","chunk":"${chunk}`;
    this.#chunkEnd = text.length;
    text += `","timestamp":"${timestampMs}`;
    this.#timestampEnd = text.length;
    text += '","payload":"';
    this.#payloadStart = text.length;
    text += '='.repeat(base64Bytes(frameBytes)) + this.#tail;
    this.#message = { bytes: Buffer.from(text), isBinary: false };
    this.#sequenceDigits = digitsOf(sequenceNumber);
    this.#chunkDigits = digitsOf(chunk);
    this.#timestampDigits = digitsOf(timestampMs);
    this.#frameBytes = frameBytes;
  }
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

function writeDigits(target: Uint8Array, end: number, value: number): void {
  let at = end;
  let rest = value;
  do {
    target[--at] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  } while (rest > 0);
}
