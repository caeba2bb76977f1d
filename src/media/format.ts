import { frameSamples } from '../base/units.ts';

/** The codecs a leg can speak. G.722 and Opus join this union with their codecs. */
export type CodecName = 'pcmu' | 'pcma' | 'l16';

/** What one direction of a leg carries on the wire. Inside the house it is 16-bit mono PCM. */
export interface AudioFormat {
  readonly codec: CodecName;
  readonly sampleRateHz: number;
  /** Byte order of L16; meaningless elsewhere. */
  readonly littleEndian: boolean;
}

export const PCMU_8K: AudioFormat = { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true };

/** Bytes of one 20 ms frame on the wire. */
export function frameBytes(format: AudioFormat): number {
  return frameSamples(format.sampleRateHz) * (format.codec === 'l16' ? 2 : 1);
}

/** `PCMU/8000`, as events and reports name a format. */
export function formatName(format: AudioFormat): string {
  return `${format.codec.toUpperCase()}/${format.sampleRateHz}`;
}
