import { HigherBand } from './higher-band.ts';
import { LowerBand } from './lower-band.ts';
import { JoiningFilter, PAIRS_MAX, SplittingFilter } from './mirror-filter.ts';

/*
 * ITU-T G.722 (09/2012) at 64 kbit/s, written from the Recommendation: one byte is a pair of samples, six
 * bits of the lower band below two of the higher.
 */

/** G.722 to samples at 16 kHz. */
export class G722Decoder {
  readonly #lower = new LowerBand();
  readonly #higher = new HigherBand();
  readonly #filter = new JoiningFilter();

  /** Every byte is a pair of samples: nothing is malformed. Returns the samples written. */
  decodeInto(source: Uint8Array, sourceBytes: number, target: Int16Array): number {
    const bytes = Math.min(sourceBytes, source.length, target.length >> 1);
    const { lower, higher } = this.#filter;
    for (let at = 0; at < bytes; at += PAIRS_MAX) {
      const pairs = Math.min(PAIRS_MAX, bytes - at);
      for (let pair = 0; pair < pairs; pair++) {
        const code = source[at + pair]!;
        lower[pair] = this.#lower.decode(code & 0x3f);
        higher[pair] = this.#higher.decode(code >> 6);
      }
      this.#filter.join(target, 2 * at, pairs);
    }
    return 2 * bytes;
  }
}

/** Samples at 16 kHz to G.722. */
export class G722Encoder {
  readonly #lower = new LowerBand();
  readonly #higher = new HigherBand();
  readonly #filter = new SplittingFilter();

  /** A trailing odd sample is left unread. Returns the bytes written. */
  encodeInto(source: Int16Array, target: Uint8Array): number {
    const bytes = Math.min(source.length >> 1, target.length);
    const { lower, higher } = this.#filter;
    for (let at = 0; at < bytes; at += PAIRS_MAX) {
      const pairs = Math.min(PAIRS_MAX, bytes - at);
      this.#filter.split(source, 2 * at, pairs);
      for (let pair = 0; pair < pairs; pair++) {
        target[at + pair] = (this.#higher.encode(higher[pair]!) << 6) | this.#lower.encode(lower[pair]!);
      }
    }
    return bytes;
  }
}
