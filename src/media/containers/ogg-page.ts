import { invariant } from '../../base/errors.ts';

/** A page has at most this many lacing values (RFC 3533 §6). */
const PAGE_SEGMENTS_MAX = 255;
const HEADER_BYTES = 27;
const PAYLOAD_BYTES_MAX = PAGE_SEGMENTS_MAX * 255;
const CRC_AT = 22;

export const FIRST_PAGE = 2;
export const LAST_PAGE = 4;

// The CRC of RFC 3533 §6: polynomial 0x04c11db7, most significant bit first, from 0.
const CRC_OF_BYTE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc >>> 0;
});

/** Collects whole packets of one logical stream into a page. */
export class OggPage {
  readonly #serial: number;
  readonly #segments = new Uint8Array(PAGE_SEGMENTS_MAX);
  readonly #payload = new Uint8Array(PAYLOAD_BYTES_MAX);
  #segmentCount = 0;
  #payloadBytes = 0;
  #sequence = 0;

  constructor(serial: number) {
    this.#serial = serial;
  }

  get isEmpty(): boolean {
    return this.#segmentCount === 0;
  }

  /** A packet of `bytes` ends with a lacing value below 255, so it needs one more than its full ones. */
  hasRoom(bytes: number): boolean {
    return this.#segmentCount + Math.floor(bytes / 255) + 1 <= PAGE_SEGMENTS_MAX;
  }

  add(packet: Uint8Array, bytes: number): void {
    invariant(this.hasRoom(bytes), 'a packet is added to a page that has room for it');
    for (let i = 0; i < bytes; i++) this.#payload[this.#payloadBytes + i] = packet[i]!;
    this.#payloadBytes += bytes;
    for (let rest = bytes; rest >= 255; rest -= 255) this.#segments[this.#segmentCount++] = 255;
    this.#segments[this.#segmentCount++] = bytes % 255;
  }

  /** The page as it is written, and an empty one begun. `granule` counts the samples up to its end. */
  take(granule: number, flags: number): Uint8Array {
    const payloadAt = HEADER_BYTES + this.#segmentCount;
    const page = Buffer.alloc(payloadAt + this.#payloadBytes);
    page.write('OggS', 0, 'latin1');
    page[5] = flags;
    page.writeBigInt64LE(BigInt(granule), 6);
    page.writeUInt32LE(this.#serial, 14);
    page.writeUInt32LE(this.#sequence++, 18);
    page[26] = this.#segmentCount;
    page.set(this.#segments.subarray(0, this.#segmentCount), HEADER_BYTES);
    page.set(this.#payload.subarray(0, this.#payloadBytes), payloadAt);
    page.writeUInt32LE(crcOf(page), CRC_AT);
    this.#segmentCount = 0;
    this.#payloadBytes = 0;
    return page;
  }
}

/** The checksum of a page whose checksum field is zero. */
export function crcOf(page: Uint8Array): number {
  let crc = 0;
  for (let i = 0; i < page.length; i++) crc = (crc << 8) ^ CRC_OF_BYTE[(crc >>> 24) ^ page[i]!]!;
  return crc >>> 0;
}
