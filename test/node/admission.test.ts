import { describe, expect, it } from 'vitest';
import { answerTo } from '../../src/gateway/door/http-answers.ts';
import { Admission, type NodeCondition } from '../../src/node/admission.ts';
import { LoopPressure } from '../../src/node/loop-pressure.ts';

const WELL: NodeCondition = {
  isDraining: false,
  legs: 10,
  capLegs: 800,
  capLegsByDelay: 800,
  capLegsByBusy: 800,
  isMemoryNearFull: false,
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
    [{ isMemoryNearFull: true }, 'overloaded', 'memory'],
    [{ isShutOff: true }, 'overloaded', 'isolated'],
    [{ capLegsByDelay: 10 }, 'overloaded', 'loop_delay'],
    [{ capLegsByBusy: 10 }, 'overloaded', 'loop_busy'],
    [{ isDraining: true, legs: 800 }, 'draining', 'draining'],
  ] as const)(
    'with %j refuses as %s with 503 and Retry-After, and counts it by reason',
    (change, fault, reason) => {
      const admission = new Admission();
      const refusal = admission.refusalOf({ ...WELL, ...change })!;
      expect(refusal.fault).toBe(fault);
      expect(answerTo(refusal, 'req_1')).toMatchObject({
        httpStatus: 503,
        headers: { 'Retry-After': expect.stringMatching(/^[1-9]\d*$/) },
      });
      const others = Object.entries(admission.stats).filter(([name]) => name !== reason);
      expect([admission.stats[reason], others.some(([, count]) => count > 0)]).toEqual([1, false]);
    },
  );

  it('admits exactly as many as its cap', () => {
    const admission = new Admission();
    let legs = 0;
    for (let offered = 0; offered < 150; offered++) {
      if (admission.refusalOf({ ...WELL, legs, capLegs: 100 }) === undefined) legs++;
    }
    expect(legs).toBe(100);
    expect(admission.stats.legs).toBe(50);
  });

  it('lets in legs that lost their node, whatever it suffers from, up to a fifth beyond its cap', () => {
    const admission = new Admission();
    const suffering = { ...WELL, isDraining: true, isMemoryNearFull: true, capLegsByDelay: 0 };
    let legs = 100;
    for (let offered = 0; offered < 50; offered++) {
      const condition = { ...suffering, legs, capLegs: 100 };
      expect(admission.refusalOf(condition)).toBeDefined();
      if (admission.refusalOfReturn(condition) === undefined) legs++;
    }
    expect([legs, admission.stats.returning_legs]).toEqual([120, 30]);
    expect(admission.refusalOfReturn({ legs: 6, capLegs: 5 })?.fault).toBe('overloaded');
  });
});

describe('the pressure of the loop', () => {
  const look = (pressure: LoopPressure, legs: number, ...p99s: number[]): number => {
    for (const p99Ms of p99s) pressure.look(p99Ms, legs);
    return pressure.capLegs;
  };

  it('is not believed after one bad second', () => {
    expect(look(new LoopPressure(800, 30), 300, 5, 300, 40, 5, 300)).toBe(800);
  });

  it('lowers the cap to what is here after three in a row', () => {
    const pressure = new LoopPressure(800, 30);
    expect(look(pressure, 300, 31, 31, 31)).toBe(300);
    expect(pressure.isBad).toBe(true);
  });

  it('never refuses a node with a few legs: they are not what makes it late', () => {
    expect(look(new LoopPressure(800, 30), 3, 90, 90, 90, 90)).toBe(50);
  });

  it('is not listened to where the operator says so', () => {
    expect(look(new LoopPressure(800, 0), 300, 900, 900, 900)).toBe(800);
  });

  it('gives the cap back little by little', () => {
    const pressure = new LoopPressure(800, 30);
    look(pressure, 300, 31, 31, 31);
    expect(look(pressure, 300, 5)).toBe(335);
    expect(look(pressure, 300, ...Array.from({ length: 20 }, () => 5))).toBe(800);
  });
});
