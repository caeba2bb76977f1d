import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { NodeVitals, type NodeVitalsOptions } from '../../../src/node/door/node-vitals.ts';

const SETTINGS: NodeVitalsOptions['settings'] = {
  nodeCapLegs: 100,
  loopDelayMaxMs: 50,
  loopBusyMaxRatio: 0.9,
  nodeMemoryMaxBytes: 0,
  mediaNodes: 1,
  acceptWhenIsolated: 'false',
  diskFreeMinRatio: 0.05,
  redisUrl: 'redis://127.0.0.1',
};

function vitalsOf(options: Partial<NodeVitalsOptions> = {}): NodeVitals {
  return new NodeVitals({
    settings: SETTINGS,
    spoolDir: tmpdir(),
    spool: { bytes: 7, isNearLimit: false },
    loopDelay: { read: () => ({ meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 }) },
    legs: () => 3,
    calls: () => 2,
    isDraining: () => false,
    isIsolated: () => true,
    ...options,
  });
}

describe('what a node knows of itself', () => {
  it('is told as it stands, with its door open or not', () => {
    const facts = { legs: 3, calls: 2, capLegs: 100, loopDelayP99Ms: 0, spoolBytes: 7 };
    expect(vitalsOf().statusIn('starting')).toEqual({ state: 'starting', ...facts });
    expect(vitalsOf().statusIn('serving')).toEqual({ state: 'serving', ...facts });
    expect(vitalsOf({ isDraining: () => true }).statusIn('serving').state).toBe('draining');
  });

  it('is that it is late once its event loop is, and then only while it serves', () => {
    const vitals = vitalsOf({ loopDelay: { read: () => ({ meanMs: 90, p50Ms: 90, p99Ms: 90, maxMs: 90 }) } });
    for (let second = 0; second < 3; second++) vitals.look();
    expect([vitals.statusIn('serving').state, vitals.statusIn('starting').state]).toEqual([
      'degraded',
      'starting',
    ]);
    expect(vitals.statusIn('serving').loopDelayP99Ms).toBe(90);
  });

  it('is that it is cut off only where there is a registry to hear of', () => {
    expect(vitalsOf()).toMatchObject({ isCutOff: true, condition: { isShutOff: true } });
    const welcoming = { ...SETTINGS, acceptWhenIsolated: 'true' } as const;
    expect(vitalsOf({ settings: welcoming }).condition.isShutOff).toBe(false);
    const alone = vitalsOf({ settings: { ...SETTINGS, redisUrl: undefined } });
    expect(alone).toMatchObject({ isCutOff: false, condition: { isShutOff: false } });
  });

  it('is that its disk is nearly full, once it has looked', async () => {
    const vitals = vitalsOf({ settings: { ...SETTINGS, diskFreeMinRatio: 1 } });
    expect(vitals.condition.isDiskNearFull).toBe(false);
    await vitals.lookAtDisk();
    expect(vitals.condition.isDiskNearFull).toBe(true);
    const lost = vitalsOf({ spoolDir: '/nowhere/at/all' });
    await expect(lost.lookAtDisk()).rejects.toThrow('ENOENT');
    expect(lost.condition.isDiskNearFull).toBe(false);
  });
});
