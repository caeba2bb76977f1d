import { numberOf, textOf } from '../../base/json.ts';
import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../media/format.ts';

/** Its names say the rate of linear samples: `PCM16` at 8000 Hz is refused by it (field reports). */
const LINEAR_HZ: ReadonlyMap<string, number> = new Map([
  ['PCM8', 8000],
  ['PCM16', 16_000],
]);

/** A `mediaFormat` as a format; undefined where it is none that is known. */
export function readEncoding(
  encoding: unknown,
  rate: unknown,
  littleEndian: boolean,
): AudioFormat | undefined {
  const name = (textOf(encoding) ?? '').toUpperCase();
  const namedHz = LINEAR_HZ.get(name);
  if (namedHz !== undefined) {
    const sampleRateHz = numberOf(rate ?? namedHz);
    // Whoever says both means the number.
    return sampleRateHz === 8000 || sampleRateHz === 16_000 ? l16(sampleRateHz, littleEndian) : undefined;
  }
  if (name !== 'ULAW' && name !== 'ALAW') return undefined;
  if (numberOf(rate ?? 8000) !== 8000) return undefined;
  return name === 'ULAW' ? PCMU_8K : PCMA_8K;
}

/** What it calls a format. */
export function encodingName({ codec, sampleRateHz }: AudioFormat): string {
  if (codec === 'l16') return sampleRateHz === 8000 ? 'PCM8' : 'PCM16';
  return codec === 'pcmu' ? 'ULAW' : 'ALAW';
}
