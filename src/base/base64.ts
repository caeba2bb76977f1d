const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PAD_CODE = 0x3d;

// Classes of a byte beyond the 64 values.
const SPACE = 64;
const PAD = 65;
const BAD = 255;

const VALUES = new Uint8Array(256).fill(BAD);
const CODES = new Uint8Array(64);
for (let value = 0; value < 64; value++) {
  CODES[value] = ALPHABET.charCodeAt(value);
  VALUES[CODES[value]!] = value;
}
for (const code of [0x20, 0x09, 0x0a, 0x0d]) VALUES[code] = SPACE;
VALUES[PAD_CODE] = PAD;

// Each place of a group of four has a table with its bits already where they belong (a quarter less time than
// shifting); a byte without a value is negative, and so is whatever it is joined to.
const FIRST = new Int32Array(256).fill(-1);
const SECOND = new Int32Array(256).fill(-1);
const THIRD = new Int32Array(256).fill(-1);
const FOURTH = new Int32Array(256).fill(-1);
CODES.forEach((code, value) => {
  FIRST[code] = value << 18;
  SECOND[code] = value << 12;
  THIRD[code] = value << 6;
  FOURTH[code] = value;
});

/** Bytes that base64 needs, padding included (RFC 4648 §4), for so many bytes of data. */
export function base64Bytes(dataBytes: number): number {
  return Math.ceil(dataBytes / 3) * 4;
}

/**
 * Decodes `source[start, end)` and returns the bytes written, or -1 where it is not base64 or the target is
 * too small. Line breaks, spaces and missing padding are forgiven; the URL-safe alphabet is another one.
 */
export function decodeBase64Into(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const stop = Math.min(end, source.length) - 3;
  const room = target.length - 2;
  let at = start;
  let written = 0;
  while (at < stop && written < room) {
    const group =
      FIRST[source[at]!]! | SECOND[source[at + 1]!]! | THIRD[source[at + 2]!]! | FOURTH[source[at + 3]!]!;
    if (group < 0) break;
    target[written] = group >> 16;
    target[written + 1] = group >> 8;
    target[written + 2] = group;
    at += 4;
    written += 3;
  }
  return decodeRest(source, at, stop + 3, target, written);
}

/**
 * As `decodeBase64Into`, of what is base64 to the letter: whole groups, no blanks, the padding in its place.
 * -1 for everything else, and for nothing.
 */
export function decodePlainBase64Into(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  const characters = end - start;
  if (characters === 0 || (characters & 3) !== 0) return -1;
  const pads = source[end - 1] !== PAD_CODE ? 0 : source[end - 2] !== PAD_CODE ? 1 : 2;
  const written = decodeBase64Into(source, start, end, target);
  // Fewer bytes than the length promises means blanks inside.
  return written === (characters >> 2) * 3 - pads ? written : -1;
}

/** The careful way: the last group, and everything behind the first blank. */
function decodeRest(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  startByte: number,
): number {
  let written = startByte;
  let held = 0;
  let characters = 0;
  let pads = 0;
  for (let at = start; at < end; at++) {
    const value = VALUES[source[at]!]!;
    if (value < 64) {
      if (pads > 0) return -1;
      held = (held << 6) | value;
      if (++characters < 4) continue;
      if (written + 3 > target.length) return -1;
      target[written++] = held >> 16;
      target[written++] = held >> 8;
      target[written++] = held;
      held = 0;
      characters = 0;
    } else if (value === PAD) pads++;
    else if (value !== SPACE) return -1;
  }
  if (characters === 0) return pads === 0 ? written : -1;
  if (characters === 1 || characters + pads > 4 || written + characters - 1 > target.length) return -1;
  target[written++] = held >> (characters === 2 ? 4 : 10);
  if (characters === 3) target[written++] = held >> 2;
  return written;
}

/**
 * Encodes the first `count` bytes of `source` into `target` from `offset`, padding included; returns the
 * bytes written, which are `base64Bytes(count)`. The caller has made the room.
 */
export function encodeBase64Into(
  source: Uint8Array,
  count: number,
  target: Uint8Array,
  offset: number,
): number {
  const whole = count - (count % 3);
  let to = offset;
  for (let at = 0; at < whole; at += 3) {
    const a = source[at]!;
    const b = source[at + 1]!;
    const c = source[at + 2]!;
    target[to] = CODES[a >> 2]!;
    target[to + 1] = CODES[((a & 3) << 4) | (b >> 4)]!;
    target[to + 2] = CODES[((b & 15) << 2) | (c >> 6)]!;
    target[to + 3] = CODES[c & 63]!;
    to += 4;
  }
  if (whole === count) return to - offset;
  const a = source[whole]!;
  const b = whole + 1 < count ? source[whole + 1]! : 0;
  target[to] = CODES[a >> 2]!;
  target[to + 1] = CODES[((a & 3) << 4) | (b >> 4)]!;
  target[to + 2] = whole + 1 < count ? CODES[(b & 15) << 2]! : PAD_CODE;
  target[to + 3] = PAD_CODE;
  return to + 4 - offset;
}
