import { refuse, VoiceError } from '../../base/errors.ts';
import { frameBytes } from '../../media/format.ts';
import { AudioBytes, readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { COMMAND_BYTES_MAX, readControl, writeControl, type ControlFormat } from './control.ts';
import { ASTERISK_FORMATS, nameOfFormat } from './format.ts';

const CONNECTION_ID = 'media1';
const PTIME_MS = 20;
const MESSAGE_BYTES_MAX = 65_531;
const UNANSWERED: readonly string[] = [
  'ANSWER',
  'START_MEDIA_BUFFERING',
  'PAUSE_MEDIA',
  'CONTINUE_MEDIA',
  'GET_STATUS',
  'REPORT_QUEUE_DRAINED',
  'SET_MEDIA_DIRECTION',
];

/** Asterisk's side of `Dial(WebSocket/media1/…)`, with either way of writing commands. */
export class AsteriskCaller implements DialectCaller {
  readonly subprotocols = ['media'];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #control: ControlFormat;
  readonly #formatName: string;
  readonly #audio = new AudioBytes();
  /** Ids that are told as completed buffering, and not as a mark. */
  readonly #buffered = new Set<string>();
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor(options: CallerOptions, control: ControlFormat = 'json') {
    const name = nameOfFormat(options.format);
    if (name === undefined) {
      const known = ASTERISK_FORMATS.map((format) => nameOfFormat(format)).join(', ');
      throw new VoiceError('unsupported_format', `Asterisk speaks ${known}`, { field: 'format' });
    }
    this.#options = options;
    this.#control = control;
    this.#formatName = name;
  }

  hello(): readonly WireMessage[] {
    const { callId, format } = this.#options;
    const optimalFrameBytes = frameBytes(format);
    const line = {
      connection_id: CONNECTION_ID,
      channel: `WebSocket/${CONNECTION_ID}/0x7f8564001b70`,
      channel_id: callId,
      format: this.#formatName,
    };
    if (this.#control === 'plain') {
      const sizes = { optimal_frame_size: String(optimalFrameBytes), ptime: String(PTIME_MS) };
      return [this.#event('MEDIA_START', { ...line, ...sizes })];
    }
    const sizes = { optimal_frame_size: optimalFrameBytes, ptime: PTIME_MS };
    const start = { event: 'MEDIA_START', ...line, ...sizes, channel_variables: this.#variables() };
    return [{ bytes: Buffer.from(JSON.stringify(start)), isBinary: false }];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#event('DTMF_END', { digit, channel_id: this.#options.callId })];
  }

  markPlayed(name: string): WireMessage {
    const word = this.#buffered.delete(name) ? 'MEDIA_BUFFERING_COMPLETED' : 'MEDIA_MARK_PROCESSED';
    const fields = { correlation_id: name };
    return this.#event(
      word,
      this.#control === 'json' ? { channel_id: this.#options.callId, ...fields } : fields,
    );
  }

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) {
      if (message.length <= MESSAGE_BYTES_MAX) return readAudioBytes(message, 1, into);
      return refuse('frame_too_large', 'Asterisk closes with 1009');
    }
    if (message.length > COMMAND_BYTES_MAX)
      return refuse('protocol_violation', 'a command of over 128 bytes');
    const said = readControl(message, this.#control);
    if (said === undefined) return refuse('not_json', `no command in ${this.#control}`);
    return this.#obey(said.word, nameOf(said.fields['correlation_id']));
  }

  #obey(word: string, id: string | undefined): CallerRead {
    switch (word) {
      case 'MARK_MEDIA':
        return id === undefined ? IGNORED : { type: 'mark', name: id };
      case 'STOP_MEDIA_BUFFERING':
        if (id === undefined) return IGNORED;
        this.#buffered.add(id);
        return { type: 'mark', name: id };
      case 'FLUSH_MEDIA':
        this.#buffered.clear();
        return { type: 'clear' };
      case 'HANGUP':
        return { type: 'ended', reason: 'HANGUP' };
      default:
        return UNANSWERED.includes(word)
          ? IGNORED
          : refuse('protocol_violation', 'a command Asterisk does not know');
    }
  }

  #variables(): Readonly<Record<string, string>> {
    const { from, to, parameters, format } = this.#options;
    return {
      ...parameters,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      MEDIA_WEBSOCKET_CONNECTION_ID: CONNECTION_ID,
      MEDIA_WEBSOCKET_OPTIMAL_FRAME_SIZE: String(frameBytes(format)),
    };
  }

  #event(word: string, fields: Readonly<Record<string, string>>): WireMessage {
    return { bytes: writeControl(this.#control, 'event', word, fields), isBinary: false };
  }
}
