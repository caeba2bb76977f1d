import { refuse, VoiceError } from '../../base/errors.ts';
import { parseObject } from '../../base/json.ts';
import { AudioBytes, readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { textMessage } from '../text-message.ts';

const APPLICATION_KEY = '0a1b0000-0000-4000-8000-000000000000';

/** Sinch's side of a stream: it sends nothing until it is answered. */
export class SinchCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = true;
  readonly #options: CallerOptions;
  readonly #audio = new AudioBytes();
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };
  #isAnswered = false;

  constructor(options: CallerOptions) {
    if (options.format.codec !== 'l16' || !options.format.littleEndian) {
      throw new VoiceError('unsupported_format', 'Sinch speaks L16 only', { field: 'format' });
    }
    this.#options = options;
  }

  hello(): readonly WireMessage[] {
    const { callId, from, to, parameters, format } = this.#options;
    const headers = { ...parameters, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
    return [
      textMessage({
        command: 'connect',
        version: 1,
        callId,
        applicationKey: APPLICATION_KEY,
        codec: 'PCM',
        sampleRate: format.sampleRateHz,
        callHeaders: Object.entries(headers).map(([key, value]) => ({ key, value })),
      }),
    ];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  /** Whether it tells digits, and how, is not documented. */
  dtmf(): readonly WireMessage[] {
    return [];
  }

  markPlayed(): undefined {}

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) {
      if (this.#isAnswered) return readAudioBytes(message, 2, into);
      return refuse('protocol_violation', 'audio before the answer');
    }
    const command = parseObject(message)?.['command'];
    switch (command) {
      case 'answer':
        this.#isAnswered = true;
        return { type: 'ready', callId: null };
      case 'busy':
      case 'reject':
        return { type: 'ended', reason: command };
      case 'clear':
        return { type: 'clear' };
      case 'heartbeat':
        return IGNORED;
      default:
        return refuse('protocol_violation', 'a command Sinch does not know');
    }
  }
}
