import { decodedSampleRateHz, type AudioFormat } from '../media/format.ts';

/** The rates that a leg can have inside the house; the wire's own is converted at the door. */
export const HOUSE_RATES_HZ = [8000, 16_000] as const;

/**
 * At which rate a leg is heard and spoken to inside the house: 8 kHz, or 16 kHz as soon as one of its
 * directions is wideband. Whoever hears it at another rate converts it for himself.
 */
export function houseRateHz(formats: {
  readonly inbound: AudioFormat;
  readonly outbound: AudioFormat;
}): number {
  const { inbound, outbound } = formats;
  const widestHz = Math.max(decodedSampleRateHz(inbound), decodedSampleRateHz(outbound));
  return widestHz > HOUSE_RATES_HZ[0] ? HOUSE_RATES_HZ[1] : HOUSE_RATES_HZ[0];
}
