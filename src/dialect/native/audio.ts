import { refuse, type Refusal } from '../../base/errors.ts';
import { frameSamples } from '../../base/units.ts';
import { frameBytes, type AudioFormat } from '../../media/format.ts';
import { AUDIO, IGNORED, type Inbound } from '../dialect.ts';
import { RTP_HEADER_BYTES, rtpClockHz, RtpReader, writeRtpNumbers, writeRtpStart } from './rtp.ts';

/** One direction's binary messages, read: codec bytes, behind an RTP header where that was agreed. */
export class AudioReader {
  readonly #sampleBytes: number;
  /** 0 where packets vary. */
  readonly #frameBytes: number;
  readonly #rtp: RtpReader | null;

  constructor(format: AudioFormat, hasRtp: boolean) {
    this.#sampleBytes = format.codec === 'l16' ? 2 : 1;
    this.#frameBytes = frameBytes(format);
    this.#rtp = hasRtp ? new RtpReader(rtpClockHz(format)) : null;
  }

  read(message: Uint8Array, into: Inbound): typeof AUDIO | typeof IGNORED | Refusal {
    const { length } = message;
    if (length > into.payload.length) return refuse('frame_too_large', `${length} bytes of audio`);
    if (this.#rtp !== null) return this.#readPacket(this.#rtp, message, into);
    if (length === 0) return IGNORED;
    if (length % this.#sampleBytes !== 0) return refuse('protocol_violation', 'half a sample');
    into.payload.set(message);
    into.payloadBytes = length;
    into.sequence = -1;
    into.timestampMs = -1;
    return AUDIO;
  }

  // A number stands for one frame: only so can a hole in the numbers be filled.
  #readPacket(rtp: RtpReader, message: Uint8Array, into: Inbound): typeof AUDIO | Refusal {
    const payloadBytes = message.length - RTP_HEADER_BYTES;
    if (this.#frameBytes === 0 ? payloadBytes < 1 : payloadBytes !== this.#frameBytes) {
      return refuse('protocol_violation', 'not a 12-byte RTP header and one frame of 20 ms');
    }
    if (!rtp.readInto(message, into)) return refuse('protocol_violation', 'no plain RTP header');
    // Two moves within memory: a view of the payload would be an object per frame.
    into.payload.set(message);
    into.payload.copyWithin(0, RTP_HEADER_BYTES, message.length);
    into.payloadBytes = payloadBytes;
    return AUDIO;
  }
}

/** One direction's binary messages, written in place: what `write` returned before is overwritten. */
export class AudioWriter {
  readonly #format: AudioFormat;
  readonly #frameTicks: number;
  readonly #headerBytes: number;
  readonly #ssrc: number;
  #message: Buffer;

  constructor(format: AudioFormat, hasRtp: boolean, ssrc: number) {
    this.#format = format;
    this.#frameTicks = frameSamples(rtpClockHz(format));
    this.#headerBytes = hasRtp ? RTP_HEADER_BYTES : 0;
    this.#ssrc = ssrc;
    this.#message = this.#makeMessage(frameBytes(format));
  }

  /** `index` is the frame's place in its stream; with RTP it is its number and, in clock ticks, its time. */
  write(frame: Uint8Array, index: number): Buffer {
    if (this.#headerBytes + frame.length !== this.#message.length) {
      this.#message = this.#makeMessage(frame.length);
    }
    this.#message.set(frame, this.#headerBytes);
    if (this.#headerBytes > 0) {
      writeRtpNumbers(this.#message, index, index * this.#frameTicks);
    }
    return this.#message;
  }

  #makeMessage(bytes: number): Buffer {
    const message = Buffer.alloc(this.#headerBytes + bytes);
    if (this.#headerBytes > 0) writeRtpStart(message, this.#format.codec, this.#ssrc);
    return message;
  }
}
