import { frameSamples } from '../base/units.ts';

/** The codecs a leg can speak. */
export type CodecName = 'pcmu' | 'pcma' | 'l16' | 'g722' | 'opus';

/** What one direction of a leg carries on the wire. Inside the house it is 16-bit mono PCM. */
export interface AudioFormat {
  readonly codec: CodecName;
  readonly sampleRateHz: number;
  /** Byte order of L16; meaningless elsewhere. */
  readonly littleEndian: boolean;
  /** 2: two channels interleaved sample by sample on the wire, mixed to one at the door. Absent: one. */
  readonly channels?: 1 | 2;
}

export const PCMU_8K: AudioFormat = { codec: 'pcmu', sampleRateHz: 8000, littleEndian: true };
export const PCMA_8K: AudioFormat = { codec: 'pcma', sampleRateHz: 8000, littleEndian: true };

/** 16-bit samples as they are; most providers send the low byte first. */
export function l16(sampleRateHz: number, littleEndian = true): AudioFormat {
  return { codec: 'l16', sampleRateHz, littleEndian };
}

/** Bytes of one 20 ms frame on the wire. */
export function frameBytes(format: AudioFormat): number {
  return frameSamples(format.sampleRateHz) * (format.codec === 'l16' ? 2 : 1);
}

/** `PCMU/8000`, as events and reports name a format. */
export function formatName(format: AudioFormat): string {
  return `${format.codec.toUpperCase()}/${format.sampleRateHz}`;
}
