import { VoiceError } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar, CLEAR_EVENT, markEvent } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { PLIVO_PLAY_WORDS } from './words.ts';

const ACCOUNT_ID = 'MA000000000000000000';
/** Its audio is stamped with the time of day; any day will do. */
const STARTED_AT_UNIX_MS = 1_748_944_800_000;

/** Plivo's side of a stream: counters are numbers, there is no `connected`, and it hangs up by closing. */
export class PlivoCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media: CountedTemplate;
  readonly #ear: CallerEar;
  #sequenceNumber = 0;
  #spokenMs = 0;

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz } = options.format;
    const isLinear = codec === 'l16' && (sampleRateHz === 8000 || sampleRateHz === 16_000);
    if (!isLinear && (codec !== 'pcmu' || sampleRateHz !== 8000)) {
      const message = 'Plivo speaks L16 at 8000 or 16000 Hz, or PCMU at 8000 Hz';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#media = new CountedTemplate([
      '{"event":"media","sequenceNumber":',
      `,"streamId":${JSON.stringify(options.streamId)},"media":{"track":"inbound","timestamp":"`,
      '","chunk":',
      ',"payload":"',
      '"},"extra_headers":"{}"}',
    ]);
    this.#ear = new CallerEar({
      provider: 'Plivo',
      words: PLIVO_PLAY_WORDS,
      isForUs: (message) => isForStream(message, options.streamId),
      events: new Map<string, (message: JsonObject) => CallerRead>([
        ['clearAudio', CLEAR_EVENT],
        ['checkpoint', (message) => markEvent(message['name'])],
        // A word of Vobiz'.
        ['stop', () => ({ type: 'ended', reason: 'stop' })],
      ]),
    });
  }

  hello(): readonly WireMessage[] {
    const { callId, streamId, from, to, parameters, format } = this.#options;
    const start = {
      callId,
      streamId,
      accountId: ACCOUNT_ID,
      tracks: ['inbound'],
      mediaFormat: {
        encoding: format.codec === 'l16' ? 'audio/x-l16' : 'audio/x-mulaw',
        sampleRate: format.sampleRateHz,
      },
    };
    const headers = { ...parameters, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
    return [
      textMessage({ event: 'start', sequenceNumber: 0, start, extra_headers: JSON.stringify(headers) }),
    ];
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    this.#spokenMs = index * FRAME_MS;
    return this.#media.write(frame, ++this.#sequenceNumber, STARTED_AT_UNIX_MS + this.#spokenMs, index + 1);
  }

  dtmf(digit: string): readonly WireMessage[] {
    const dtmf = { track: 'inbound', digit, timestamp: String(STARTED_AT_UNIX_MS + this.#spokenMs) };
    return [textMessage({ ...this.#numbered('dtmf'), dtmf, extra_headers: '{}' })];
  }

  markPlayed(name: string): WireMessage {
    return textMessage({ ...this.#numbered('playedStream'), name });
  }

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return this.#ear.hear(message, isBinary, into);
  }

  #numbered(event: string): object {
    return { event, sequenceNumber: ++this.#sequenceNumber, streamId: this.#options.streamId };
  }
}

/** Audio needs no stream named, anything else does. */
function isForStream(message: JsonObject, streamId: string): boolean {
  const { event, streamId: named } = message;
  return named === streamId || (event === 'playAudio' && named === undefined) || event === undefined;
}
