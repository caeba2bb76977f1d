const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/** Behind the blanks that JSON allows between its tokens. */
export function skipBlanks(message: Uint8Array, from: number): number {
  let at = from;
  for (let byte = message[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
    byte = message[++at];
  }
  return at;
}

/** The closing quote of a string of printable ASCII without escapes, or -1. */
export function stringEnd(message: Uint8Array, from: number): number {
  for (let at = from; at < message.length; at++) {
    const byte = message[at]!;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH || byte < 0x20 || byte > 0x7e) return -1;
  }
  return -1;
}

/** Behind a run of digits, or -1 where there is none. A bare JSON number has no leading zero. */
export function digitsEnd(message: Uint8Array, from: number, mayLeadWithZero: boolean): number {
  let at = from;
  while (at < message.length && message[at]! >= ZERO && message[at]! <= NINE) at++;
  if (at === from) return -1;
  return mayLeadWithZero || message[from] !== ZERO || at === from + 1 ? at : -1;
}

/** Behind a plain string, a whole number, `true`, `false` or `null`; -1 for anything else. */
export function scalarEnd(message: Uint8Array, at: number): number {
  if (message[at] === QUOTE) {
    const end = stringEnd(message, at + 1);
    return end < 0 ? -1 : end + 1;
  }
  const end = digitsEnd(message, at, false);
  if (end >= 0) return end;
  for (const literal of LITERALS) {
    if (isWord(message, at, Math.min(at + literal.length, message.length), literal))
      return at + literal.length;
  }
  return -1;
}

const LITERALS: readonly Uint8Array[] = [TRUE, FALSE, NULL];

/** Whether the bytes from `start` to `end` are this word. */
export function isWord(message: Uint8Array, start: number, end: number, word: Uint8Array): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (message[start + i] !== word[i]) return false;
  return true;
}
