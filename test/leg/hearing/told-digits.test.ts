import { describe, expect, it } from 'vitest';
import { ToldDigits } from '../../../src/leg/hearing/told-digits.ts';

describe('a digit that is both heard and told', () => {
  it('is one press, whoever was first', () => {
    const digits = new ToldDigits();
    expect(digits.isNew('5', 'in_band', 1_000)).toBe(true);
    expect(digits.isNew('5', 'out_of_band', 1_500)).toBe(false);
    expect(digits.isNew('6', 'out_of_band', 2_000)).toBe(true);
    expect(digits.isNew('6', 'in_band', 2_100)).toBe(false);
    expect(digits.stats.doubledDigits).toBe(2);
  });

  it('stays two where it was pressed twice', () => {
    const digits = new ToldDigits();
    const news = (['in_band', 'out_of_band', 'in_band', 'out_of_band'] as const).map((source, i) =>
      digits.isNew('5', source, 1_000 + 100 * i),
    );
    expect(news).toEqual([true, false, true, false]);
  });

  it('is another press when the other comes too late', () => {
    const digits = new ToldDigits();
    expect(digits.isNew('5', 'in_band', 1_000)).toBe(true);
    expect(digits.isNew('5', 'out_of_band', 1_501)).toBe(true);
  });
});
