/** What `decodeInto` answers to bytes that are no packet of its codec. */
export const MALFORMED = -1;

/**
 * One direction of one leg between wire bytes and samples. It may hold state (G.722, Opus). No bytes of
 * strangers make it throw. Whoever opened it closes it.
 */
export interface Codec {
  /** Of the samples; the call's may differ. */
  readonly sampleRateHz: number;
  /** Samples of a 20 ms frame: what `encodeInto` takes. */
  readonly frameSamples: number;
  /** Bytes of a 20 ms frame, or 0 where packets vary (Opus). */
  readonly frameBytes: number;
  /** The most samples one packet decodes to (120 ms); codecs of constant frames take what fits the target. */
  readonly packetSamplesMax: number;
  /** The most bytes `encodeInto` writes. */
  readonly packetBytesMax: number;
  /**
   * Decodes the first `sourceBytes` of `source` (which may be a larger scratch) into `target`; returns the
   * samples written, or `MALFORMED`.
   */
  decodeInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number;
  /**
   * Encodes one frame into `target`; returns the bytes written. Of a packet of at most `DTX_BYTES_MAX` a peer
   * need not hear.
   */
  encodeInto(source: Int16Array, target: Uint8Array): number;
  /** Makes up one lost frame from what was heard before; returns the samples written. */
  concealInto?(target: Int16Array): number;
  /**
   * The packet lost just before `nextPacket`, from the copy that travels in it (Opus FEC), or made up where
   * there is none. As long as `nextPacket`, which is to be decoded afterwards. `MALFORMED` where it is none.
   */
  recoverInto?(nextPacket: Uint8Array, nextPacketBytes: number, target: Int16Array): number;
  /** Gives back what it holds outside the heap. Closed twice is closed. */
  close(): void;
}

/** Opus says "nothing new here" in at most this many bytes (RFC 7587 §3.1.3). */
export const DTX_BYTES_MAX = 2;
