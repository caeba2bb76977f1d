import { describe, expect, it } from 'vitest';
import { Admission, type NodeCondition } from '../../src/node/admission.ts';
import { LoopPressure } from '../../src/node/loop-pressure.ts';

const WELL: NodeCondition = {
  isDraining: false,
  legs: 10,
  capLegs: 800,
  isLoopLate: false,
  isSpoolNearLimit: false,
  isDiskNearFull: false,
};

describe('a node at its door', () => {
  it('lets in whoever comes while it is well', () => {
    expect(new Admission().refusalOf(WELL)).toBeUndefined();
  });

  it.each([
    [{ legs: 800 }, 'overloaded', 'legs'],
    [{ isSpoolNearLimit: true }, 'overloaded', 'spool'],
    [{ isDiskNearFull: true }, 'overloaded', 'disk'],
    [{ isLoopLate: true }, 'overloaded', 'loop_delay'],
    [{ isDraining: true, legs: 800 }, 'draining', 'draining'],
  ] as const)('with %j refuses as %s, and counts it by reason', (change, fault, reason) => {
    const admission = new Admission();
    expect(admission.refusalOf({ ...WELL, ...change })?.fault).toBe(fault);
    expect(admission.stats[reason]).toBe(1);
  });

  it('admits exactly as many as its cap', () => {
    const admission = new Admission();
    let legs = 0;
    for (let offered = 0; offered < 150; offered++) {
      if (admission.refusalOf({ ...WELL, legs, capLegs: 100 }) === undefined) legs++;
    }
    expect(legs).toBe(100);
    expect(admission.stats.legs).toBe(50);
  });
});

describe('the pressure of the loop', () => {
  it('is not believed after one bad second', () => {
    const pressure = new LoopPressure();
    for (const p99Ms of [5, 300, 40, 5, 300]) pressure.look(p99Ms);
    expect(pressure.isLate).toBe(false);
  });

  it('is believed after three in a row, and gone after one good one', () => {
    const pressure = new LoopPressure();
    for (const p99Ms of [31, 31, 31]) pressure.look(p99Ms);
    expect(pressure.isLate).toBe(true);
    pressure.look(5);
    expect(pressure.isLate).toBe(false);
  });
});
