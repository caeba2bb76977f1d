import { invariant, refuse } from '../../base/errors.ts';
import { l16 } from '../../media/format.ts';
import { AUDIO, IGNORED, type Inbound, type LegStarted, type ReadResult } from '../dialect.ts';
import { digitOf } from '../fields.ts';
import { HEADER_BYTES, isAudioKind, KIND_DTMF, KIND_HANGUP, KIND_UUID, kindOfRate } from './framing.ts';

const UUID_BYTES = 16;
const HUNG_UP = { type: 'hung_up', reason: 'provider' } as const;

/** What Asterisk says on an AudioSocket, a whole message at a time. The UUID is the start. */
export class AudioSocketReader {
  readonly #sampleRateHz: number;
  readonly #audioKind: number;
  #state: 'opening' | 'started' | 'ended' = 'opening';

  constructor(sampleRateHz: number) {
    const kind = kindOfRate(sampleRateHz);
    invariant(kind !== undefined, 'the rate is one of the protocol');
    this.#sampleRateHz = sampleRateHz;
    this.#audioKind = kind;
  }

  read(message: Uint8Array, isBinary: boolean, into: Inbound): ReadResult {
    if (!isBinary) return refuse('unsupported_format', 'a text message');
    if (this.#state === 'ended') return IGNORED;
    const kind = message[0] ?? KIND_HANGUP;
    const payloadBytes = message.length - HEADER_BYTES;
    if (payloadBytes < 0 || (message[1]! << 8) + message[2]! !== payloadBytes) {
      return refuse('protocol_violation', 'a length that is not that of the payload');
    }
    if (kind === KIND_UUID) return this.#start(message);
    if (this.#state === 'opening') return refuse('protocol_violation', 'the first message is no UUID');
    if (isAudioKind(kind)) return this.#readAudio(message, kind, into);
    if (kind === KIND_DTMF) return readDtmf(message);
    if (kind !== KIND_HANGUP) return IGNORED;
    this.#state = 'ended';
    return HUNG_UP;
  }

  #start(message: Uint8Array): ReadResult {
    if (this.#state !== 'opening') return refuse('protocol_violation', 'a second UUID');
    if (message.length !== HEADER_BYTES + UUID_BYTES) {
      return refuse('protocol_violation', 'a UUID of another length than 16');
    }
    this.#state = 'started';
    const format = l16(this.#sampleRateHz);
    const started: LegStarted = {
      type: 'started',
      providerCallId: uuidOf(message.subarray(HEADER_BYTES)),
      providerStreamId: null,
      inbound: format,
      outbound: format,
      bidirectional: true,
      parameters: {},
      speechOnly: false,
      wantsEvents: false,
    };
    return started;
  }

  #readAudio(message: Uint8Array, kind: number, into: Inbound): ReadResult {
    if (kind !== this.#audioKind) return refuse('unsupported_format', 'audio at another rate than before');
    const payloadBytes = message.length - HEADER_BYTES;
    if (message.length > into.payload.length)
      return refuse('frame_too_large', `${payloadBytes} bytes of audio`);
    if (payloadBytes % 2 !== 0) return refuse('protocol_violation', 'half a sample');
    if (payloadBytes === 0) return IGNORED;
    // Two moves within memory: a view of the payload would be an object per frame.
    into.payload.set(message);
    into.payload.copyWithin(0, HEADER_BYTES, message.length);
    into.payloadBytes = payloadBytes;
    into.sequence = -1;
    into.timestampMs = -1;
    return AUDIO;
  }
}

/** Sixteen bytes as people write them. */
export function uuidOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function readDtmf(message: Uint8Array): ReadResult {
  const digit = digitOf(Buffer.from(message.subarray(HEADER_BYTES)).toString('latin1'));
  return digit === undefined
    ? refuse('protocol_violation', 'a digit that is none')
    : { type: 'dtmf', digit, durationMs: null };
}
