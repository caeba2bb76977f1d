import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { Base64Template } from '../base64-template.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { AUDIO, IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { digitOf, nameOf } from '../fields.ts';
import { CallerEar } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { mediaFormatOf } from './media-formats.ts';
import { PLAY_WORDS } from './words.ts';

/** Its activities are stamped with the time of day; any day will do. */
const TIMESTAMP = '2026-05-04T10:11:12.000Z';
const HEARD = [
  'connection.validated',
  'userStream.stopped',
  'userStream.speech.hypothesis',
  'userStream.speech.recognition',
  'userStream.speech.stopped',
  'userStream.speech.committed',
];

/** VoiceAI Connect's side of a bot in streaming mode. */
export class AudioCodesCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = true;
  readonly #options: CallerOptions;
  readonly #mediaFormat: string;
  readonly #audio = new Base64Template('{"type":"userStream.chunk","audioChunk":"', '"}');
  readonly #ear: CallerEar;
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: false };
  #playing: string | undefined;
  #activities = 0;

  constructor(options: CallerOptions) {
    const mediaFormat = mediaFormatOf(options.format);
    if (mediaFormat === undefined || !options.format.littleEndian) {
      const message = 'AudioCodes speaks L16 at 8000, 16000 or 24000 Hz, or PCMU at 8000 Hz';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#mediaFormat = mediaFormat;
    this.#ear = new CallerEar({
      provider: 'VoiceAI Connect',
      words: PLAY_WORDS,
      events: new Map<string, (message: JsonObject) => CallerRead>([
        ...HEARD.map((word) => [word, () => IGNORED] as const),
        ['session.accepted', (message) => this.#hearAccepted(message)],
        ['session.error', () => ({ type: 'ended', reason: 'session.error' })],
        ['userStream.started', () => ({ type: 'ready', callId: null })],
        ['userStream.speech.started', () => ({ type: 'clear' })],
        ['playStream.start', (message) => this.#hearStart(message)],
        ['playStream.stop', (message) => this.#hearStop(message)],
        ['activities', (message) => hearActivity(message)],
      ]),
    });
  }

  /** The start of the conversation is said at once: this caller answers each word with one. */
  hello(): readonly WireMessage[] {
    const { callId, from, to, parameters } = this.#options;
    const initiate = {
      type: 'session.initiate',
      conversationId: callId,
      expectAudioMessages: true,
      botName: 'omnivoice',
      ...(from === null ? {} : { caller: from }),
      supportedMediaFormats: [this.#mediaFormat],
    };
    const known = { ...(from === null ? {} : { caller: from }), ...(to === null ? {} : { callee: to }) };
    const start = { name: 'start', language: 'en-US', parameters: { ...parameters, ...known } };
    return [textMessage(initiate), this.#activity(start)];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: false };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#activity({ name: 'dtmf', value: digit })];
  }

  markPlayed(): undefined {}

  goodbye(): readonly WireMessage[] {
    const { callId } = this.#options;
    const why = { reasonCode: 'client-disconnected', reason: 'Client Side' };
    return [
      textMessage({ type: 'userStream.stop' }),
      textMessage({ type: 'session.end', conversationId: callId, ...why }),
    ];
  }

  /** Audio belongs to a play stream that has begun. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    const result = this.#ear.hear(message, isBinary, into);
    if (result !== AUDIO || this.#playing !== undefined) return result;
    return refuse('protocol_violation', 'audio before playStream.start');
  }

  #hearAccepted({ mediaFormat }: JsonObject): CallerRead {
    if (mediaFormat !== this.#mediaFormat)
      return refuse('unsupported_format', 'a format that was not offered');
    return { type: 'reply', message: textMessage({ type: 'userStream.start' }) };
  }

  #hearStart({ streamId, mediaFormat }: JsonObject): CallerRead {
    const id = nameOf(streamId);
    if (id === undefined) return refuse('protocol_violation', 'playStream.start without a streamId');
    if (mediaFormat !== this.#mediaFormat)
      return refuse('unsupported_format', 'a format that was not offered');
    this.#playing = id;
    return IGNORED;
  }

  #hearStop({ streamId }: JsonObject): CallerRead {
    if (streamId !== this.#playing) return refuse('protocol_violation', 'playStream.stop of another stream');
    this.#playing = undefined;
    return IGNORED;
  }

  #activity(more: object): WireMessage {
    const { callId } = this.#options;
    const stamped = { id: `${callId}-${++this.#activities}`, timestamp: TIMESTAMP };
    return textMessage({ type: 'activities', activities: [{ type: 'event', ...stamped, ...more }] });
  }
}

/** One activity a message is all that is sent. */
function hearActivity({ activities }: JsonObject): CallerRead {
  const activity: unknown = Array.isArray(activities) ? activities[0] : undefined;
  if (!isObject(activity)) return refuse('protocol_violation', 'activities without an activity');
  const { name, value, activityParams } = activity;
  const digit = digitOf(value);
  const target = isObject(activityParams) ? nameOf(activityParams['transferTarget']) : undefined;
  switch (name) {
    case 'abortPrompts':
      return { type: 'clear' };
    case 'hangup':
      return { type: 'ended', reason: 'hangup' };
    case 'sendDtmf':
      return digit === undefined
        ? refuse('protocol_violation', 'sendDtmf without a digit')
        : { type: 'dtmf', digit };
    case 'transfer':
      return target === undefined
        ? refuse('protocol_violation', 'transfer without a target')
        : { type: 'transfer', target };
    default:
      return IGNORED;
  }
}
