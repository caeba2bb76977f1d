import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, parseObject } from '../../base/json.ts';
import { frameBytes, type AudioFormat } from '../../media/format.ts';
import { AudioBytes, readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { textMessage } from '../text-message.ts';

/** People press keys about so long. */
const DTMF_MS = 260;

/** How a provider of this kind differs from Vonage. */
export interface VonageLike {
  readonly name: string;
  readonly ratesHz: readonly number[];
  readonly littleEndian: boolean;
  /** Whether it knows `clear` and `notify`. */
  readonly knowsActions: boolean;
}

/** Vonage's side of a WebSocket endpoint. It speaks exact frames, and takes no others. */
export class VonageCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #like: VonageLike;
  readonly #frameBytes: number;
  readonly #audio = new AudioBytes();
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor(options: CallerOptions, like: VonageLike) {
    requireL16(options.format, like);
    this.#options = options;
    this.#like = like;
    this.#frameBytes = frameBytes(options.format);
  }

  hello(): readonly WireMessage[] {
    const { format, from, to, parameters, callId } = this.#options;
    return [
      textMessage({
        ...parameters,
        ...(from === null ? {} : { from }),
        ...(to === null ? {} : { to }),
        'call-id': callId,
        event: 'websocket:connected',
        'content-type': `audio/l16;rate=${format.sampleRateHz}`,
      }),
    ];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [textMessage({ event: 'websocket:dtmf', digit, duration: DTMF_MS })];
  }

  markPlayed(name: string): WireMessage | undefined {
    if (!this.#like.knowsActions) return undefined;
    return textMessage({ event: 'websocket:notify', payload: { id: name } });
  }

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) {
      if (message.length === this.#frameBytes) return readAudioBytes(message, 2, into);
      return refuse('protocol_violation', 'audio that is not exactly one frame of 20 ms');
    }
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    const { action, payload } = parsed;
    if (this.#like.knowsActions && action === 'clear') return { type: 'clear' };
    const id = isObject(payload) ? nameOf(payload['id']) : undefined;
    if (this.#like.knowsActions && action === 'notify' && id !== undefined) return { type: 'mark', name: id };
    return refuse('protocol_violation', `an action ${this.#like.name} does not know`);
  }
}

function requireL16({ codec, sampleRateHz, littleEndian }: AudioFormat, like: VonageLike): void {
  if (codec === 'l16' && like.ratesHz.includes(sampleRateHz) && littleEndian === like.littleEndian) return;
  const message = `${like.name} speaks L16 at ${like.ratesHz.join(', ')} Hz only`;
  throw new VoiceError('unsupported_format', message, { field: 'format' });
}
