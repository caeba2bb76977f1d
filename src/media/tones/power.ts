/** A sine of full scale is +3.14 dBm0 (ITU-T G.711: the overload of A-law). */
const FULL_SCALE_DBM0 = 3.14;
const FULL_SCALE_POWER = 32_768 ** 2 / 2;

/** Mean square of 16-bit samples at a level of the telephone network. */
export function powerOfDbm0(levelDbm0: number): number {
  return FULL_SCALE_POWER * ratioOfDb(levelDbm0 - FULL_SCALE_DBM0);
}

/** And back. */
export function dbm0OfPower(power: number): number {
  return 10 * Math.log10(power / FULL_SCALE_POWER) + FULL_SCALE_DBM0;
}

/** Ratio of powers. */
export function ratioOfDb(db: number): number {
  return 10 ** (db / 10);
}

/** Peak of a sine in 16-bit samples. */
export function amplitudeOfDbm0(levelDbm0: number): number {
  return Math.sqrt(2 * powerOfDbm0(levelDbm0));
}
