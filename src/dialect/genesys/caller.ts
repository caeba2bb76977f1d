import { createHash } from 'node:crypto';
import { refuse, VoiceError } from '../../base/errors.ts';
import { isObject, parseObject, type JsonObject } from '../../base/json.ts';
import { frameSamples } from '../../base/units.ts';
import { frameBytes } from '../../media/format.ts';
import { readAudioBytes } from '../binary-media/audio-bytes.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { MessageFiller } from '../json-media/stream/message-filler.ts';
import { textMessage } from '../text-message.ts';
import { VERSION } from './envelope.ts';

/** Genesys sends audio every 200 ms. */
const MESSAGE_FRAMES = 10;
/** More in one message is refused (its Audio Connector reference server splits there). */
const AUDIO_BYTES_MAX = 64_000;
const TEXT_BYTES_MAX = 65_535;
const API_KEY = 'omnivoice-call';
const ORGANIZATION_ID = '0c5d0000-0000-4000-8000-000000000000';
/** What it hears without an answer. */
const HEARD: readonly string[] = ['pong', 'pause', 'resume', 'updated', 'reconnect'];

/** Genesys' side of an Audio Connector session: one channel, both ways. */
export class GenesysCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders: DialectCaller['upgradeHeaders'];
  readonly waitsForReady = true;
  readonly providerCallId: string;
  readonly #options: CallerOptions;
  readonly #sessionId: string;
  readonly #filler: MessageFiller;
  readonly #sampleBytes: number;
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };
  #sentFrames = 0;
  #seq = 0;
  #serverSeq = 0;

  constructor(options: CallerOptions) {
    const { codec, sampleRateHz } = options.format;
    if ((codec !== 'pcmu' && codec !== 'l16') || sampleRateHz !== 8000) {
      const message = 'Genesys speaks PCMU or L16 at 8000 Hz only';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#options = options;
    this.#sessionId = uuidOf(options.streamId);
    this.providerCallId = uuidOf(options.callId);
    this.#sampleBytes = frameBytes(options.format) / frameSamples(8000);
    this.#filler = new MessageFiller(MESSAGE_FRAMES * frameBytes(options.format), 0);
    this.upgradeHeaders = {
      'Audiohook-Organization-Id': ORGANIZATION_ID,
      'Audiohook-Session-Id': this.#sessionId,
      'Audiohook-Correlation-Id': uuidOf(`correlation ${options.streamId}`),
      'X-API-KEY': API_KEY,
    };
  }

  hello(): readonly WireMessage[] {
    const { callId, from, to, parameters, format } = this.#options;
    const open = {
      organizationId: ORGANIZATION_ID,
      conversationId: this.providerCallId,
      participant: { id: uuidOf(`participant ${callId}`), ani: from ?? '', aniName: '', dnis: to ?? '' },
      media: [{ type: 'audio', format: format.codec.toUpperCase(), channels: ['external'], rate: 8000 }],
      language: 'en-US',
      inputVariables: parameters,
    };
    return [this.#write('open', open)];
  }

  audio(frame: Uint8Array): WireMessage | undefined {
    this.#sentFrames++;
    const bytes = this.#filler.add(frame);
    if (bytes === undefined) return undefined;
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [this.#write('dtmf', { digit })];
  }

  /** It names no marks. */
  markPlayed(): undefined {}

  playbackStarted(): WireMessage {
    return this.#write('playback_started', {});
  }

  playedOut(): WireMessage {
    return this.#write('playback_completed', {});
  }

  goodbye(): readonly WireMessage[] {
    const rest = this.#filler.takeRest();
    const last = rest === undefined ? [] : [{ bytes: rest, isBinary: true }];
    return [...last, this.#write('close', { reason: 'end' })];
  }

  /** As strict as its client: what that answers with an error is refused. */
  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) {
      if (message.length <= AUDIO_BYTES_MAX) return readAudioBytes(message, this.#sampleBytes, into);
      return refuse('frame_too_large', 'more audio than one message may hold');
    }
    if (message.length > TEXT_BYTES_MAX) return refuse('frame_too_large', 'error 413: message too large');
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'error 400: no JSON object');
    const { version, id, seq, clientseq, type, parameters } = parsed;
    if (version !== VERSION || id !== this.#sessionId || !isObject(parameters)) {
      return refuse('protocol_violation', 'error 400: no message of this session');
    }
    if (seq !== this.#serverSeq + 1 || typeof clientseq !== 'number' || clientseq > this.#seq) {
      return refuse('protocol_violation', 'error 400: a message out of its order');
    }
    this.#serverSeq++;
    return this.#readWord(String(type), parameters);
  }

  #readWord(type: string, parameters: JsonObject): CallerRead {
    switch (type) {
      case 'opened':
        return this.#readOpened(parameters);
      case 'event':
        return isBargeIn(parameters['entities']) ? { type: 'clear' } : IGNORED;
      case 'disconnect':
        return { type: 'reply', message: this.#write('close', { reason: 'disconnect' }) };
      case 'closed':
        return { type: 'ended', reason: 'closed' };
      default:
        return HEARD.includes(type) ? IGNORED : refuse('protocol_violation', 'a type Genesys does not know');
    }
  }

  #readOpened({ media }: JsonObject): CallerRead {
    const isOne = Array.isArray(media) && media.length === 1;
    return isOne
      ? { type: 'ready', callId: null }
      : refuse('protocol_violation', 'error 400: not one medium of those offered');
  }

  #write(type: string, parameters: object): WireMessage {
    return textMessage({
      version: VERSION,
      type,
      id: this.#sessionId,
      seq: ++this.#seq,
      serverseq: this.#serverSeq,
      position: `PT${(this.#sentFrames * 20) / 1000}S`,
      parameters,
    });
  }
}

function isBargeIn(entities: unknown): boolean {
  return (
    Array.isArray(entities) && entities.some((one: unknown) => isObject(one) && one['type'] === 'barge_in')
  );
}

/** Genesys' ids are UUIDs (RFC 9562); the same name has the same one. */
function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
