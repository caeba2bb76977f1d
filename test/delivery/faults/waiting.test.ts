import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { LANE_LIMITS } from '../../../src/delivery/lanes/lane-entry.ts';
import { HookReceiver } from '../../fakes/hook-receiver.ts';
import { rowsOf, tempPath } from '../../store/temp-store.ts';

const CHILD = join(import.meta.dirname, 'waiting-child.ts');
const isLong = process.env['OMNIVOICE_TEST_LONG'] !== undefined;
const WAITING = isLong ? 100_000 : 4_000;
const STEPS = 4;
/** Of the second half: in the first, the store's cache and its log fill up. Envelopes alone would be twice that. */
const GROWTH_MB_MAX = 48;

interface Stage {
  readonly waiting: number;
  readonly entries: number;
  readonly envelopes: number;
  readonly delivered: number;
  readonly residentMb: number;
}

describe('a hundred thousand deliveries that wait', () => {
  it('are in the store, and memory holds so many of them', { timeout: 300_000 }, async () => {
    const closed = await HookReceiver.open();
    const url = closed.url();
    await closed.close();
    const path = tempPath();
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      CHILD,
      path,
      url,
      String(WAITING / STEPS),
      String(STEPS),
    ]);
    const stages = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Stage);
    expect(stages.at(-1)).toMatchObject({ waiting: WAITING, delivered: 0 });
    for (const { entries, envelopes } of stages) {
      expect(entries).toBeLessThanOrEqual(LANE_LIMITS.entriesMax + LANE_LIMITS.waitingMax);
      expect(envelopes).toBeLessThanOrEqual(LANE_LIMITS.envelopesMax);
    }
    expect(rowsOf(path, 'select count(*) as n from deliveries where settled_unix_ms is null')).toEqual([
      { n: WAITING },
    ]);
    if (!isLong) return;
    const residentMb = stages.map((stage) => Math.round(stage.residentMb));
    console.log(
      `resident MB at ${stages.map(({ waiting }) => waiting).join(', ')}: ${residentMb.join(', ')}`,
    );
    expect(residentMb[3]! - residentMb[1]!).toBeLessThan(GROWTH_MB_MAX);
  });
});
