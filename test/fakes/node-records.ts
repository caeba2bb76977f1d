import type { NodeRecord } from '../../src/cluster/node-record.ts';

/** A node that serves, with nothing to carry; `facts` say what is different about it. */
export function nodeRecord(incarnation: string, facts: Partial<NodeRecord> = {}): NodeRecord {
  return {
    v: 1,
    incarnation,
    node: 0,
    host: 'host-a',
    region: 'local',
    mediaUrl: 'ws://host-a:8082',
    peer: null,
    state: 'serving',
    version: '0.0.0',
    startedAtUnixMs: 0,
    legs: 0,
    calls: 0,
    capLegs: 800,
    loopDelayP99Ms: 1,
    spoolFreeRatio: 1,
    beat: 1,
    ...facts,
  };
}
