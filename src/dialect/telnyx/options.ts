import type { AudioFormat } from '../../media/format.ts';
import { optionOf, type DialectOption, type OptionValues } from '../capabilities.ts';
import { encodingOf } from '../json-media/stream/encodings.ts';
import { isLittle, l16ByteOrder, LISTEN_ONLY } from '../json-media/stream/options.ts';

/** RFC 2586 and one reader of the wire say big, several field reports say little. */
const BYTE_ORDER = l16ByteOrder('little');

const OUTBOUND_CODEC: DialectOption = {
  name: 'outbound_codec',
  values: ['PCMU', 'PCMA', 'G722', 'OPUS', 'L16'],
  fallback: 'PCMU',
  meaning:
    'What the stream was told in `stream_bidirectional_codec`; its start names the inbound codec only.',
};

const OUTBOUND_RATE: DialectOption = {
  name: 'outbound_sample_rate',
  values: ['8000', '16000', '24000', '48000'],
  fallback: '8000',
  meaning: 'What the stream was told in `stream_bidirectional_sampling_rate`; it counts for L16 only.',
};

const ORDER: DialectOption = {
  name: 'order_by',
  values: ['chunk', 'arrival'],
  fallback: 'chunk',
  meaning: 'Whether `media.chunk` puts audio in order, or is left alone.',
};

/** What Telnyx does not say on the wire, or is not agreed upon. */
export const TELNYX_OPTIONS: readonly DialectOption[] = [
  BYTE_ORDER,
  OUTBOUND_CODEC,
  OUTBOUND_RATE,
  ORDER,
  LISTEN_ONLY,
];

/** The options of one connection, in the house's words. */
export interface TelnyxWishes {
  readonly littleEndian: boolean;
  readonly outbound: AudioFormat;
  readonly isOrdered: boolean;
}

export function telnyxWishes(options: OptionValues): TelnyxWishes {
  const littleEndian = isLittle(BYTE_ORDER, options);
  const codec = optionOf(OUTBOUND_CODEC, options);
  const rate = codec === 'L16' ? optionOf(OUTBOUND_RATE, options) : '8000';
  const outbound = encodingOf(codec, rate, littleEndian);
  // Every value of the option is a known encoding.
  if (outbound === undefined) throw new TypeError(`no format for ${codec} at ${rate} Hz`);
  return { littleEndian, outbound, isOrdered: optionOf(ORDER, options) === 'chunk' };
}
