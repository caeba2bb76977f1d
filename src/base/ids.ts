import type { Clock } from './clock.ts';

// Crockford's base 32: no I, L, O, U, and its order is the order of its characters, so ids sort by time.
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 10;

export type IdPrefix =
  | 'call'
  | 'leg'
  | 'evt'
  | 'vs'
  | 'whk'
  | 'dlv'
  | 'att'
  | 'key'
  | 'sc'
  | 'req'
  | 'ws'
  | 'nod'
  | 'cmd'
  | 'conv'
  | 'play'
  | 'ho'
  | 'agt'
  | 'inh'
  | 'inc';

/** A prefixed, time-sortable id: 48 bits of wall-clock milliseconds, 80 random bits (the layout of ULID). */
export function newId(prefix: IdPrefix, clock: Pick<Clock, 'unixMs' | 'randomBytes'>): string {
  let timeMs = clock.unixMs();
  let text = '';
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    text = ALPHABET[timeMs % 32]! + text;
    timeMs = Math.floor(timeMs / 32);
  }
  return `${prefix}_${text}${base32(clock.randomBytes(RANDOM_BYTES))}`;
}

/** One life of a media node: its number on the host, and eight characters no other life has. */
export function newIncarnation(node: number, clock: Pick<Clock, 'randomBytes'>): string {
  return `n${node}-${base32(clock.randomBytes(5)).toLowerCase()}`;
}

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31]!;
    }
    held &= (1 << bits) - 1;
  }
  return text;
}
