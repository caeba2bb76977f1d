import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, type JsonObject } from '../../base/json.ts';
import { AudioBytes, readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { readMediaStrictly } from '../json-media/strict.ts';
import type { AudioFormat } from '../../media/format.ts';
import type { MediaWords } from '../json-media/words.ts';
import { textMessage } from '../text-message.ts';
import { outboundOf } from './options.ts';

const RATES_HZ: readonly number[] = [8000, 16_000, 24_000, 32_000, 48_000];
/** 200 ms in RTP timestamps. */
const DTMF_DURATION = '1600';
const PASSED_ON: readonly unknown[] = ['transcription', 'transfer', 'error', 'json', 'clearMarks'];
const ACCOUNT_SID = '0c5d0000-0000-4000-8000-000000000000';

/** Its words for audio that is no stream. */
const PLAY_AUDIO_WORDS: MediaWords = {
  kindKey: 'type',
  kinds: ['playAudio'],
  container: 'data',
  payload: 'audioContent',
  sequence: null,
  timestamp: null,
  track: null,
  tracks: [],
};

/** jambonz' side of a `listen` (mod_audio_fork). */
export class JambonzCaller implements DialectCaller {
  readonly subprotocols = ['audio.jambonz.org'];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly heardFormat: AudioFormat;
  readonly unsaidSample = -1;
  readonly #options: CallerOptions;
  readonly #audio = new AudioBytes();
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz, littleEndian } = options.format;
    if (codec !== 'l16' || !littleEndian || !RATES_HZ.includes(sampleRateHz)) {
      const message = `jambonz speaks L16 at ${RATES_HZ.join(', ')} Hz only`;
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.heardFormat = outboundOf(options.format, options.options);
  }

  hello(): readonly WireMessage[] {
    const { format, callId, streamId, from, to, parameters } = this.#options;
    return [
      textMessage({
        sampleRate: format.sampleRateHz,
        mixType: format.channels === 2 ? 'stereo' : 'mono',
        callSid: callId,
        direction: 'inbound',
        ...(from === null ? {} : { from }),
        ...(to === null ? {} : { to }),
        callId: `${streamId}@127.0.0.1`,
        sipStatus: 200,
        callStatus: 'in-progress',
        accountSid: ACCOUNT_SID,
        ...parameters,
      }),
    ];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [textMessage({ event: 'dtmf', dtmf: digit, duration: DTMF_DURATION })];
  }

  markPlayed(name: string): WireMessage {
    return textMessage({ type: 'mark', data: { name, event: 'playout' } });
  }

  /** An empty binary message. */
  goodbye(): readonly WireMessage[] {
    return [{ bytes: new Uint8Array(0), isBinary: true }];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    // An odd byte is kept for the next message, so that none is refused.
    if (isBinary) return readAudioBytes(message, 1, into);
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    return this.#readWord(parsed, into);
  }

  #readWord(message: JsonObject, into: Inbound): CallerRead {
    const { type, data } = message;
    switch (type) {
      case 'playAudio':
        return isPlayable(data)
          ? readMediaStrictly(message, PLAY_AUDIO_WORDS, into)
          : refuse('unsupported_format', 'playAudio of a type or rate that jambonz does not play');
      case 'killAudio':
        return { type: 'clear' };
      case 'mark': {
        const name = isObject(data) ? nameOf(data['name']) : undefined;
        return name === undefined
          ? refuse('protocol_violation', 'mark without a name')
          : { type: 'mark', name };
      }
      case 'disconnect':
        return { type: 'ended', reason: 'disconnect' };
      default:
        return PASSED_ON.includes(type)
          ? IGNORED
          : refuse('protocol_violation', 'a type jambonz does not know');
    }
  }
}

function isPlayable(data: unknown): boolean {
  if (!isObject(data)) return false;
  const { audioContentType, sampleRate } = data;
  return audioContentType === 'raw' && RATES_HZ.includes(numberOf(sampleRate) ?? 0);
}
