// A media node's end of the link in a process of its own, to be killed: publishes for ever and says, after
// each event was accepted, its number.
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import { openNodeEnd } from '../../src/link/node-end.ts';
import { socketPathOf, spoolDirOf } from '../../src/link/places.ts';
import { openSpool } from '../../src/link/spool/spool.ts';
import type { EventRecord } from '../../src/events/envelope.ts';
import type { LinkLog } from '../../src/link/link-log.ts';

const [runDir = '', spoolsDir = '', incarnation = ''] = process.argv.slice(2);
const SILENT: LinkLog = { info: () => {}, warn: () => {}, error: () => {} };
const spool = openSpool({ dir: spoolDirOf(spoolsDir, incarnation), segmentBytes: 64 * 1024 });
const end = await openNodeEnd({
  socketPath: socketPathOf(runDir, incarnation),
  spool,
  facts: { incarnation, node: 0, pid: process.pid, region: 'local', ownPort: 1 },
  onCommand: () => Promise.resolve({ ok: true, value: null }),
  status: () => ({
    state: 'serving',
    legs: 0,
    calls: 0,
    capLegs: 1,
    loopDelayP99Ms: 0,
    spoolBytes: spool.bytes,
  }),
  clock: systemClock,
  log: SILENT,
});

let number = 0;
publishSome();

function publishSome(): void {
  for (let i = 0; i < 20; i++) {
    end.publish(recordOf(++number));
    writeSync(1, `${number}\n`);
  }
  systemClock.after(1, publishSome);
}

function recordOf(sequence: number): EventRecord {
  return {
    envelope: {
      id: `evt_${sequence}`,
      type: 'dtmf_received',
      api_version: '2025-11-01',
      created_at: '2026-11-20T12:00:00.000Z',
      workspace_id: 'ws_1',
      resource: { type: 'call', id: 'call_1' },
      sequence,
      region: 'local',
      test_mode: false,
      data: { ballast: 'x'.repeat(400) },
    },
    stamps: { receivedAtMs: 0, decidedAtMs: 0 },
  };
}
