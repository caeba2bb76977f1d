import { invariant } from '../../base/errors.ts';
import { FIRST_PAGE, LAST_PAGE, OggPage } from './ogg-page.ts';

/** Ogg Opus counts at 48 kHz whatever the input (RFC 7845 §4). */
const GRANULE_HZ = 48_000;
/** A page a second: what a recording loses when its writer dies (RFC 7845 §4 recommends it). */
const PAGE_SAMPLES_MAX = GRANULE_HZ;
/** What an encoder at 20 ms looks ahead, which a player drops: 6.5 ms, libopus' own figure for VOIP. */
const PRE_SKIP_SAMPLES = 312;
const VENDOR = 'Omnivoice';

/** Opus packets to an Ogg Opus stream (RFC 7845, mapping family 0), a page at a time. */
export class OggOpusWriter {
  readonly stats = { packets: 0, pages: 0 };
  readonly #page: OggPage;
  readonly #inputSampleRateHz: number;
  #granule = 0;
  #pageSamples = 0;

  /** `serial` tells streams of one file apart; the rate is what was recorded, for players to know. */
  constructor({ serial, inputSampleRateHz }: { serial: number; inputSampleRateHz: number }) {
    this.#page = new OggPage(serial);
    this.#inputSampleRateHz = inputSampleRateHz;
  }

  /** What the stream begins with: identification and comments, a page each. */
  begin(): Uint8Array {
    const head = Buffer.alloc(19);
    head.write('OpusHead', 0, 'latin1');
    head[8] = 1;
    head[9] = 1;
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
