import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../media/format.ts';

const G722: AudioFormat = { codec: 'g722', sampleRateHz: 16_000, littleEndian: true };
const OPUS: AudioFormat = { codec: 'opus', sampleRateHz: 48_000, littleEndian: true };

/**
 * Asterisk's names of formats, as `core show codecs` lists them; slin12, slin44 and beyond are nobody's
 * here.
 */
const FORMATS: ReadonlyMap<string, AudioFormat> = new Map([
  ['ulaw', PCMU_8K],
  ['alaw', PCMA_8K],
  // In the byte order of the host: little-endian on whatever runs Asterisk nowadays.
  ['slin', l16(8000)],
  ['slin16', l16(16_000)],
  ['slin24', l16(24_000)],
  ['slin32', l16(32_000)],
  ['slin48', l16(48_000)],
  ['g722', G722],
  ['opus', OPUS],
]);

/** What can be spoken with Asterisk, most usual first. */
export const ASTERISK_FORMATS: readonly AudioFormat[] = [...FORMATS.values()];

/** The format of a name; undefined where it is none of ours. */
export function formatOfName(name: unknown): AudioFormat | undefined {
  return typeof name === 'string' ? FORMATS.get(name.toLowerCase()) : undefined;
}

/** Asterisk's name of a format. */
export function nameOfFormat({ codec, sampleRateHz, littleEndian }: AudioFormat): string | undefined {
  for (const [name, format] of FORMATS) {
    const isSame = format.codec === codec && format.sampleRateHz === sampleRateHz;
    if (isSame && format.littleEndian === littleEndian) return name;
  }
  return undefined;
}
