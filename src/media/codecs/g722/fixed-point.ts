/** The saturation of every addition and subtraction of G.722 §6.2: 16-bit two's complement. */
export function saturate(value: number): number {
  if (value > 32_767) return 32_767;
  return value < -32_768 ? -32_768 : value;
}

/** The range of a sub-band's samples: 15 bits (G.722 §6.2.1.6, block LIMIT). */
export function limit(value: number): number {
  if (value > 16_383) return 16_383;
  return value < -16_384 ? -16_384 : value;
}
