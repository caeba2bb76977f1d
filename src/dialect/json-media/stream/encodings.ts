import { numberOf, textOf } from '../../../base/json.ts';
import type { AudioFormat, CodecName } from '../../../media/format.ts';

/** What providers call their codecs, in small letters and without parameters. */
const CODECS: ReadonlyMap<string, CodecName> = new Map([
  ['pcmu', 'pcmu'],
  ['audio/pcmu', 'pcmu'],
  ['audio/x-mulaw', 'pcmu'],
  ['audio/mulaw', 'pcmu'],
  ['pcma', 'pcma'],
  ['audio/pcma', 'pcma'],
  ['audio/x-alaw', 'pcma'],
  ['l16', 'l16'],
  ['audio/l16', 'l16'],
  ['audio/x-l16', 'l16'],
  ['audio/pcm', 'l16'],
  // Exotel's name for signed 16-bit samples.
  ['audio/x-raw', 'l16'],
  ['raw/slin', 'l16'],
  ['g722', 'g722'],
  ['audio/g722', 'g722'],
  ['opus', 'opus'],
  ['audio/opus', 'opus'],
]);
const L16_RATES_HZ: readonly number[] = [8000, 16_000, 24_000, 32_000, 48_000];

/** An encoding and its rate as a format; undefined where it is none that is known. */
export function encodingOf(encoding: unknown, rate: unknown, littleEndian: boolean): AudioFormat | undefined {
  const [name, ...parameters] = (textOf(encoding) ?? '').toLowerCase().split(';');
  const codec = CODECS.get(name?.trim() ?? '');
  if (codec === undefined) return undefined;
  const named = parameters.find((parameter) => parameter.trim().startsWith('rate='))?.split('=')[1];
  const sampleRateHz = numberOf(rate ?? named ?? 8000);
  switch (codec) {
    case 'pcmu':
    case 'pcma':
      return sampleRateHz === 8000 ? { codec, sampleRateHz, littleEndian: true } : undefined;
    case 'l16':
      return sampleRateHz !== undefined && L16_RATES_HZ.includes(sampleRateHz)
        ? { codec, sampleRateHz, littleEndian }
        : undefined;
    case 'g722':
      // RFC 3551 §4.5.2: its RTP clock is 8000 Hz by mistake, its samples are 16000.
      return { codec, sampleRateHz: 16_000, littleEndian: true };
    case 'opus':
      return { codec, sampleRateHz: 48_000, littleEndian: true };
    default:
      return undefined;
  }
}
