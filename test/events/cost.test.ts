import { Big } from 'big.js';
import { describe, expect, it } from 'vitest';
import { costOf, type CostRates } from '../../src/events/cost.ts';

const RATES: CostRates = {
  currency: 'EUR',
  rates: [
    { direction: 'inbound', agentId: null, perMinute: '0.0125' },
    { direction: 'any', agentId: null, perMinute: '0.02' },
    { direction: 'any', agentId: 'agt_sales', perMinute: '0.05' },
    { direction: 'outbound', agentId: 'agt_sales', perMinute: '0.1' },
  ],
};

function amountOf(agentId: string | null, direction: 'inbound' | 'outbound', durationMs: number): unknown {
  return costOf(RATES, { agentId, direction, durationMs })?.amount;
}

describe('the cost of a call', () => {
  it('is charged by the minute that was started', () => {
    expect(amountOf(null, 'inbound', 0)).toBe('0');
    expect(amountOf(null, 'inbound', 1)).toBe('0.0125');
    expect(amountOf(null, 'inbound', 60_000)).toBe('0.0125');
    expect(amountOf(null, 'inbound', 60_001)).toBe('0.025');
  });

  it('goes by the rate that fits best: agent and direction, agent, direction, all', () => {
    expect(amountOf('agt_sales', 'outbound', 1)).toBe('0.1');
    expect(amountOf('agt_sales', 'inbound', 1)).toBe('0.05');
    expect(amountOf('agt_other', 'inbound', 1)).toBe('0.0125');
    expect(amountOf('agt_other', 'outbound', 1)).toBe('0.02');
  });

  it('says by what it was counted', () => {
    const cost = costOf(RATES, { agentId: null, direction: 'inbound', durationMs: 150_000 });
    expect(cost).toEqual({ amount: '0.0375', currency: 'EUR', minutes: 3, per_minute: '0.0125' });
  });

  it('is exact where floats are not', () => {
    const rates = (perMinute: string): CostRates => ({
      currency: 'USD',
      rates: [{ direction: 'any', agentId: null, perMinute }],
    });
    const call = { agentId: null, direction: 'inbound', durationMs: 180_000 } as const;
    expect(0.1 * 3).not.toBe(0.3);
    expect(costOf(rates('0.1'), call)?.amount).toBe('0.3');
    expect(costOf(rates('0.000000000001'), call)?.amount).toBe('0.000000000003');
    expect(costOf(rates('999999999.999999999999'), call)?.amount).toBe('2999999999.999999999997');
    for (let cents = 1; cents < 1_000; cents++) {
      const perMinute = `0.${String(cents).padStart(3, '0')}`;
      const amount = costOf(rates(perMinute), call)!.amount;
      expect(new Big(amount).times(1_000).eq(cents * 3)).toBe(true);
    }
  });

  it('is null where nobody has set a rate', () => {
    const call = { agentId: null, direction: 'outbound', durationMs: 1 } as const;
    expect(costOf(undefined, call)).toBeNull();
    expect(costOf({ currency: 'EUR', rates: [] }, call)).toBeNull();
    expect(costOf({ currency: 'EUR', rates: RATES.rates.slice(0, 1) }, call)).toBeNull();
  });
});
