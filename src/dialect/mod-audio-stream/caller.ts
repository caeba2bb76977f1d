import { VoiceError } from '../../base/errors.ts';
import { l16, type AudioFormat } from '../../media/format.ts';
import { AudioBytes, readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import type { Inbound, WireMessage } from '../dialect.ts';
import { CallerEar } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';

const RATES_HZ: readonly number[] = [8000, 16_000, 24_000, 32_000, 48_000];

/**
 * FreeSWITCH' side of `uuid_audio_stream` (amigniter/mod_audio_stream), with metadata that tells the rate.
 */
export class ModAudioStreamCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  /** One channel, also where it sends two. */
  readonly heardFormat: AudioFormat;
  readonly #options: CallerOptions;
  readonly #audio = new AudioBytes();
  readonly #ear = new CallerEar({
    provider: 'mod_audio_stream',
    words: {
      kindKey: 'type',
      kinds: ['streamAudio'],
      container: 'data',
      payload: 'audioData',
      sequence: null,
      timestamp: null,
      track: null,
      tracks: [],
    },
    events: new Map(),
  });
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz, littleEndian } = options.format;
    if (codec !== 'l16' || !littleEndian || !RATES_HZ.includes(sampleRateHz)) {
      const message = `mod_audio_stream speaks L16 at ${RATES_HZ.join(', ')} Hz only`;
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.heardFormat = l16(sampleRateHz);
  }

  hello(): readonly WireMessage[] {
    const { format, callId, from, to, parameters } = this.#options;
    const numbers = { ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) };
    const channels = format.channels ?? 1;
    return [
      textMessage({ sampleRate: format.sampleRateHz, channels, uuid: callId, ...numbers, ...parameters }),
    ];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  /** It tells of no digits. */
  dtmf(): readonly WireMessage[] {
    return [];
  }

  markPlayed(): undefined {}

  /** It has no word for it: the socket is closed. */
  goodbye(): readonly WireMessage[] {
    return [];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    return isBinary ? readAudioBytes(message, 2, into) : this.#ear.hear(message, isBinary, into);
  }
}
