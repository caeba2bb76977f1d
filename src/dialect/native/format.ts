import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../base/json.ts';
import { PCMU_8K, type AudioFormat, type CodecName } from '../../media/format.ts';
import { isRefusal } from '../fields.ts';

/**
 * What can be asked for, the default of each codec first. G.711 is defined at 8 kHz only (ITU-T G.711 §1);
 * G.722 is 16 kHz, and 8000 by the clock of its RTP; Opus names the bandwidth that is wanted.
 */
const RATES_HZ: ReadonlyMap<string, readonly number[]> = new Map([
  ['pcmu', [8000]],
  ['pcma', [8000]],
  ['l16', [8000, 16_000, 24_000, 48_000]],
  ['g722', [16_000, 8000]],
  ['opus', [48_000, 8000, 16_000, 24_000]],
]);

/** What each direction carries; `in` on the wire is inbound here: from the client into the house. */
export interface Formats {
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
}

/** `format` of a start: one for both directions, or `in` and `out`. Nothing said means PCMU at 8 kHz. */
export function readFormats(value: unknown): Formats | Refusal {
  if (value === undefined || value === null) return { inbound: PCMU_8K, outbound: PCMU_8K };
  if (!isObject(value)) return refuse('invalid_argument', 'format is not an object');
  if (!('in' in value) && !('out' in value)) {
    const both = readFormat(value);
    return isRefusal(both) ? both : { inbound: both, outbound: both };
  }
  const inbound = readFormat(value['in']);
  if (isRefusal(inbound)) return inbound;
  const outbound = readFormat(value['out']);
  return isRefusal(outbound) ? outbound : { inbound, outbound };
}

function readFormat(value: unknown): AudioFormat | Refusal {
  if (value === undefined || value === null) return PCMU_8K;
  if (!isObject(value)) return refuse('invalid_argument', 'a format is not an object');
  const codec = typeof value['codec'] === 'string' ? value['codec'].toLowerCase() : 'pcmu';
  const known = RATES_HZ.get(codec);
  const sampleRateHz = numberOf(value['rate'] ?? known?.[0]);
  const endian = value['endian'] ?? 'little';
  if (endian !== 'little' && endian !== 'big') {
    return refuse('invalid_argument', 'endian is neither little nor big');
  }
  if (known === undefined || sampleRateHz === undefined || !known.includes(sampleRateHz)) {
    return refuse('unsupported_format', 'no codec of that name, or not at that rate');
  }
  const littleEndian = codec !== 'l16' || endian === 'little';
  return { codec: codec as CodecName, sampleRateHz, littleEndian };
}

/** Both formats in the words of the wire. */
export function writeFormats(formats: Formats): JsonObject {
  return { in: writeFormat(formats.inbound), out: writeFormat(formats.outbound) };
}

function writeFormat({ codec, sampleRateHz, littleEndian }: AudioFormat): JsonObject {
  const words = { codec, rate: sampleRateHz };
  return codec === 'l16' ? { ...words, endian: littleEndian ? 'little' : 'big' } : words;
}
