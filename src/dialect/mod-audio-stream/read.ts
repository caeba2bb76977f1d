import { parseObject } from '../../base/json.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import { flatParametersOf } from '../binary-media/flat-parameters.ts';
import type { OptionValues } from '../capabilities.ts';
import { IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { formatOf } from './options.ts';

const METADATA_BYTES_MAX = 8_192;
/** Names under which users pass the call's own id. */
const CALL_ID_NAMES = ['call_id', 'uuid', 'callId'];

/**
 * What mod_audio_stream says: first its user's metadata, where there is any and whatever it is, then audio.
 * The stream starts with metadata that is a JSON object, else with the first audio, which is then not heard:
 * 20 ms.
 */
export class ModAudioStreamReader {
  readonly #options: OptionValues;
  #metadata: string | undefined;
  #hasStarted = false;
  #sampleBytes = 2;

  constructor(options: OptionValues) {
    this.#options = options;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (!isBinary) return this.#readText(message);
    if (this.#hasStarted) return readAudioBytes(message, this.#sampleBytes, into);
    return message.length === 0 ? IGNORED : this.#start();
  }

  /** Later texts are what a script sends with `send_text`: for nobody here. */
  #readText(message: Uint8Array): ReadResult {
    if (this.#hasStarted || message.length === 0 || message.length > METADATA_BYTES_MAX) return IGNORED;
    this.#metadata ??= Buffer.from(message).toString();
    const object = parseObject(message);
    return object === undefined || Object.keys(object).length === 0 ? IGNORED : this.#start();
  }

  #start(): LegStarted {
    const metadata = this.#metadata;
    const format = formatOf(metadata, this.#options);
    const given = metadata === undefined ? {} : (parseObject(metadata) ?? { metadata });
    const parameters = flatParametersOf(given, ['sampleRate', 'channels']);
    this.#hasStarted = true;
    this.#sampleBytes = 2 * (format.channels ?? 1);
    return {
      type: 'started',
      providerCallId: CALL_ID_NAMES.map((name) => parameters[name]).find((id) => id !== undefined) ?? null,
      providerStreamId: null,
      inbound: format,
      outbound: { ...format, channels: 1 },
      bidirectional: true,
      parameters,
      speechOnly: false,
      wantsEvents: false,
    };
  }
}
