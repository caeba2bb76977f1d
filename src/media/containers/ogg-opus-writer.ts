import { invariant } from '../../base/errors.ts';
import { FIRST_PAGE, LAST_PAGE, OggPage } from './ogg-page.ts';

/** Ogg Opus counts at 48 kHz whatever the input (RFC 7845 §4). */
export const GRANULE_HZ = 48_000;
/** A page a second: what a recording loses when its writer dies (RFC 7845 §4 recommends it). */
const PAGE_SAMPLES_MAX = GRANULE_HZ;
/** What an encoder at 20 ms looks ahead, which a player drops: 6.5 ms, libopus' own figure for VOIP. */
const PRE_SKIP_SAMPLES = 312;
const VENDOR = 'Omnivoice';

/** What a sink of Opus packets is told before the first. */
export interface OggOpusOptions {
  /** Tells streams of one file apart. */
  readonly serial: number;
  /** What was recorded, for players to know. */
  readonly inputSampleRateHz: number;
  /**
   * 2: two mono streams side by side, left and right, which share nothing (mapping family 1); their packets
   * are put together by `pairInto`. Absent: one.
   */
  readonly streams?: 1 | 2;
}

/** Opus packets to an Ogg Opus stream (RFC 7845, mapping families 0 and 1), a page at a time. */
export class OggOpusWriter {
  readonly stats = { packets: 0, pages: 0 };
  readonly #page: OggPage;
  readonly #inputSampleRateHz: number;
  readonly #streams: 1 | 2;
  #granule = 0;
  #pageSamples = 0;

  constructor({ serial, inputSampleRateHz, streams = 1 }: OggOpusOptions) {
    this.#page = new OggPage(serial);
    this.#inputSampleRateHz = inputSampleRateHz;
    this.#streams = streams;
  }

  /** What the stream begins with: identification and comments, a page each. */
  begin(): Uint8Array {
    // Two streams, none of them coupled, the first of them left (RFC 7845 §5.1.1).
    const mapping = this.#streams === 1 ? [0] : [1, 2, 0, 0, 1];
    const head = Buffer.alloc(18 + mapping.length);
    head.set(mapping, 18);
    head.write('OpusHead', 0, 'latin1');
    head[8] = 1;
    head[9] = this.#streams;
    head.writeUInt16LE(PRE_SKIP_SAMPLES, 10);
    head.writeUInt32LE(this.#inputSampleRateHz, 12);
    const tags = Buffer.alloc(16 + VENDOR.length);
    tags.write('OpusTags', 0, 'latin1');
    tags.writeUInt32LE(VENDOR.length, 8);
    tags.write(VENDOR, 12, 'latin1');
    this.#page.add(head, head.length);
    const first = this.#take(FIRST_PAGE);
    this.#page.add(tags, tags.length);
    return Buffer.concat([first, this.#take(0)]);
  }

  /** Takes a packet of `durationMs`; returns a page when one is full. The packet is copied. */
  write(packet: Uint8Array, bytes: number, durationMs: number): Uint8Array | undefined {
    const samples = (durationMs * GRANULE_HZ) / 1000;
    invariant(bytes > 0 && samples > 0, 'an Opus packet has bytes and lasts');
    const isFull = !this.#page.hasRoom(bytes) || this.#pageSamples + samples > PAGE_SAMPLES_MAX;
    const page = isFull && !this.#page.isEmpty ? this.#take(0) : undefined;
    this.#page.add(packet, bytes);
    this.#granule += samples;
    this.#pageSamples += samples;
    this.stats.packets++;
    return page;
  }

  /** The last page. */
  end(): Uint8Array {
    return this.#take(LAST_PAGE);
  }

  #take(flags: number): Uint8Array {
    this.stats.pages++;
    this.#pageSamples = 0;
    return this.#page.take(this.#granule, flags);
  }
}

/**
 * Two mono packets of one frame each as the one packet of two streams: the first tells its own length (RFC
 * 6716 appendix B). Returns the bytes written.
 */
export function pairInto(
  left: { readonly packet: Uint8Array; readonly bytes: number },
  right: { readonly packet: Uint8Array; readonly bytes: number },
  target: Uint8Array,
): number {
  invariant((left.packet[0]! & 3) === 0, 'a packet of one frame is told by its first byte');
  const frameBytes = left.bytes - 1;
  let at = 0;
  target[at++] = left.packet[0]!;
  if (frameBytes < 252) target[at++] = frameBytes;
  else {
    const first = 252 + (frameBytes & 3);
    target[at++] = first;
    target[at++] = (frameBytes - first) >> 2;
  }
  for (let i = 1; i < left.bytes; i++) target[at++] = left.packet[i]!;
  for (let i = 0; i < right.bytes; i++) target[at++] = right.packet[i]!;
  return at;
}
