/*
 * L16: samples as they are, in either byte order (RFC 3551 §4.5.11 is big-endian, most WebSocket providers
 * send little). Byte by byte on purpose: a payload may start at an odd address, where no Int16Array can
 * look at it, and a view made per frame would be garbage per frame.
 */

/** Little-endian bytes to samples; returns the samples written. A trailing odd byte is left unread. */
export function decodeL16LittleInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number {
  const samples = Math.min(sourceBytes >> 1, target.length);
  for (let i = 0; i < samples; i++) target[i] = source[2 * i]! | (source[2 * i + 1]! << 8);
  return samples;
}

/** Big-endian bytes to samples; returns the samples written. A trailing odd byte is left unread. */
export function decodeL16BigInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number {
  const samples = Math.min(sourceBytes >> 1, target.length);
  for (let i = 0; i < samples; i++) target[i] = (source[2 * i]! << 8) | source[2 * i + 1]!;
  return samples;
}

/** Samples to little-endian bytes; returns the bytes written. */
export function encodeL16LittleInto(source: Int16Array, target: Uint8Array): number {
  const samples = Math.min(source.length, target.length >> 1);
  for (let i = 0; i < samples; i++) {
    const sample = source[i]!;
    target[2 * i] = sample;
    target[2 * i + 1] = sample >> 8;
  }
  return 2 * samples;
}

/** Samples to big-endian bytes; returns the bytes written. */
export function encodeL16BigInto(source: Int16Array, target: Uint8Array): number {
  const samples = Math.min(source.length, target.length >> 1);
  for (let i = 0; i < samples; i++) {
    const sample = source[i]!;
    target[2 * i] = sample >> 8;
    target[2 * i + 1] = sample;
  }
  return 2 * samples;
}
