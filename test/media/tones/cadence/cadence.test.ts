import { describe, expect, it } from 'vitest';
import { Cadence } from '../../../../src/media/tones/cadence/cadence.ts';
import type { TonePlan } from '../../../../src/media/tones/tone-plans.ts';

const BUSY: TonePlan = { tone: 'busy', frequenciesHz: [425], cadenceMs: [500, 500] };
const UK_RING: TonePlan = { tone: 'ringback', frequenciesHz: [400, 450], cadenceMs: [400, 200, 400, 2000] };
const DIAL: TonePlan = { tone: 'dial', frequenciesHz: [425], cadenceMs: [Infinity] };

function cadenceOf(partsMs: readonly number[], isCut = false): Cadence {
  const cadence = new Cadence();
  cadence.clear(isCut);
  for (const partMs of partsMs) cadence.add(partMs);
  return cadence;
}

describe('Cadence', () => {
  it('counts the parts that fit a plan', () => {
    expect(cadenceOf([500, 480, 520]).fit(BUSY, 100)).toBe(3);
    expect(cadenceOf([]).fit(BUSY, 100)).toBe(0);
  });

  it('begins at any burst of a plan', () => {
    expect(cadenceOf([400, 2000, 400, 200]).fit(UK_RING, 0)).toBe(4);
    expect(cadenceOf([400, 200, 400, 2000]).fit(UK_RING, 0)).toBe(4);
    expect(cadenceOf([400, 200, 400, 200]).fit(UK_RING, 0)).toBe(-1);
  });

  it('allows a fifth, and 60 ms where that is more', () => {
    expect(cadenceOf([600, 400]).fit(BUSY, 0)).toBe(2);
    expect(cadenceOf([620]).fit(BUSY, 0)).toBe(-1);
    expect(cadenceOf([400, 259]).fit(UK_RING, 0)).toBe(2);
  });

  it('gives a plan up once the open part is too long for it', () => {
    expect(cadenceOf([500]).fit(BUSY, 600)).toBe(1);
    expect(cadenceOf([500]).fit(BUSY, 601)).toBe(-1);
    expect(cadenceOf([]).fit(DIAL, 1e6)).toBe(0);
  });

  it('takes a first burst that was cut for any plan that is longer, and does not count it', () => {
    expect(cadenceOf([200, 500], true).fit(BUSY, 0)).toBe(1);
    expect(cadenceOf([200, 500]).fit(BUSY, 0)).toBe(-1);
    expect(cadenceOf([900, 500], true).longestMs()).toBe(500);
  });

  it('remembers the last parts, of which the first is a burst', () => {
    const cadence = cadenceOf(Array.from({ length: 99 }, (_, part) => (part % 2 === 0 ? 400 : 200)));
    expect(cadence.count).toBe(7);
    expect(cadence.fit({ ...BUSY, cadenceMs: [400, 200] }, 0)).toBe(7);
  });
});
