import { refuse } from '../../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../../base/json.ts';
import type { CallerRead } from '../../caller.ts';
import { AUDIO, IGNORED, type Inbound } from '../../dialect.ts';
import { digitOf, nameOf } from '../../fields.ts';
import { MediaScan } from '../scan.ts';
import { readMediaStrictly } from '../strict.ts';
import type { MediaWords } from '../words.ts';

type HearWord = (message: JsonObject) => CallerRead;

/** The provider's ear: as strict as the provider, so that what it would not understand is refused. */
export class CallerEar {
  readonly #words: MediaWords;
  readonly #provider: string;
  readonly #events: ReadonlyMap<string, HearWord>;
  readonly #isForUs: (message: JsonObject) => boolean;
  readonly #scan: MediaScan;

  /** `isForUs` says whether a message is addressed as the provider wants it. */
  constructor(options: {
    readonly provider: string;
    readonly words: MediaWords;
    readonly events: ReadonlyMap<string, HearWord>;
    readonly isForUs?: (message: JsonObject) => boolean;
  }) {
    this.#provider = options.provider;
    this.#words = options.words;
    this.#events = options.events;
    this.#isForUs = options.isForUs ?? (() => true);
    this.#scan = new MediaScan(options.words);
  }

  hear(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#scan.scan(message, into) === 'audio') return AUDIO;
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    if (!this.#isForUs(parsed)) return refuse('protocol_violation', 'a message for another stream');
    const kind = parsed[this.#words.kindKey];
    if (kind === undefined) return IGNORED;
    if (typeof kind === 'string' && this.#words.kinds.includes(kind)) {
      return readMediaStrictly(parsed, this.#words, into);
    }
    const hearWord = typeof kind === 'string' ? this.#events.get(kind) : undefined;
    return hearWord?.(parsed) ?? refuse('protocol_violation', `an event ${this.#provider} does not know`);
  }
}

/** The words that most of the family share. */
export const CLEAR_EVENT = (): CallerRead => ({ type: 'clear' });

/** A mark by name; a provider wants one. */
export function markEvent(name: unknown): CallerRead {
  const given = nameOf(name);
  return given === undefined
    ? refuse('protocol_violation', 'mark without a name')
    : { type: 'mark', name: given };
}

/** `{"mark":{"name":"utt-7"}}`. */
export function nestedMarkEvent(message: JsonObject): CallerRead {
  const mark = message['mark'];
  return markEvent(isObject(mark) ? mark['name'] : undefined);
}

/** `{"dtmf":{"digit":"5"}}`: a digit to be sent into the call. */
export function nestedDtmfEvent(message: JsonObject): CallerRead {
  const dtmf = message['dtmf'];
  const digit = isObject(dtmf) ? digitOf(dtmf['digit']) : undefined;
  return digit === undefined ? refuse('protocol_violation', 'dtmf without a digit') : { type: 'dtmf', digit };
}
