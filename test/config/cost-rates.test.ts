import { describe, expect, it } from 'vitest';
import { costRates } from '../../src/config/cost-rates.ts';

describe('rates as they are set', () => {
  it('keep every digit, on their way to a child process and back too', () => {
    const text = 'inbound=0.0125,outbound/agt_sales=0.050,any=1';
    const parsed = costRates.parse(text);
    expect(parsed).toEqual({
      value: [
        { direction: 'inbound', agentId: null, perMinute: '0.0125' },
        { direction: 'outbound', agentId: 'agt_sales', perMinute: '0.050' },
        { direction: 'any', agentId: null, perMinute: '1' },
      ],
    });
    expect('value' in parsed && costRates.format(parsed.value)).toBe(text);
    expect(costRates.parse(costRates.format([]))).toEqual({ value: [] });
  });

  it.each(['inbound', 'sideways=1', 'inbound=-1', 'inbound=1e3', 'inbound=.5', 'any/=1', 'inbound/a b=1'])(
    'are not "%s"',
    (text) => {
      expect(costRates.parse(text)).toEqual({
        mistake: `has "${text}", which is not like inbound=0.0125 or any/agt_sales=0.05`,
      });
    },
  );

  it('say each thing once', () => {
    expect(costRates.parse('any=1,any=2')).toEqual({ mistake: 'has any twice' });
    expect(costRates.parse('any/a=1,any/b=2,any=3')).toHaveProperty('value');
  });
});
