import { refuse, type Refusal } from '../../base/errors.ts';
import { isObject, numberOf, type JsonObject } from '../../base/json.ts';
import { PCMU_8K, type AudioFormat } from '../../media/format.ts';
import { isRefusal } from '../fields.ts';

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
  const sampleRateHz = numberOf(value['rate'] ?? 8000);
  const endian = value['endian'] ?? 'little';
  if (endian !== 'little' && endian !== 'big') {
    return refuse('invalid_argument', 'endian is neither little nor big');
  }
  // G.711 is defined at 8 kHz only (ITU-T G.711 §1); wideband is L16's.
  if ((codec === 'pcmu' || codec === 'pcma') && sampleRateHz === 8000) {
    return { codec, sampleRateHz, littleEndian: true };
  }
  if (codec === 'l16' && (sampleRateHz === 8000 || sampleRateHz === 16000)) {
    return { codec, sampleRateHz, littleEndian: endian === 'little' };
  }
  return refuse('unsupported_format', 'not pcmu or pcma at 8000 Hz, nor l16 at 8000 or 16000 Hz');
}

/** Both formats in the words of the wire. */
export function writeFormats(formats: Formats): JsonObject {
  return { in: writeFormat(formats.inbound), out: writeFormat(formats.outbound) };
}

function writeFormat({ codec, sampleRateHz, littleEndian }: AudioFormat): JsonObject {
  const words = { codec, rate: sampleRateHz };
  return codec === 'l16' ? { ...words, endian: littleEndian ? 'little' : 'big' } : words;
}
