import { frameSamples } from '../base/units.ts';

/** The codecs a leg can speak. */
export type CodecName = 'pcmu' | 'pcma' | 'l16' | 'g722' | 'opus';

/** What one direction of a leg carries on the wire. Inside the house it is 16-bit mono PCM. */
export interface AudioFormat {
  readonly codec: CodecName;
  /** As the wire names it: G.722 is 16 000 or, by its RTP clock, 8000; Opus names the bandwidth wanted. */
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

/**
 * The rate of the samples that come out of a format. G.722 is 16 kHz whatever its clock says: RFC 3551 §4.5.2
 * keeps an error of RFC 1890 alive. Opus decodes any stream at any rate, and calls have 16 kHz at most.
 */
export function decodedSampleRateHz({ codec, sampleRateHz }: AudioFormat): number {
  if (codec === 'g722') return 16_000;
  if (codec === 'opus') return sampleRateHz === 8000 ? 8000 : 16_000;
  return sampleRateHz;
}

/** Bytes of one 20 ms frame on the wire, or 0 where packets vary. */
export function frameBytes(format: AudioFormat): number {
  const samples = frameSamples(decodedSampleRateHz(format));
  switch (format.codec) {
    case 'opus':
      return 0;
    case 'g722':
      return samples / 2;
    case 'l16':
      return 2 * samples * (format.channels ?? 1);
    default:
      return samples * (format.channels ?? 1);
  }
}

/** `PCMU/8000`, `L16/16000/2`, as events and reports name a format. */
export function formatName(format: AudioFormat): string {
  const name = `${format.codec.toUpperCase()}/${format.sampleRateHz}`;
  return format.channels === 2 ? `${name}/2` : name;
}
