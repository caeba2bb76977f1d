import { refuse, type Refusal } from '../../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../../base/json.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../../dialect.ts';
import { isRefusal } from '../../fields.ts';
import { MediaScan } from '../scan.ts';
import { isOurTrack, readMediaStrictly } from '../strict.ts';
import type { MediaWords } from '../words.ts';

const STOPPED = { type: 'hung_up', reason: 'provider' } as const;
const STOP = 'stop';

type ReadWord = (message: JsonObject) => ReadResult;

/** What one provider says, as data: everything a reader needs to know of it. */
export interface MediaGrammar {
  readonly words: MediaWords;
  /** Reads `connected`, which is said before the start; absent where the start comes first. */
  readonly connected?: ReadWord;
  readonly start: (message: JsonObject) => LegStarted | Refusal;
  /** Its words between start and stop, beside the audio. */
  readonly events: ReadonlyMap<string, ReadWord>;
}

type ReaderState = 'opening' | 'connected' | 'started' | 'stopped';

/** The server's side of a stream of JSON messages: `connected`, `start`, audio and events, `stop`. */
export class MediaReader {
  readonly stats = { otherTrackMessages: 0 };
  readonly #grammar: MediaGrammar;
  readonly #scan: MediaScan;
  #state: ReaderState = 'opening';

  constructor(grammar: MediaGrammar) {
    this.#grammar = grammar;
    this.#scan = new MediaScan(grammar.words);
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#state === 'started') {
      const scanned = this.#scan.scan(message, into);
      if (scanned === 'audio') return AUDIO;
      if (scanned === 'other_track') return this.#ignoreTrack();
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    return this.#readEvent(parsed, into);
  }

  #readEvent(message: JsonObject, into: Inbound): ReadResult {
    const { words, connected, events } = this.#grammar;
    const kind = message[words.kindKey];
    if (typeof kind !== 'string') return IGNORED;
    if (kind === 'connected' && connected !== undefined) return this.#connected(connected(message));
    if (kind === 'start') return this.#started(message);
    if (words.kinds.includes(kind)) return this.#inOrder('audio') ?? this.#readMedia(message, into);
    if (kind === STOP) return this.#inOrder(STOP) ?? this.#stopped();
    const readWord = events.get(kind);
    return readWord === undefined ? IGNORED : (this.#inOrder(kind) ?? readWord(message));
  }

  #connected(said: ReadResult): ReadResult {
    if (this.#state !== 'opening') return refuse('protocol_violation', 'connected is not the first message');
    this.#state = 'connected';
    return said;
  }

  #started(message: JsonObject): ReadResult {
    if (this.#state === 'started' || this.#state === 'stopped') {
      return refuse('protocol_violation', 'a second start');
    }
    const started = this.#grammar.start(message);
    if (!isRefusal(started)) this.#state = 'started';
    return started;
  }

  #readMedia(message: JsonObject, into: Inbound): ReadResult {
    const { words } = this.#grammar;
    const media = words.container === null ? message : message[words.container];
    const isOther = words.track !== null && isObject(media) && !isOurTrack(media[words.track], words);
    return isOther ? this.#ignoreTrack() : readMediaStrictly(message, words, into);
  }

  #ignoreTrack(): typeof IGNORED {
    this.stats.otherTrackMessages++;
    return IGNORED;
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
