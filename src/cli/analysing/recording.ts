import type { AtMs } from '../../base/clock.ts';
import { FRAME_MS } from '../../base/units.ts';
import type { Inbound } from '../../dialect/dialect.ts';
import { frameBytes, PCMA_8K, PCMU_8K, type AudioFormat } from '../../media/format.ts';
import type { ToldKey } from './telephone-events.ts';

/** One message of a recording: what arrived, and when. It is one object, filled anew each time. */
export type Delivery = { -readonly [K in keyof Inbound]: Inbound[K] } & { atMs: AtMs };

/** A recording as a leg would receive it, message by message. */
export interface Recording {
  readonly format: AudioFormat;
  /** Whether its wire loses packets, turns them round and delays them. */
  readonly isLossy: boolean;
  /** Packets of it that are no audio of this stream. */
  readonly otherPackets: number;
  /** Keys that were told beside the sound, in order. */
  readonly toldKeys: readonly ToldKey[];
  deliveries(): Iterable<Delivery>;
}

/**
 * Sound without borders, in pieces of any size: each 20 ms arrive when their last byte was said, however they
 * were cut.
 */
export function streamOf(format: AudioFormat, bytes: Uint8Array, messageBytes?: number): Recording {
  const wholeBytes = frameBytes(format);
  const step = messageBytes ?? wholeBytes;
  return {
    format,
    isLossy: false,
    otherPackets: 0,
    toldKeys: [],
    *deliveries() {
      const delivery: Delivery = {
        payload: bytes,
        payloadBytes: 0,
        sequence: -1,
        timestampMs: -1,
        atMs: 0,
      };
      for (let from = 0; from < bytes.length;) {
        const messageEnd = (Math.floor(from / step) + 1) * step;
        const frameEnd = (Math.floor(from / wholeBytes) + 1) * wholeBytes;
        const to = Math.min(bytes.length, messageEnd, frameEnd);
        delivery.payload = bytes.subarray(from, to);
        delivery.payloadBytes = to - from;
        delivery.atMs = Math.floor(to / wholeBytes) * FRAME_MS;
        yield delivery;
        from = to;
      }
    },
  };
}

/** The format of a raw file, by how its name ends; undefined where it has a header of its own. */
export function rawFormatOf(file: string): AudioFormat | undefined {
  if (/\.(?:ul|ulaw|mulaw|pcmu)$/i.test(file)) return PCMU_8K;
  return /\.(?:al|alaw|pcma)$/i.test(file) ? PCMA_8K : undefined;
}
