import { describe, expect, it } from 'vitest';
import { MIB } from '../../../src/base/units.ts';
import { NodePressure, openEffort, type Effort } from '../../../src/node/door/node-pressure.ts';

const GIB = 1024 * MIB;
const SETTINGS = {
  nodeCapLegs: 800,
  loopDelayMaxMs: 30,
  loopBusyMaxRatio: 0.8,
  nodeMemoryMaxBytes: undefined,
  mediaNodes: 2,
};
const EASY: Effort = { loopDelayP99Ms: 2, loopBusyRatio: 0.3, residentBytes: 200 * MIB };

/** A node of three hundred legs after three seconds of that effort. */
function pressed(effort: Partial<Effort>, settings: Partial<typeof SETTINGS> = {}, bytes = 8 * GIB) {
  const pressure = new NodePressure({ ...SETTINGS, ...settings }, bytes);
  for (let seconds = 0; seconds < 3; seconds++) pressure.look({ ...EASY, ...effort }, 300);
  return pressure;
}

describe('what a node has to carry', () => {
  it('lets it be as long as it is little', () => {
    const { condition, isLate } = pressed({});
    expect(condition).toEqual({ capLegsByDelay: 800, capLegsByBusy: 800, isMemoryNearFull: false });
    expect(isLate).toBe(false);
  });

  it('lowers its cap when its loop is late, or too busy, for three seconds', () => {
    expect(pressed({ loopDelayP99Ms: 40 }).condition).toMatchObject({
      capLegsByDelay: 300,
      capLegsByBusy: 800,
    });
    expect(pressed({ loopBusyRatio: 0.9 }).condition).toMatchObject({
      capLegsByDelay: 800,
      capLegsByBusy: 300,
    });
    expect(pressed({ loopBusyRatio: 0.9 }).isLate).toBe(true);
    expect(pressed({ loopBusyRatio: 1 }, { loopBusyMaxRatio: 0 }).isLate).toBe(false);
  });

  it('is four fifths of the machine’s memory, shared by its nodes, and never less than half a gigabyte', () => {
    const isFull = (residentBytes: number, ...rest: [Partial<typeof SETTINGS>?, number?]): boolean =>
      pressed({ residentBytes }, ...rest).condition.isMemoryNearFull;
    expect([isFull(3 * GIB), isFull(3.3 * GIB)]).toEqual([false, true]);
    expect([isFull(500 * MIB, {}, GIB), isFull(520 * MIB, {}, GIB)]).toEqual([false, true]);
    expect(isFull(7 * GIB, { mediaNodes: 1 }, 64 * GIB)).toBe(false);
  });

  it('is what the operator says, and nothing where that is 0', () => {
    const limits = { ...SETTINGS, nodeMemoryMaxBytes: 256 * MIB };
    const pressure = new NodePressure(limits, 64 * GIB);
    pressure.look({ ...EASY, residentBytes: 300 * MIB }, 1);
    expect(pressure.condition.isMemoryNearFull).toBe(true);
    const unlimited = new NodePressure({ ...limits, nodeMemoryMaxBytes: 0 }, GIB);
    unlimited.look({ ...EASY, residentBytes: 64 * GIB }, 1);
    expect(unlimited.condition.isMemoryNearFull).toBe(false);
  });

  it('is read of this process', () => {
    const effort = openEffort({ read: () => ({ p50Ms: 1, p99Ms: 7, maxMs: 9 }) })();
    expect(effort.loopDelayP99Ms).toBe(7);
    expect(effort.loopBusyRatio).toBeGreaterThanOrEqual(0);
    expect(effort.loopBusyRatio).toBeLessThanOrEqual(1);
    expect(effort.residentBytes).toBeGreaterThan(10 * MIB);
  });
});
