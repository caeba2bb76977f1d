import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, textOf, type JsonObject } from '../../base/json.ts';
import { isSameSecret } from '../../base/secret.ts';
import { frameBytes, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { OptionValues } from '../capabilities.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { isRefusal, nameOf } from '../fields.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import { MediaReader, type MediaGrammar } from '../json-media/stream/media-reader.ts';
import { maySpeak } from '../json-media/stream/options.ts';
import { parametersWith, readDtmf, readMark, startedWith } from '../json-media/stream/read-words.ts';
import type { UpgradeFacts } from '../proof.ts';
import { telnyxWishes, type TelnyxWishes } from './options.ts';
import { TELNYX_WORDS, TOKEN_WORD } from './words.ts';

/**
 * What Telnyx says. Its audio may come out of order, so that `chunk` becomes the number of a frame, as long
 * as a message is one frame: the jitter buffer counts in those.
 */
export class TelnyxReader {
  /** `providerErrors`: what Telnyx could not play. */
  readonly stats = { providerErrors: 0, unorderedMessages: 0 };
  readonly #reader: MediaReader;
  #isOrdered: boolean;
  #frameBytes = 0;

  constructor(options: OptionValues, upgrade: UpgradeFacts) {
    const wishes = telnyxWishes(options);
    this.#isOrdered = wishes.isOrdered;
    this.#reader = new MediaReader(grammarOf(wishes, maySpeak(options), upgrade, this.stats));
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    const result = this.#reader.read(message, isBinary, into);
    if (result === AUDIO) this.#number(into);
    else if (result.type === 'started') this.#frameBytes = frameBytes(result.inbound);
    return result;
  }

  #number(into: Inbound): void {
    // Whether `chunk` counts each track by itself is not documented. Where it counts both, every message of
    // the other track would look like a lost frame: then the order of arrival is the better one.
    const isFrame = this.#frameBytes === 0 || into.payloadBytes === this.#frameBytes;
    if (!isFrame || this.#reader.stats.otherTrackMessages > 0) this.#isOrdered = false;
    if (this.#isOrdered) return;
    into.sequence = -1;
    this.stats.unorderedMessages++;
  }
}

const UNSPOKEN: readonly string[] = ['AMR-WB', 'MP3'];

function grammarOf(
  wishes: TelnyxWishes,
  bidirectional: boolean,
  upgrade: UpgradeFacts,
  stats: { providerErrors: number },
): MediaGrammar {
  return {
    words: TELNYX_WORDS,
    connected: (message) => readConnected(message, upgrade),
    start: (message) => readStart(message, wishes, bidirectional),
    events: new Map<string, (message: JsonObject) => ReadResult>([
      ['dtmf', (message) => readDtmf(message, TELNYX_WORDS)],
      ['mark', readMark],
      [
        'error',
        (message) => {
          stats.providerErrors++;
          return readError(message);
        },
      ],
    ]),
  };
}

/** The token of the upgrade is said once more; another one is somebody else's stream. */
function readConnected(message: JsonObject, upgrade: UpgradeFacts): ReadResult {
  const dialled = upgrade.headers[TOKEN_WORD];
  const said = message[TOKEN_WORD];
  if (dialled === undefined || said === undefined || said === null) return IGNORED;
  return typeof said === 'string' && isSameSecret(said, dialled)
    ? IGNORED
    : refuse('unauthenticated', 'connected carries another token than the upgrade');
}

function readStart(message: JsonObject, wishes: TelnyxWishes, bidirectional: boolean): LegStarted | Refusal {
  const start = message['start'];
  if (!isObject(start)) return refuse('protocol_violation', 'start is not an object');
  // At the top level, and not in the start like its neighbours.
  const streamId = nameOf(message['stream_id']) ?? nameOf(start['stream_id']);
  if (streamId === undefined) return refuse('protocol_violation', 'start without a stream_id');
  const inbound = readFormat(start['media_format'], wishes.littleEndian);
  if (inbound === undefined) return refuse('unsupported_format', whyNot(start['media_format']));
  const { from, to, client_state } = start;
  const parameters = parametersWith(namedValues(start['custom_parameters']), { from, to, client_state });
  if (isRefusal(parameters)) return parameters;
  return startedWith({
    callId: start['call_control_id'],
    streamId,
    inbound,
    outbound: wishes.outbound,
    bidirectional,
    parameters,
  });
}

/** Parameters are commanded as a list of names and values, and documented as an object in the start. */
function namedValues(given: unknown): unknown {
  if (!Array.isArray(given)) return given;
  const listed: readonly unknown[] = given;
  const pairs = listed.map((pair) => (isObject(pair) ? [pair['name'], pair['value']] : []));
  return pairs.every(([name]) => typeof name === 'string') ? Object.fromEntries(pairs) : given;
}

function readFormat(given: unknown, littleEndian: boolean): AudioFormat | undefined {
  if (given === undefined || given === null) return PCMU_8K;
  if (!isObject(given) || numberOf(given['channels'] ?? 1) !== 1) return undefined;
  return encodingOf(given['encoding'] ?? 'PCMU', given['sample_rate'], littleEndian);
}

/** Telnyx’ own codecs that are not spoken here are named: its `stream_codec` can choose another. */
function whyNot(given: unknown): string {
  const encoding = isObject(given)
    ? textOf(given['encoding'])
        ?.toLowerCase()
        .replace(/^audio\//, '')
    : undefined;
  const name = UNSPOKEN.find((one) => one.toLowerCase() === encoding);
  return name === undefined
    ? 'media_format is none that is known'
    : `${name} is not spoken: set stream_codec to PCMU, PCMA, G722, OPUS or L16`;
}

/** Both documented shapes: what is wrong stands under `payload` or under `error`. */
function readError(message: JsonObject): ReadResult {
  const said = isObject(message['payload']) ? message['payload'] : message['error'];
  if (!isObject(said)) return refuse('protocol_violation', 'error without what is wrong');
  return {
    type: 'agent_error',
    code: nameOf(said['title']) ?? nameOf(said['code']) ?? 'unknown_error',
    detail: nameOf(said['detail']) ?? '',
    isFatal: false,
  };
}
