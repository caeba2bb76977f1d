import { invariant } from '../../base/errors.ts';
import { GRANULE_HZ } from '../../media/containers/ogg-opus-writer.ts';
import { crcOf, LAST_PAGE } from '../../media/containers/ogg-page.ts';

const HEADER_BYTES = 27;
const CRC_AT = 22;
/** The longest page there can be (RFC 3533 §6). */
const PAGE_BYTES_MAX = HEADER_BYTES + 255 + 255 * 255;

/** Where an Ogg stream ends that may have been cut off anywhere. */
export interface OggEnd {
  /** Behind its last whole page. */
  readonly bytes: number;
  readonly durationMs: number;
  readonly lastPage: { readonly at: number; readonly page: Buffer } | undefined;
}

/** Reads page for page and stops at the first that is not whole. */
export async function endOfOgg(pieces: AsyncIterable<Uint8Array>): Promise<OggEnd> {
  let held: Buffer = Buffer.alloc(0);
  let at = 0;
  let samples = 0;
  let lastPage: OggEnd['lastPage'];
  for await (const piece of pieces) {
    held = Buffer.concat([held, piece]);
    for (let page = firstPage(held); page !== undefined; page = firstPage(held)) {
      lastPage = { at, page: Buffer.from(page) };
      samples = Number(page.readBigInt64LE(6));
      at += page.length;
      held = held.subarray(page.length);
    }
    if (held.length > PAGE_BYTES_MAX) break;
  }
  // A player drops the pre-skip; what was recorded lasts as long as what was encoded.
  return { bytes: at, durationMs: Math.round((1000 * samples) / GRANULE_HZ), lastPage };
}

/** The page that was last, marked as the last there is (RFC 3533 §6, `end of stream`). */
export function markedLast(page: Buffer): Buffer {
  invariant(page.length > HEADER_BYTES, 'a page has a header');
  const marked = Buffer.from(page);
  marked[5]! |= LAST_PAGE;
  marked.writeUInt32LE(0, CRC_AT);
  marked.writeUInt32LE(crcOf(marked), CRC_AT);
  return marked;
}

function firstPage(held: Buffer): Buffer | undefined {
  if (held.length < HEADER_BYTES || held.toString('latin1', 0, 4) !== 'OggS') return undefined;
  const lacings = held.subarray(HEADER_BYTES, HEADER_BYTES + held[26]!);
  if (lacings.length < held[26]!) return undefined;
  const end = HEADER_BYTES + lacings.length + lacings.reduce((sum, lacing) => sum + lacing, 0);
  if (held.length < end) return undefined;
  const page = held.subarray(0, end);
  const blank = Buffer.from(page);
  blank.writeUInt32LE(0, CRC_AT);
  return crcOf(blank) === page.readUInt32LE(CRC_AT) ? page : undefined;
}
