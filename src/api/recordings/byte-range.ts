/** What a `Range` header asks for: bytes `from` up to, not including, `to`. */
export type ByteRange =
  | { readonly type: 'whole' }
  | { readonly type: 'part'; readonly from: number; readonly to: number }
  | { readonly type: 'unsatisfiable' };

const WHOLE: ByteRange = { type: 'whole' };

/**
 * One range of bytes (RFC 9110 §14.1.2). Several at once, other units and what cannot be read are answered
 * with everything, as the RFC allows.
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE;
  if (first === '') {
    const from = Math.max(0, bytes - Number(last));
    return Number(last) === 0 || bytes === 0 ? { type: 'unsatisfiable' } : { type: 'part', from, to: bytes };
  }
  const from = Number(first);
  const to = last === '' ? bytes : Math.min(bytes, Number(last) + 1);
  if (last !== '' && Number(last) < from) return WHOLE;
  return from >= bytes ? { type: 'unsatisfiable' } : { type: 'part', from, to };
}
