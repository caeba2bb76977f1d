import type { AudioFormat, CodecName } from '../../media/format.ts';
import type { Inbound } from '../dialect.ts';

/** The fixed part of an RTP header (RFC 3550 §5.1): no CSRC list, no extension. */
export const RTP_HEADER_BYTES = 12;

// Version 2, no padding, no extension, no CSRC: the only first byte a 12-byte header can have.
const FIRST_BYTE = 0x80;
// RFC 3551 §6; L16 has static types at 44.1 kHz only, so ours is the first dynamic one.
const PAYLOAD_TYPES: { readonly [codec in CodecName]: number } = {
  pcmu: 0,
  pcma: 8,
  g722: 9,
  l16: 96,
  opus: 111,
};

/**
 * The rate of RTP timestamps, which is not always that of the samples: G.722 counts at 8000 for a mistake of
 * RFC 1890 (RFC 3551 §4.5.2), Opus at 48 000 whatever it carries (RFC 7587 §4.1).
 */
export function rtpClockHz({ codec, sampleRateHz }: AudioFormat): number {
  if (codec === 'g722') return 8000;
  return codec === 'opus' ? 48_000 : sampleRateHz;
}

/** Reads the headers of one stream, whose timestamps wrap at 32 bits, onto one media clock. */
export class RtpReader {
  readonly #ticksPerMs: number;
  #isFirst = true;
  #lastTimestamp = 0;
  /**
   * Clock ticks since the stream's first packet; a tick is a sample, where the codec is not G.722 or Opus.
   */
  #positionTicks = 0;

  constructor(clockHz: number) {
    this.#ticksPerMs = clockHz / 1000;
  }

  /** Fills sequence and media time. False where the message does not begin with a 12-byte RTP header. */
  readInto(message: Uint8Array, into: Inbound): boolean {
    if (message.length < RTP_HEADER_BYTES || message[0] !== FIRST_BYTE) return false;
    const timestamp = (message[4]! << 24) | (message[5]! << 16) | (message[6]! << 8) | message[7]!;
    // A signed 32-bit difference is right across the wrap and for packets out of order.
    if (!this.#isFirst) this.#positionTicks += (timestamp - this.#lastTimestamp) | 0;
    // -1 means "no clock", so what precedes the first packet becomes the new origin.
    if (this.#positionTicks < 0) this.#positionTicks = 0;
    this.#isFirst = false;
    this.#lastTimestamp = timestamp;
    into.sequence = (message[2]! << 8) | message[3]!;
    into.timestampMs = this.#positionTicks / this.#ticksPerMs;
    return true;
  }
}

/**
 * Writes what every packet of a stream has in common. `ssrc` tells the two directions apart in a capture.
 */
export function writeRtpStart(target: Uint8Array, codec: CodecName, ssrc: number): void {
  target.fill(0, 0, RTP_HEADER_BYTES);
  target[0] = FIRST_BYTE;
  target[1] = PAYLOAD_TYPES[codec];
  target[11] = ssrc;
}

/** Writes what differs from packet to packet; both numbers wrap by themselves. */
export function writeRtpNumbers(target: Uint8Array, sequence: number, timestampTicks: number): void {
  target[2] = sequence >>> 8;
  target[3] = sequence;
  // A long call has more ticks than 32 bits hold; `>>> 0` is their remainder, also of a large double.
  const timestamp = timestampTicks >>> 0;
  target[4] = timestamp >>> 24;
  target[5] = timestamp >>> 16;
  target[6] = timestamp >>> 8;
  target[7] = timestamp;
}
