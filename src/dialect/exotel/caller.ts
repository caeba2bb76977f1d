import { VoiceError } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import { frameBytes } from '../../media/format.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT, nestedMarkEvent } from '../json-media/stream/caller-ear.ts';
import { MessageFiller } from '../json-media/stream/message-filler.ts';
import { textMessage } from '../text-message.ts';
import { EXOTEL_WORDS } from './words.ts';

const ACCOUNT_SID = 'acme1';
const RATES_HZ: readonly number[] = [8000, 16_000, 24_000];
/** It sends audio every 100 ms. */
const MESSAGE_FRAMES = 5;
const DTMF_MS = '120';

/** Exotel's side of a Voicebot applet. */
export class ExotelCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media: CountedTemplate;
  readonly #filler: MessageFiller;
  readonly #ear: CallerEar;
  #sequenceNumber = 0;
  #chunk = 0;
  /** The place in the stream of the first frame that waits; -1 while none does. */
  #firstIndex = -1;

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz } = options.format;
    if (codec === 'l16' ? !RATES_HZ.includes(sampleRateHz) : codec !== 'pcmu' || sampleRateHz !== 8000) {
      const message = 'Exotel speaks L16 at 8000, 16000 or 24000 Hz, or PCMU at 8000 Hz';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#filler = new MessageFiller(MESSAGE_FRAMES * frameBytes(options.format), 0);
    this.#media = new CountedTemplate([
      '{"event":"media","sequence_number":"',
      `","stream_sid":${JSON.stringify(options.streamId)},"media":{"chunk":"`,
      '","timestamp":"',
      '","payload":"',
      '"}}',
    ]);
    this.#ear = new CallerEar({
      provider: 'Exotel',
      words: EXOTEL_WORDS,
      isForUs: (message) => message['stream_sid'] === options.streamId,
      events: new Map([
        ['clear', CLEAR_EVENT],
        ['mark', nestedMarkEvent],
      ]),
    });
  }

  hello(): readonly WireMessage[] {
    const { callId, streamId, from, to, parameters, format } = this.#options;
    const start = {
      stream_sid: streamId,
      call_sid: callId,
      account_sid: ACCOUNT_SID,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      custom_parameters: parameters,
      media_format: {
        encoding: format.codec === 'l16' ? 'audio/x-raw' : 'audio/x-mulaw',
        sample_rate: String(format.sampleRateHz),
        bit_rate: format.codec === 'l16' ? '16' : '8',
      },
    };
    return [
      textMessage({ event: 'connected' }),
      textMessage({ event: 'start', sequence_number: this.#next(), stream_sid: streamId, start }),
    ];
  }

  audio(frame: Uint8Array, index: number): WireMessage | undefined {
    if (this.#firstIndex < 0) this.#firstIndex = index;
    const filled = this.#filler.add(frame);
    return filled === undefined ? undefined : this.#write(filled);
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#message('dtmf', { digit, duration: DTMF_MS })];
  }

  markPlayed(name: string): WireMessage {
    return this.#message('mark', { name });
  }

  goodbye(): readonly WireMessage[] {
    const rest = this.#filler.takeRest();
    const { callId } = this.#options;
    const last = rest === undefined ? [] : [this.#write(rest)];
    return [
      ...last,
      this.#message('stop', { call_sid: callId, account_sid: ACCOUNT_SID, reason: 'callended' }),
    ];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return this.#ear.hear(message, isBinary, into);
  }

  #write(samples: Uint8Array): WireMessage {
    const timestampMs = this.#firstIndex * FRAME_MS;
    this.#firstIndex = -1;
    return this.#media.write(samples, ++this.#sequenceNumber, ++this.#chunk, timestampMs);
  }

  #message(event: string, body: object): WireMessage {
    return textMessage({
      event,
      sequence_number: this.#next(),
      stream_sid: this.#options.streamId,
      [event]: body,
    });
  }

  #next(): string {
    return String(++this.#sequenceNumber);
  }
}
