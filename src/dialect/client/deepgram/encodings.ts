import { l16, PCMA_8K, PCMU_8K, type AudioFormat } from '../../../media/format.ts';
import type { Inbound } from '../../dialect.ts';

/** What Deepgram takes and gives without a container, most wanted first. */
export const DEEPGRAM_FORMATS: readonly AudioFormat[] = [
  PCMU_8K,
  PCMA_8K,
  l16(16_000),
  l16(8000),
  l16(24_000),
  l16(48_000),
];

/** `mulaw`, `alaw`, `linear16`: 16-bit samples with the low byte first. */
export function encodingOf({ codec }: AudioFormat): string {
  if (codec === 'l16') return 'linear16';
  return codec === 'pcma' ? 'alaw' : 'mulaw';
}

/** Puts a binary message of codec bytes into the scratch; false where it is too long for it. */
export function takeBinary(message: Uint8Array, into: Inbound): boolean {
  if (message.length > into.payload.length) return false;
  into.payload.set(message);
  into.payloadBytes = message.length;
  into.sequence = -1;
  into.timestampMs = -1;
  return true;
}
