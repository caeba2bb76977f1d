import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { OptionValues } from '../capabilities.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf, nameOf } from '../fields.ts';
import { MediaScan } from '../json-media/scan.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import { maySpeak } from '../json-media/stream/options.ts';
import { readMediaStrictly } from '../json-media/strict.ts';
import type { UpgradeFacts } from '../proof.ts';
import { kindOf, smallLetters } from './letters.ts';
import { ParticipantChoice } from './participant.ts';
import { AS_AZURE, IN_SMALL_LETTERS } from './words.ts';

/** Call Automation spells some keys out (`DtmfTone`). */
const TONES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** What Azure says: metadata, audio, digits, in any spelling; its own is read fastest. */
export class AcsReader {
  readonly participants: ParticipantChoice;
  readonly #scan = new MediaScan(AS_AZURE);
  readonly #upgrade: UpgradeFacts;
  readonly #options: OptionValues;
  #hasStarted = false;

  constructor(upgrade: UpgradeFacts, options: OptionValues) {
    this.#upgrade = upgrade;
    this.#options = options;
    this.participants = new ParticipantChoice(options);
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#hasStarted && this.#scan.scan(message, into) === 'audio') {
      return this.participants.isOurs(message) ? AUDIO : IGNORED;
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    const small = smallLetters(parsed);
    switch (kindOf(small)) {
      case 'audiometadata':
        return this.#start(small['audiometadata']);
      case 'audiodata':
        return this.#inOrder() ?? this.#readAudio(small, message, into);
      case 'dtmfdata':
        return this.#inOrder() ?? readDtmf(small['dtmfdata']);
      default:
        return IGNORED;
    }
  }

  #start(metadata: unknown): LegStarted | Refusal {
    if (this.#hasStarted) return refuse('protocol_violation', 'a second AudioMetadata');
    if (!isObject(metadata)) return refuse('protocol_violation', 'audioMetadata is not an object');
    const format = formatOf(metadata);
    if (format === undefined) return refuse('unsupported_format', 'not PCM of one channel at a known rate');
    this.#hasStarted = true;
    const { headers } = this.#upgrade;
    return {
      type: 'started',
      providerCallId: nameOf(headers['x-ms-call-connection-id']) ?? null,
      providerStreamId: nameOf(headers['x-ms-call-correlation-id']) ?? null,
      inbound: format,
      outbound: format,
      bidirectional: maySpeak(this.#options),
      parameters: flatParametersOf({ subscription_id: metadata['subscriptionid'] ?? null }),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  /** Silence may come without its samples. */
  #readAudio(small: JsonObject, message: Uint8Array, into: Inbound): ReadResult {
    const audio = small['audiodata'];
    if (isObject(audio) && audio['silent'] === true && typeof audio['data'] !== 'string') return IGNORED;
    const result = readMediaStrictly(small, IN_SMALL_LETTERS, into);
    return result !== AUDIO || this.participants.isOurs(message) ? result : IGNORED;
  }

  #inOrder(): Refusal | undefined {
    return this.#hasStarted ? undefined : refuse('protocol_violation', 'a word before AudioMetadata');
  }
}

function formatOf({ encoding, samplerate, channels }: JsonObject): LegStarted['inbound'] | undefined {
  const isPcm = (textOf(encoding) ?? 'pcm').toLowerCase().startsWith('pcm');
  if (!isPcm || numberOf(channels ?? 1) !== 1) return undefined;
  return encodingOf('l16', samplerate ?? 16_000, true);
}

function readDtmf(given: unknown): ReadResult {
  const tone = isObject(given) ? (textOf(given['data'])?.toLowerCase() ?? '') : '';
  const named = tone === 'pound' ? '#' : tone === 'asterisk' ? '*' : TONES.indexOf(tone);
  const digit = digitOf(named === -1 ? tone : named);
  return digit === undefined
    ? refuse('protocol_violation', 'dtmfData.data is no digit')
    : { type: 'dtmf', digit, durationMs: null };
}
