/**
 * One direction of one leg between wire bytes and samples. It may hold state (G.722, Opus); it never
 * allocates per frame.
 */
export interface Codec {
  readonly sampleRateHz: number;
  /** Bytes of a 20 ms frame, or 0 where packets vary (Opus). */
  readonly frameBytes: number;
  /** Decodes one frame's bytes into `target`; returns the samples written. */
  decodeInto(source: Uint8Array, target: Int16Array): number;
  /** Encodes one frame into `target`; returns the bytes written. */
  encodeInto(source: Int16Array, target: Uint8Array): number;
}
