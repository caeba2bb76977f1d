import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { OptionValues } from '../capabilities.ts';
import {
  AUDIO,
  IGNORED,
  type Inbound,
  type LegStarted,
  type ReadResult,
  type SettledAudio,
  type Several,
} from '../dialect.ts';
import { digitOf, flagOf, nameOf } from '../fields.ts';
import { MediaScan } from '../json-media/scan.ts';
import { isOurTrack, readMediaStrictly } from '../json-media/strict.ts';
import { textMessage } from '../text-message.ts';
import { acceptOf, namedFormatOf, UNSETTLED, type NamedFormat } from './media-formats.ts';
import { USER_WORDS } from './words.ts';

/** Activities of one message, and digits of one activity, that are looked at. */
const ACTIVITIES_MAX = 32;
const DIGITS_MAX = 32;

type ReaderState = 'opening' | 'started' | 'ended';

/** What VoiceAI Connect says: validation, a session, streams of the caller's audio, activities. */
export class AudioCodesReader {
  readonly stats = { otherParticipantMessages: 0 };
  readonly #options: OptionValues;
  readonly #scan = new MediaScan(USER_WORDS);
  #state: ReaderState = 'opening';
  #conversationId: string | null = null;
  #accepted: NamedFormat | undefined;

  constructor(options: OptionValues) {
    this.#options = options;
  }

  get accepted(): NamedFormat | undefined {
    return this.#accepted;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (this.#state === 'ended') return IGNORED;
    if (isBinary) return refuse('unsupported_format', 'a binary message');
    if (this.#state === 'started') {
      const scanned = this.#scan.scan(message, into);
      if (scanned === 'audio') return AUDIO;
      if (scanned === 'other_track') return this.#ignoreParticipant();
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a message that is no JSON object');
    return this.#state === 'opening' ? this.#readFirst(parsed) : this.#readWord(parsed, into);
  }

  #readFirst(message: JsonObject): ReadResult {
    switch (message['type']) {
      case 'connection.validate':
        return replyWith({ type: 'connection.validated', success: true });
      case 'session.initiate':
        return this.#start(message);
      case 'session.resume':
        return this.#return(message);
      case undefined:
        return IGNORED;
      default:
        return refuse('protocol_violation', 'a word before session.initiate');
    }
  }

  #start(message: JsonObject): LegStarted | Refusal {
    const accepted = acceptOf(message['supportedMediaFormats'], this.#options);
    if (accepted === undefined) return refuse('unsupported_format', 'no media format that can be carried');
    this.#accepted = accepted;
    this.#state = 'started';
    this.#conversationId = nameOf(message['conversationId']) ?? null;
    return {
      type: 'started',
      providerCallId: this.#conversationId,
      providerStreamId: null,
      inbound: accepted.format,
      outbound: accepted.format,
      // A bot of texts is not played.
      bidirectional: flagOf(message['expectAudioMessages'], true) ?? true,
      parameters: flatParametersOf({ from: message['caller'] ?? null, bot_name: message['botName'] ?? null }),
      speechOnly: false,
      wantsEvents: false,
    };
  }

  /** What was settled is not said again: the call knows it. */
  #return(message: JsonObject): LegStarted | Refusal {
    const conversationId = nameOf(message['conversationId']);
    if (conversationId === undefined)
      return refuse('protocol_violation', 'session.resume of no conversation');
    this.#state = 'started';
    this.#conversationId = conversationId;
    return {
      type: 'started',
      providerCallId: conversationId,
      providerStreamId: null,
      inbound: UNSETTLED,
      outbound: UNSETTLED,
      bidirectional: true,
      parameters: {},
      speechOnly: false,
      wantsEvents: false,
      returns: true,
    };
  }

  /** The conversation goes on with what was accepted before. */
  goOn({ inbound }: SettledAudio): void {
    this.#accepted = namedFormatOf(inbound);
  }

  #readWord(message: JsonObject, into: Inbound): ReadResult {
    const participant = isObject(message) ? textOf(message['participant']) : undefined;
    const named = participant === undefined ? {} : { participant };
    switch (message['type']) {
      case 'userStream.start':
        return replyWith({ type: 'userStream.started', ...named });
      case 'userStream.stop':
        return replyWith({ type: 'userStream.stopped', ...named });
      case 'userStream.chunk':
        return this.#readChunk(message, into);
      case 'activities':
        return readActivities(message['activities']);
      case 'session.end':
        this.#state = 'ended';
        return { type: 'hung_up', reason: 'provider' };
      case 'connection.validate':
        return replyWith({ type: 'connection.validated', success: true });
      case 'session.resume':
        return replyWith(this.#knows(message) ? this.#acceptance() : notFound(message));
      case 'session.initiate':
        return refuse('protocol_violation', 'a second session.initiate');
      default:
        return IGNORED;
    }
  }

  #readChunk(message: JsonObject, into: Inbound): ReadResult {
    if (!isOurTrack(message['participant'], USER_WORDS)) return this.#ignoreParticipant();
    return readMediaStrictly(message, USER_WORDS, into);
  }

  #ignoreParticipant(): typeof IGNORED {
    this.stats.otherParticipantMessages++;
    return IGNORED;
  }

  #knows({ conversationId }: JsonObject): boolean {
    return this.#conversationId !== null && conversationId === this.#conversationId;
  }

  #acceptance(): object {
    return acceptance(this.#accepted);
  }
}

/** The answer to a session that is taken. */
export function acceptance(accepted: NamedFormat | undefined): object {
  return { type: 'session.accepted', mediaFormat: accepted?.name };
}

/** Digits may come several at once; all else that happens there is not for us. */
function readActivities(given: unknown): Several | typeof IGNORED {
  if (!Array.isArray(given)) return IGNORED;
  const activities: readonly unknown[] = given.slice(0, ACTIVITIES_MAX);
  const inputs = activities.flatMap((activity) => {
    if (!isObject(activity) || activity['type'] !== 'event' || activity['name'] !== 'dtmf') return [];
    const digits = (textOf(activity['value']) ?? '').slice(0, DIGITS_MAX).split('').map(digitOf);
    return digits.flatMap((digit) =>
      digit === undefined ? [] : [{ type: 'dtmf', digit, durationMs: null } as const],
    );
  });
  return inputs.length === 0 ? IGNORED : { type: 'several', inputs };
}

function notFound({ conversationId }: JsonObject): object {
  return { type: 'session.error', conversationId, reason: 'conversation not found' };
}

function replyWith(words: object): ReadResult {
  return { type: 'reply', message: textMessage(words) };
}
