import { FRAME_MS } from '../../base/units.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT, nestedMarkEvent } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { telnyxWishes } from './options.ts';
import { TELNYX_PLAY_WORDS } from './words.ts';

const USER_ID = '00000000-0000-4000-8000-000000000000';
const SESSION_ID = '00000000-0000-4000-8000-000000000001';

/** Telnyx' side of a stream in `rtp` mode: counters are texts, the stream is named at the top level. */
export class TelnyxCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  /** The start names what it speaks; what it hears was told when the stream was set up. */
  readonly heardFormat: AudioFormat;
  readonly #options: CallerOptions;
  readonly #media: CountedTemplate;
  readonly #ear = new CallerEar({
    provider: 'Telnyx',
    words: TELNYX_PLAY_WORDS,
    events: new Map([
      ['clear', CLEAR_EVENT],
      ['mark', nestedMarkEvent],
    ]),
  });
  #sequenceNumber = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.heardFormat = telnyxWishes(options.options).outbound;
    this.#media = new CountedTemplate([
      '{"event":"media","sequence_number":"',
      `","stream_id":${JSON.stringify(options.streamId)},"media":{"track":"inbound","chunk":"`,
      '","timestamp":"',
      '","payload":"',
      '"}}',
    ]);
  }

  hello(): readonly WireMessage[] {
    const { callId, streamId, from, to, parameters, format } = this.#options;
    const start = {
      user_id: USER_ID,
      call_control_id: callId,
      call_session_id: SESSION_ID,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      tags: [],
      custom_parameters: parameters,
      media_format: {
        encoding: format.codec.toUpperCase(),
        // RFC 3551 §4.5.2: the clock of G.722 is 8000 Hz, whatever its samples are.
        sample_rate: format.codec === 'g722' ? 8000 : format.sampleRateHz,
        channels: 1,
      },
    };
    return [
      textMessage({ event: 'connected', version: '1.0.0' }),
      textMessage({ event: 'start', sequence_number: this.#next(), stream_id: streamId, start }),
    ];
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    return this.#media.write(frame, ++this.#sequenceNumber, index + 1, index * FRAME_MS);
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#message('dtmf', { digit })];
  }

  markPlayed(name: string): WireMessage {
    return this.#message('mark', { name });
  }

  goodbye(): readonly WireMessage[] {
    return [this.#message('stop', { user_id: USER_ID, call_control_id: this.#options.callId })];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return this.#ear.hear(message, isBinary, into);
  }

  #message(event: string, body: object): WireMessage {
    return textMessage({
      event,
      sequence_number: this.#next(),
      stream_id: this.#options.streamId,
      [event]: body,
    });
  }

  #next(): string {
    return String(++this.#sequenceNumber);
  }
}
