import { opus } from 'prism-media';
import { messageOf, refuse, type Refusal } from '../../base/errors.ts';
import { KIB } from '../../base/units.ts';

/** Containers that carry Opus: what browsers' MediaRecorder writes, and what files are. */
export type ContainerName = 'ogg' | 'webm';

/** A stream that brings so much without a packet brings none: an Ogg page is 64 KiB at most. */
export const SILENT_BYTES_MAX = 128 * KIB;

// What prism-media's demuxers are made of: transforms that can be asked in one turn.
interface Stream {
  push(packet: unknown): boolean;
  on(event: 'head', take: (head: Buffer) => void): unknown;
  _transform(bytes: Buffer, encoding: 'buffer', done: (error?: Error | null) => void): void;
  _readTag?(bytes: Buffer, at: number): symbol | { readonly offset?: number };
}

/**
 * Opus packets out of an Ogg or WebM stream, by prism-media. Told bytes in any pieces; a stream that is none
 * is refused, and stays so.
 */
export class PacketDemuxer {
  readonly stats = { packets: 0, bytes: 0 };
  /** Samples at 48 kHz that a player drops at the start (RFC 7845 §4.2); 0 until the header came. */
  preSkipSamples = 0;
  readonly #stream: Stream;
  readonly #onPacket: (packet: Uint8Array) => void;
  #silentBytes = 0;
  #refusal: Refusal | undefined;

  /** `onPacket` is told each packet in the turn its last byte comes; it may keep it. */
  constructor(container: ContainerName, onPacket: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket;
    this.#stream = (container === 'ogg'
      ? new opus.OggDemuxer()
      : new opus.WebmDemuxer()) as unknown as Stream;
    this.#stream.push = (packet) => this.#take(packet);
    this.#stream.on('head', (head) => {
      if (head.length >= 12) this.preSkipSamples = head.readUInt16LE(10);
    });
    this.#refuseBackwardTags();
  }

  /** Undefined while all is well. */
  push(bytes: Uint8Array): Refusal | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    this.stats.bytes += bytes.length;
    this.#silentBytes += bytes.length;
    try {
      // The demuxer keeps slices: the caller's bytes are copied.
      this.#stream._transform(Buffer.from(bytes), 'buffer', (error) => {
        if (error) this.#refuse(error.message);
      });
    } catch (error) {
      this.#refuse(messageOf(error));
    }
    if (this.#silentBytes > SILENT_BYTES_MAX) this.#refuse('it holds no packet');
    return this.#refusal;
  }

  #take(packet: unknown): boolean {
    if (!(packet instanceof Uint8Array) || this.#refusal !== undefined) return true;
    this.#silentBytes = 0;
    this.stats.packets++;
    this.#onPacket(packet);
    return true;
  }

  #refuse(detail: string): void {
    this.#refusal ??= refuse('invalid_argument', `not a readable Opus stream: ${detail}`);
  }

  // A length beyond 31 bits turns negative in prism-media, and its reader would go back and forth for ever.
  #refuseBackwardTags(): void {
    const readTag = this.#stream._readTag?.bind(this.#stream);
    if (readTag === undefined) return;
    this.#stream._readTag = (bytes, at) => {
      const read = readTag(bytes, at);
      if (typeof read === 'object' && (read.offset ?? at) <= at) throw new Error('an element has no length');
      return read;
    };
  }
}
