import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../../base/json.ts';
import { frameSamples } from '../../base/units.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { AUDIO, IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { CountedTemplate } from '../json-media/counted-template.ts';
import { CallerEar } from '../json-media/stream/caller-ear.ts';
import { textMessage } from '../text-message.ts';
import { encodingName, readEncoding } from './encodings.ts';
import { VOXIMPLANT_WORDS } from './words.ts';

const TAG = 'call';

/** Voximplant's side of `call.sendMediaTo(webSocket)`, and of the way back. */
export class VoximplantCaller implements DialectCaller {
  /** What `VoxEngine.createWebSocket` offers where the scenario names nothing else. */
  readonly subprotocols = ['chat'];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #media: CountedTemplate;
  readonly #ear: CallerEar;
  readonly #frameSamples: number;
  #sequenceNumber = 0;
  #sentFrames = 0;
  #hasTheirStart = false;

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz } = options.format;
    const isLinear = codec === 'l16' && (sampleRateHz === 8000 || sampleRateHz === 16_000);
    if (!isLinear && codec !== 'pcmu' && codec !== 'pcma') {
      const message = 'Voximplant speaks L16 at 8000 or 16000 Hz, PCMU or PCMA';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#frameSamples = frameSamples(sampleRateHz);
    this.#media = new CountedTemplate([
      '{"event":"media","sequenceNumber":',
      `,"media":{"tag":"${TAG}","chunk":`,
      ',"timestamp":',
      ',"payload":"',
      '"}}',
    ]);
    this.#ear = new CallerEar({
      provider: 'Voximplant',
      words: VOXIMPLANT_WORDS,
      events: new Map<string, (message: JsonObject) => CallerRead>([
        ['start', (message) => this.#hearStart(message)],
        ['stop', () => ({ type: 'ended', reason: 'stop' })],
      ]),
    });
  }

  hello(): readonly WireMessage[] {
    const { from, to, parameters, format, callId } = this.#options;
    const custom = {
      ...parameters,
      'call-id': callId,
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
    };
    const start = {
      mediaFormat: { encoding: encodingName(format), sampleRate: format.sampleRateHz },
      tag: TAG,
      customParameters: JSON.stringify(custom),
    };
    return [textMessage({ event: 'start', sequenceNumber: 0, start })];
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    this.#sentFrames++;
    return this.#media.write(frame, ++this.#sequenceNumber, index + 1, index * this.#frameSamples);
  }

  /** Digits are the scenario's. */
  dtmf(): readonly WireMessage[] {
    return [];
  }

  markPlayed(): undefined {}

  goodbye(): readonly WireMessage[] {
    const mediaInfo = {
      bytesSent: this.#sentFrames * 2 * this.#frameSamples,
      duration: this.#sentFrames * 20,
    };
    return [
      textMessage({ event: 'stop', sequenceNumber: ++this.#sequenceNumber, stop: { tag: TAG, mediaInfo } }),
    ];
  }

  /** What is sent before a start says its encoding cannot be played. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    const result = this.#ear.hear(message, isBinary, into);
    if (result !== AUDIO || this.#hasTheirStart) return result;
    return refuse('protocol_violation', 'audio before a start of its own');
  }

  #hearStart({ start }: JsonObject): CallerRead {
    const named = isObject(start) ? start['mediaFormat'] : undefined;
    const format = isObject(named) ? readEncoding(named['encoding'], named['sampleRate'], true) : undefined;
    if (format === undefined) return refuse('unsupported_format', 'an encoding Voximplant does not know');
    this.#hasTheirStart = true;
    return IGNORED;
  }
}
