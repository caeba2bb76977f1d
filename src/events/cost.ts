import { Big } from 'big.js';

const MINUTE_MS = 60_000;

/** What a started minute costs: of calls of a direction, of an agent, or of both. */
export interface CostRate {
  readonly direction: 'inbound' | 'outbound' | 'any';
  /** Null: whoever answers. */
  readonly agentId: string | null;
  /** A decimal number as it was written: it is never a float. */
  readonly perMinute: string;
}

/** Everything that calls cost, in one currency (ISO 4217). */
export interface CostRates {
  readonly currency: string;
  readonly rates: readonly CostRate[];
}

/** What is charged by: a call as it ended. */
export interface ChargedCall {
  readonly direction: 'inbound' | 'outbound';
  readonly agentId: string | null;
  readonly durationMs: number;
}

/** What a call cost; amounts are decimal numbers in text, exact to the last digit. */
export interface CallCost {
  readonly [field: string]: unknown;
  readonly amount: string;
  readonly currency: string;
  readonly minutes: number;
  readonly per_minute: string;
}

/** The cost of a call by the rate that fits it best; null where none does. */
export function costOf(rates: CostRates | undefined, call: ChargedCall): CallCost | null {
  const rate = rates && rateOf(rates, call);
  if (rates === undefined || rate === undefined) return null;
  const minutes = Math.ceil(call.durationMs / MINUTE_MS);
  const perMinute = new Big(rate.perMinute);
  return {
    amount: perMinute.times(minutes).toFixed(),
    currency: rates.currency,
    minutes,
    per_minute: perMinute.toFixed(),
  };
}

/** Of the agent and the direction, else of the agent, else of the direction, else of all. */
function rateOf({ rates }: CostRates, { direction, agentId }: ChargedCall): CostRate | undefined {
  const find = (agent: string | null, way: CostRate['direction']): CostRate | undefined =>
    rates.find((rate) => rate.agentId === agent && rate.direction === way);
  const ofAgent = agentId === null ? undefined : (find(agentId, direction) ?? find(agentId, 'any'));
  return ofAgent ?? find(null, direction) ?? find(null, 'any');
}
