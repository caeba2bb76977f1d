import { VoiceError } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT, nestedMarkEvent } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { TWILIO_WORDS } from './words.ts';

const ACCOUNT_SID = 'AC00000000000000000000000000000000';

/** Twilio's side of a `<Connect><Stream>`: every counter a string, every message numbered. */
export class TwilioCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media: CountedTemplate;
  readonly #ear: CallerEar;
  #sequenceNumber = 0;

  constructor(options: CallerOptions) {
    if (options.format.codec !== 'pcmu' || options.format.sampleRateHz !== 8000) {
      throw new VoiceError('unsupported_format', 'Twilio speaks PCMU at 8000 Hz only', { field: 'format' });
    }
    this.#options = options;
    this.#ear = new CallerEar({
      provider: 'Twilio',
      words: TWILIO_WORDS,
      isForUs: (message) => message['streamSid'] === options.streamId,
      events: new Map([
        ['clear', CLEAR_EVENT],
        ['mark', nestedMarkEvent],
      ]),
    });
    this.#media = new CountedTemplate([
      '{"event":"media","sequenceNumber":"',
      '","media":{"track":"inbound","chunk":"',
      '","timestamp":"',
      '","payload":"',
      `"},"streamSid":${JSON.stringify(options.streamId)}}`,
    ]);
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
    return this.#media.write(frame, ++this.#sequenceNumber, index + 1, index * FRAME_MS);
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
    return this.#ear.hear(message, isBinary, into);
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
