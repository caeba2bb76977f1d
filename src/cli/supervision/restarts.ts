const DELAY_MIN_MS = 100;
const DELAY_MAX_MS = 2000;
/** Who lived this long died of something new. */
const STEADY_MS = 10_000;

/** How often in a row a child died young. */
export interface Restarts {
  readonly quickDeaths: number;
}

export const NO_RESTARTS: Restarts = { quickDeaths: 0 };

/** When a child that died is to be started again: at once, and ever later while it keeps dying young. */
export function afterDeath(
  restarts: Restarts,
  livedMs: number,
): { readonly restarts: Restarts; readonly delayMs: number } {
  if (livedMs >= STEADY_MS) return { restarts: NO_RESTARTS, delayMs: 0 };
  const { quickDeaths } = restarts;
  const delayMs = quickDeaths === 0 ? 0 : Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** (quickDeaths - 1));
  return { restarts: { quickDeaths: quickDeaths + 1 }, delayMs };
}
