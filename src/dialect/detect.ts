import { isObject, parseObject, type JsonObject } from '../base/json.ts';
import { refuse, type Refusal } from '../base/errors.ts';
import type { UpgradeFacts } from './proof.ts';

/** In a path or a credential: whichever protocol the caller turns out to speak. */
export const AUTO = 'auto';

/** Messages that may come before one that tells; only `connected` does in any protocol there is. */
const UNDECIDED_MAX = 4;

/** Headers that only one protocol sends (dialects.md §0.3). An offered subprotocol is one word of a list. */
const HEADER_SIGNS: readonly { readonly header: string; readonly word?: string; readonly dialect: string }[] =
  [
    { header: 'audiohook-session-id', dialect: 'genesys' },
    { header: 'sec-websocket-protocol', word: 'media', dialect: 'asterisk' },
    { header: 'sec-websocket-protocol', word: 'audio.jambonz.org', dialect: 'jambonz' },
    { header: 'sec-websocket-protocol', word: 'audio.drachtio.org', dialect: 'jambonz' },
    { header: 'sec-websocket-protocol', word: 'omnivoice.v1', dialect: 'native' },
    { header: 'x-twilio-signature', dialect: 'twilio' },
    { header: 'x-plivo-signature-v3', dialect: 'plivo' },
    { header: 'x-telnyx-streaming-auth-token', dialect: 'telnyx' },
    { header: 'x-fonoster-signature', dialect: 'fonoster' },
    { header: 'x-ms-call-connection-id', dialect: 'acs' },
  ];

/** What the first JSON message, and a `start` within it, say. */
interface Said {
  readonly message: JsonObject;
  readonly start: JsonObject;
  /** The `connected` before it, where there was one. */
  readonly connected: JsonObject | undefined;
}

/**
 * The first JSON message that tells, most telling first (dialects.md §0.3). `connected` is shared by six and
 * tells nothing. Infobip says what Vonage says and is taken for it; mod_audio_stream says whatever its user
 * likes, so that it cannot be told at all.
 */
const MESSAGE_SIGNS: readonly { readonly dialect: string; readonly holds: (said: Said) => boolean }[] = [
  { dialect: 'genesys', holds: ({ message }) => message['version'] === '2' && message['type'] === 'open' },
  { dialect: 'audiocodes', holds: ({ message }) => isOneOf(message['type'], AUDIOCODES_FIRST) },
  { dialect: 'native', holds: ({ message }) => isOneOf(message['type'], ['start', 'resume']) },
  { dialect: 'sinch', holds: ({ message }) => message['command'] === 'connect' },
  { dialect: 'acs', holds: ({ message }) => message['kind'] === 'AudioMetadata' },
  { dialect: 'bandwidth', holds: ({ message }) => message['eventType'] !== undefined },
  { dialect: 'vonage', holds: ({ message }) => message['event'] === 'websocket:connected' },
  { dialect: 'asterisk', holds: ({ message }) => message['event'] === 'MEDIA_START' },
  {
    dialect: 'jambonz',
    holds: ({ message }) => isWordless(message) && has(message, 'sampleRate', 'mixType'),
  },
  { dialect: 'signalwire', holds: (said) => isTwilioLike(said) && isSignalWire(said) },
  { dialect: 'twilio', holds: isTwilioLike },
  {
    dialect: 'telnyx',
    holds: ({ message, start }) => has(message, 'stream_id') && has(start, 'call_control_id'),
  },
  { dialect: 'exotel', holds: ({ start }) => has(start, 'stream_sid', 'call_sid') },
  { dialect: 'plivo', holds: ({ start }) => has(start, 'streamId', 'callId') },
  { dialect: 'voximplant', holds: ({ start }) => has(start, 'mediaFormat') && !has(start, 'streamSid') },
];

const AUDIOCODES_FIRST = ['session.initiate', 'connection.validate', 'session.resume'];
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Whose headers these are; undefined where they do not tell. */
export function dialectByHeaders({ headers }: UpgradeFacts): string | undefined {
  return HEADER_SIGNS.find(({ header, word }) => {
    const value = headers[header];
    if (value === undefined || word === undefined) return value !== undefined;
    return value.split(',').some((offered) => offered.trim() === word);
  })?.dialect;
}

/** Listens to the first messages of somebody until they tell which protocol it is. */
export class Detector {
  /** What was said so far: whoever takes over has to hear it, too. */
  readonly heard: Uint8Array[] = [];
  #connected: JsonObject | undefined;

  /** The name of the protocol, a refusal, or undefined where the next message has to tell. */
  hear(message: Uint8Array, isBinary: boolean): string | Refusal | undefined {
    if (isBinary) return refuse('protocol_violation', 'audio before any word told the protocol');
    this.heard.push(Uint8Array.from(message));
    const parsed = parseObject(message);
    const dialect = parsed === undefined ? dialectOfText(message) : this.#dialectOf(parsed);
    if (dialect !== undefined) return dialect;
    if (parsed === undefined) return refuse('not_json', 'the first message is of no known protocol');
    if (this.heard.length < UNDECIDED_MAX) return undefined;
    return refuse('protocol_violation', 'the first messages are of no known protocol');
  }

  #dialectOf(message: JsonObject): string | undefined {
    if (message['event'] === 'connected') {
      this.#connected ??= message;
      return undefined;
    }
    const start = message['event'] === 'start' && isObject(message['start']) ? message['start'] : {};
    const said = { message, start, connected: this.#connected };
    return MESSAGE_SIGNS.find(({ holds }) => holds(said))?.dialect;
  }
}

/** Asterisk's plain control words are no JSON. */
function dialectOfText(message: Uint8Array): string | undefined {
  return Buffer.from(message.subarray(0, 12)).toString('latin1') === 'MEDIA_START ' ? 'asterisk' : undefined;
}

function isTwilioLike({ start }: Said): boolean {
  return has(start, 'streamSid', 'callSid');
}

/** Its ids are UUIDs where Twilio's begin MZ and CA, and its own version of `connected` is lower. */
function isSignalWire({ start, connected }: Said): boolean {
  return connected?.['version'] === '0.2.0' || UUID.test(String(start['streamSid']));
}

function isWordless(message: JsonObject): boolean {
  return !has(message, 'event') && !has(message, 'type');
}

function has(object: JsonObject, ...names: readonly string[]): boolean {
  return names.every((name) => object[name] !== undefined);
}

function isOneOf(value: unknown, words: readonly string[]): boolean {
  return words.some((word) => word === value);
}
