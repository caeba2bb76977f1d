/** One frame of G.711 at 8 kHz. */
export const FRAME_BYTES = 160;
export const FRAME_MS = 20;
/** So many bytes of a frame tell its number: seven hex digits, and their check. */
export const NUMBER_BYTES = 8;

const DIGITS = 7;
/** Codes with this in front come back from G.711 as they went in. */
const MARK = 0xa0;
const QUIET = 0xff;

/** Writes a frame that says its number, and nothing else. `frame` has 160 bytes. */
export function writeNumber(number: number, frame: Uint8Array): void {
  frame.fill(QUIET);
  let check = 0;
  for (let i = 0; i < DIGITS; i++) {
    const digit = (number >>> (4 * i)) & 0xf;
    check ^= digit ^ i;
    frame[i] = MARK | digit;
  }
  frame[DIGITS] = MARK | check;
}

/** The number a frame says; -1 where it says none: comfort noise, or what was mended of a lost one. */
export function numberOf(bytes: Uint8Array, start = 0): number {
  let number = 0;
  let check = 0;
  for (let i = 0; i < DIGITS; i++) {
    const code = bytes[start + i] ?? 0;
    if ((code & 0xf0) !== MARK) return -1;
    check ^= (code & 0xf) ^ i;
    number |= (code & 0xf) << (4 * i);
  }
  return bytes[start + DIGITS] === (MARK | check) ? number : -1;
}
