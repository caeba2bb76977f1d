import { createHash } from 'node:crypto';
import { refuse, VoiceError } from '../../base/errors.ts';
import type { CallerOptions, CallerRead, DialectCaller } from '../caller.ts';
import { IGNORED, type Inbound, type WireMessage } from '../dialect.ts';
import { framed, FramedAudio, KIND_DTMF, KIND_HANGUP, KIND_UUID, kindOfRate } from './framing.ts';
import { AudioSocketReader } from './read.ts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Asterisk's side of `AudioSocket(<uuid>,host:port)`. */
export class AudioSocketCaller implements DialectCaller {
  readonly subprotocols = [];
  readonly upgradeHeaders = {};
  readonly waitsForReady = false;
  readonly #uuid: Buffer;
  readonly #audio: FramedAudio;
  readonly #ear: AudioSocketReader;
  #message: WireMessage = { bytes: new Uint8Array(0), isBinary: true };

  constructor({ format, callId }: CallerOptions) {
    const kind = kindOfRate(format.sampleRateHz);
    if (format.codec !== 'l16' || !format.littleEndian || kind === undefined) {
      const message = 'AudioSocket speaks L16 at 8000, 16000, 24000, 32000 or 48000 Hz';
      throw new VoiceError('unsupported_format', message, { field: 'format' });
    }
    this.#uuid = uuidBytesOf(callId);
    this.#audio = new FramedAudio(kind);
    // Audio is framed alike both ways; what comes back needs no start of its own.
    this.#ear = new AudioSocketReader(format.sampleRateHz);
    const into = { payload: new Uint8Array(0), payloadBytes: 0, sequence: -1, timestampMs: -1 };
    this.#ear.read(framed(KIND_UUID, this.#uuid), true, into);
  }

  hello(): readonly WireMessage[] {
    return [{ bytes: framed(KIND_UUID, this.#uuid), isBinary: true }];
  }

  audio(frame: Uint8Array): WireMessage {
    const bytes = this.#audio.write(frame);
    if (bytes !== this.#message.bytes) this.#message = { bytes, isBinary: true };
    return this.#message;
  }

  dtmf(digit: string): readonly WireMessage[] {
    return [{ bytes: framed(KIND_DTMF, Buffer.from(digit, 'latin1')), isBinary: true }];
  }

  markPlayed(): undefined {}

  goodbye(): readonly WireMessage[] {
    return [{ bytes: framed(KIND_HANGUP, new Uint8Array(0)), isBinary: true }];
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): CallerRead {
    const heard = this.#ear.read(message, isBinary, into);
    switch (heard.type) {
      case 'audio':
      case 'refusal':
        return heard;
      case 'hung_up':
        return { type: 'ended', reason: 'hangup' };
      case 'ignored':
        return IGNORED;
      default:
        return refuse('protocol_violation', 'a kind that is not for Asterisk');
    }
  }
}

function uuidBytesOf(callId: string): Buffer {
  if (UUID.test(callId)) return Buffer.from(callId.replaceAll('-', ''), 'hex');
  return createHash('sha256').update(callId).digest().subarray(0, 16);
}
