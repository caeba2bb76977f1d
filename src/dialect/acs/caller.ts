import { refuse, VoiceError } from '../../base/errors.ts';
import { parseObject } from '../../base/json.ts';
import { frameBytes } from '../../media/format.ts';
import { Base64Template } from '../base64-template.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { AUDIO, type Inbound, type WireMessage } from '../dialect.ts';
import { MediaScan } from '../json-media/scan.ts';
import { readMediaStrictly } from '../json-media/strict.ts';
import { textMessage } from '../text-message.ts';
import { kindOf, smallLetters } from './letters.ts';
import { spellingOf } from './options.ts';
import { IN_SMALL_LETTERS } from './words.ts';

const SUBSCRIPTION_ID = '0d3c2b1a-1111-4222-8333-444455556666';
/** Its audio is stamped with the time of day; any day will do. */
const TIMESTAMP = '2026-05-04T10:11:12.925Z';

/** Azure's side of a mixed, bidirectional audio stream. */
export class AcsCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders: DialectCaller['upgradeHeaders'];
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #audio = new Base64Template(
    `{"kind":"AudioData","audioData":{"timestamp":"${TIMESTAMP}","data":"`,
    '","silent":false}}',
  );
  readonly #scan: MediaScan;
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: false };

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz, littleEndian } = options.format;
    if (codec !== 'l16' || !littleEndian || (sampleRateHz !== 16_000 && sampleRateHz !== 24_000)) {
      const message = 'Azure speaks L16 at 16000 or 24000 Hz only';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#scan = new MediaScan(spellingOf(options.options).words);
    this.upgradeHeaders = {
      'x-ms-call-connection-id': options.callId,
      'x-ms-call-correlation-id': options.streamId,
    };
  }

  hello(): readonly WireMessage[] {
    const { format } = this.#options;
    const audioMetadata = {
      subscriptionId: SUBSCRIPTION_ID,
      encoding: 'PCM',
      sampleRate: format.sampleRateHz,
      channels: 1,
      length: frameBytes(format),
    };
    return [textMessage({ kind: 'AudioMetadata', audioMetadata })];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: false };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [textMessage({ kind: 'DtmfData', dtmfData: { data: digit } })];
  }

  markPlayed(): undefined {}

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  /** In any spelling, as Azure is said to read. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#scan.scan(message, into) === 'audio') return AUDIO;
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    const small = smallLetters(parsed);
    switch (kindOf(small)) {
      case 'audiodata':
        return readMediaStrictly(small, IN_SMALL_LETTERS, into);
      case 'stopaudio':
        return { type: 'clear' };
      default:
        return refuse('protocol_violation', 'a kind Azure does not know');
    }
  }
}
