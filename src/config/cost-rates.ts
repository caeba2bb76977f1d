import { splitList, type Kind } from './kinds.ts';

/** What a started minute costs, as it was written. */
interface CostRate {
  readonly direction: 'inbound' | 'outbound' | 'any';
  readonly agentId: string | null;
  readonly perMinute: string;
}

const RATE = /^(inbound|outbound|any)(?:\/([A-Za-z0-9_.-]{1,128}))?=(\d{1,9}(?:\.\d{1,12})?)$/;
const RATES_MAX = 1_000;

/** Rates between commas: `inbound=0.0125,outbound=0.03,inbound/agt_sales=0.05`. */
export const costRates: Kind<readonly CostRate[]> = {
  hint: 'list',
  limits: 'direction=amount or direction/agent=amount, between commas, or none',
  parse: (text) => {
    const parts = splitList(text);
    if (parts.length === 1 && parts[0] === 'none') return { value: [] };
    if (parts.length > RATES_MAX) return { mistake: `has more than ${RATES_MAX} rates` };
    const wrong = parts.find((part) => !RATE.test(part));
    if (wrong !== undefined) {
      return { mistake: `has "${wrong}", which is not like inbound=0.0125 or any/agt_sales=0.05` };
    }
    const rates = parts.map(rateOf);
    const twice = rates.find((rate, index) => rates.findIndex((other) => isSame(rate, other)) < index);
    return twice === undefined ? { value: rates } : { mistake: `has ${keyOf(twice)} twice` };
  },
  format: (rates) =>
    rates.length === 0 ? 'none' : rates.map((rate) => `${keyOf(rate)}=${rate.perMinute}`).join(','),
};

function rateOf(part: string): CostRate {
  const [, direction, agentId, perMinute] = RATE.exec(part)!;
  return { direction: direction as CostRate['direction'], agentId: agentId ?? null, perMinute: perMinute! };
}

function isSame(one: CostRate, other: CostRate): boolean {
  return one.direction === other.direction && one.agentId === other.agentId;
}

function keyOf({ direction, agentId }: CostRate): string {
  return agentId === null ? direction : `${direction}/${agentId}`;
}

/** What calls cost, as it is set. */
export function costRatesOf(settings: {
  readonly costCurrency: string;
  readonly costRates: readonly CostRate[];
}): { readonly currency: string; readonly rates: readonly CostRate[] } {
  return { currency: settings.costCurrency, rates: settings.costRates };
}
