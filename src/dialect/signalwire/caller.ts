import { VoiceError } from '../../base/errors.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT, nestedDtmfEvent, nestedMarkEvent } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { SIGNALWIRE_WORDS } from './words.ts';

const ACCOUNT_SID = '00000000-0000-4000-8000-000000000000';
/** Its docs show a length and demand none; people press keys about so long. */
const DTMF_MS = 160;

/** SignalWire's side of a `<Connect><Stream>`: Twilio's, but start, mark and dtmf alone name the stream. */
export class SignalwireCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #ear: CallerEar;
  readonly #media = new CountedTemplate([
    '{"event":"media","sequenceNumber":"',
    '","media":{"track":"inbound","chunk":"',
    '","timestamp":"',
    '","payload":"',
    '"}}',
  ]);
  #sequenceNumber = 0;

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz } = options.format;
    const isWideband = codec === 'l16' && (sampleRateHz === 16_000 || sampleRateHz === 24_000);
    if (!isWideband && (codec !== 'pcmu' || sampleRateHz !== 8000)) {
      const message = 'SignalWire speaks PCMU at 8000 Hz, or L16 at 16000 or 24000 Hz';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#ear = new CallerEar({
      provider: 'SignalWire',
      words: SIGNALWIRE_WORDS,
      isForUs: (message) => message['streamSid'] === options.streamId,
      events: new Map([
        ['clear', CLEAR_EVENT],
        ['mark', nestedMarkEvent],
        ['dtmf', nestedDtmfEvent],
      ]),
    });
  }

  hello(): readonly WireMessage[] {
    const { callId, streamId, from, to, parameters, format } = this.#options;
    const customParameters = {
      ...parameters,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
    };
    const start = {
      streamSid: streamId,
      accountSid: ACCOUNT_SID,
      callSid: callId,
      tracks: ['inbound'],
      mediaFormat: {
        encoding: format.codec === 'l16' ? 'audio/x-L16' : 'audio/x-mulaw',
        sampleRate: format.sampleRateHz,
        channels: 1,
      },
      // Absent where the cXML names none.
      ...(Object.keys(customParameters).length === 0 ? {} : { customParameters }),
    };
    return [
      textMessage({ event: 'connected', protocol: 'Call', version: '0.2.0' }),
      textMessage({ event: 'start', sequenceNumber: this.#next(), start }),
    ];
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    return this.#media.write(frame, ++this.#sequenceNumber, index + 1, index * FRAME_MS);
  }

  dtmf(digit: string): readonly WireMessage[] {
    const streamSid = this.#options.streamId;
    const dtmf = { digit, duration: DTMF_MS };
    return [textMessage({ event: 'dtmf', sequenceNumber: this.#next(), streamSid, dtmf })];
  }

  /** Its marks come without a number. */
  markPlayed(name: string): WireMessage {
    return textMessage({ event: 'mark', streamSid: this.#options.streamId, mark: { name } });
  }

  goodbye(): readonly WireMessage[] {
    return [textMessage({ event: 'stop', sequenceNumber: this.#next() })];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return this.#ear.hear(message, isBinary, into);
  }

  #next(): string {
    return String(++this.#sequenceNumber);
  }
}
