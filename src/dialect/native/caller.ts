import { FAULTS, refuse, type FaultCode, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, parseObject, textOf, type JsonObject } from '../../base/json.ts';
import type { CallerOptions, CallerRead, DialectCaller, ResumeOffer } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { nameOf } from '../fields.ts';
import { textMessage } from '../text-message.ts';
import { AudioReader, AudioWriter } from './audio.ts';
import { writeFormats } from './format.ts';
import { NATIVE_VERSION } from './start.ts';
import { dtmfMessage, markPlayedMessage } from './write.ts';

const CALLER_SSRC = 2;

/** A client of our own: one party at the other end of `omnivoice.v1`. */
export class NativeCaller implements DialectCaller {
  readonly subprotocols = ['omnivoice.v1'];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #options: CallerOptions;
  readonly #reader: AudioReader;
  readonly #writer: AudioWriter;
  #audio: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor(options: CallerOptions) {
    this.#options = options;
    this.#reader = new AudioReader(options.format, options.rtpHeaders);
    this.#writer = new AudioWriter(options.format, options.rtpHeaders, CALLER_SSRC);
  }

  hello(): readonly WireMessage[] {
    const { from, to, parameters, resumeToken } = this.#options;
    if (resumeToken !== undefined) return this.comeBack(resumeToken);
    return [textMessage({ type: 'start', ...this.#wishes, from, to, parameters })];
  }

  comeBack(token: string): readonly WireMessage[] {
    return [textMessage({ type: 'resume', token, ...this.#wishes })];
  }

  get #wishes() {
    const { format, rtpHeaders, wantsEvents } = this.#options;
    return {
      version: NATIVE_VERSION,
      format: writeFormats({ inbound: format, outbound: format }),
      rtp: rtpHeaders,
      events: wantsEvents ?? true,
    };
  }

  audio(frame: Uint8Array, index: number): WireMessage {
    const bytes = this.#writer.write(frame, index);
    if (bytes !== this.#audio.bytes) this.#audio = { bytes, isBinary: true };
    return this.#audio;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [dtmfMessage(digit)];
  }

  markPlayed(name: string): WireMessage {
    return markPlayedMessage(name);
  }

  goodbye(): readonly WireMessage[] {
    return [textMessage({ type: 'bye', reason: 'hangup' })];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    if (isBinary) return this.#reader.read(message, into);
    const parsed = parseObject(message);
    if (parsed === undefined) return refuse('not_json', 'a text message that is no JSON object');
    return readWord(parsed);
  }
}

function readWord(message: JsonObject): CallerRead {
  switch (message['type']) {
    case 'started':
    case 'resumed':
      return readReady(message);
    case 'mark': {
      const name = nameOf(message['name']);
      return name === undefined ? lacking('mark') : { type: 'mark', name };
    }
    case 'clear':
      return { type: 'clear' };
    case 'event':
      return isObject(message['event']) ? { type: 'event', envelope: message['event'] } : lacking('event');
    case 'goaway':
      return readGoaway(message);
    case 'ended':
      return { type: 'ended', reason: nameOf(message['reason']) ?? 'unknown' };
    case 'error':
      return refuse(faultOf(message['fault']), textOf(message['detail']) ?? 'refused');
    default:
      return IGNORED;
  }
}

function readReady(message: JsonObject): CallerRead {
  const callId = nameOf(message['call_id']) ?? null;
  const resume = offerOf(message['resume']);
  return resume === undefined ? { type: 'ready', callId } : { type: 'ready', callId, resume };
}

function offerOf(value: unknown): ResumeOffer | undefined {
  if (!isObject(value) || typeof value['token'] !== 'string' || !Array.isArray(value['urls']))
    return undefined;
  const urls = value['urls'].filter((url) => typeof url === 'string');
  return { token: value['token'], urls, windowMs: numberOf(value['window_ms']) ?? 0 };
}

function readGoaway(message: JsonObject): CallerRead {
  const { url, token } = message;
  if (typeof url !== 'string' || typeof token !== 'string') return lacking('goaway');
  return { type: 'goaway', url, token, reason: nameOf(message['reason']) ?? 'unknown' };
}

function lacking(word: string): Refusal {
  return refuse('protocol_violation', `${word} without what it needs`);
}

function faultOf(value: unknown): FaultCode {
  return typeof value === 'string' && Object.hasOwn(FAULTS, value)
    ? (value as FaultCode)
    : 'protocol_violation';
}
