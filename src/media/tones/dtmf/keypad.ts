/** Tones of the rows of a keypad (ITU-T Q.23). */
export const LOW_HZ = [697, 770, 852, 941] as const;
/** Tones of its columns. */
export const HIGH_HZ = [1209, 1336, 1477, 1633] as const;
/** The keys, row by row. */
export const DIGITS = '123A456B789C*0#D';

/** Both tones of a key; undefined where there is no such key. */
export function tonesOf(digit: string): { readonly lowHz: number; readonly highHz: number } | undefined {
  const index = digit.length === 1 ? DIGITS.indexOf(digit.toUpperCase()) : -1;
  if (index === -1) return undefined;
  return { lowHz: LOW_HZ[index >> 2]!, highHz: HIGH_HZ[index & 3]! };
}
