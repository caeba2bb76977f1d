import type { Clock } from './clock.ts';

// Crockford's base 32: no I, L, O, U, and its order is the order of its characters, so ids sort by time.
const ALPHABET = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ');
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 10;
// Ids are made by the thousand a second: written here and read as one text, each costs one string and no
// more.
const characters = Buffer.alloc(TIME_CHARACTERS + (RANDOM_BYTES * 8) / 5);

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
  | 'rec'
  | 'fork'
  | 'agt'
  | 'inh'
  | 'inc'
  | 'tool'
  | 'member'
  | 'offer';

/** A prefixed, time-sortable id: 48 bits of wall-clock milliseconds, 80 random bits (the layout of ULID). */
export function newId(prefix: IdPrefix, clock: Pick<Clock, 'unixMs' | 'randomBytes'>): string {
  let timeMs = clock.unixMs();
  for (let i = TIME_CHARACTERS - 1; i >= 0; i--) {
    characters[i] = ALPHABET[timeMs % 32]!;
    timeMs = Math.floor(timeMs / 32);
  }
  const length = writeBase32(clock.randomBytes(RANDOM_BYTES), TIME_CHARACTERS);
  return `${prefix}_${characters.toString('latin1', 0, length)}`;
}

/** One life of a media node: its number on the host, and eight characters no other life has. */
export function newIncarnation(node: number, clock: Pick<Clock, 'randomBytes'>): string {
  const length = writeBase32(clock.randomBytes(5), 0);
  return `n${node}-${characters.toString('latin1', 0, length).toLowerCase()}`;
}

/** Writes whole groups of five bits from `at` on; the position behind the last of them. */
function writeBase32(bytes: Uint8Array, at: number): number {
  let length = at;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < bytes.length; i++) {
    held = (held << 8) | bytes[i]!;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      characters[length++] = ALPHABET[(held >>> bits) & 31]!;
    }
    held &= (1 << bits) - 1;
  }
  return length;
}
