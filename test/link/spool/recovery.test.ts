import { appendFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  clearSpool,
  giveUpSpool,
  hasSpooled,
  recoverSpool,
  removeSpool,
  type SpoolDamage,
} from '../../../src/link/spool/recovery.ts';
import { encodeRecord, segmentsIn } from '../../../src/link/spool/segment.ts';
import { openSpool } from '../../../src/link/spool/spool.ts';
import { eventRecord, temporaryDir, upTo } from '../link-fixtures.ts';

const BALLAST = 'x'.repeat(500);

/** What a killed node leaves: its files, nothing closed. */
function deadSpool(records: number): string {
  const dir = join(temporaryDir(), 'node-a');
  const spool = openSpool({ dir, segmentBytes: 4096, reserveBytes: 0 });
  for (const number of upTo(records)) spool.append(eventRecord(number, BALLAST));
  return dir;
}

function recover(dir: string, after = 0): { numbers: readonly number[]; damages: readonly SpoolDamage[] } {
  const damages: SpoolDamage[] = [];
  const records = [...recoverSpool(dir, after, (damage) => damages.push(damage))];
  expect(records.map(({ record }) => record.envelope.sequence)).toEqual(records.map(({ number }) => number));
  return { numbers: records.map(({ number }) => number), damages };
}

describe('the rest of a dead node', () => {
  it('is read from any number on', () => {
    const dir = deadSpool(30);
    for (const after of [0, 1, 6, 7, 29, 30, 31]) {
      expect(recover(dir, after)).toEqual({ numbers: upTo(30).slice(after), damages: [] });
    }
  });

  it('is nothing where there is no spool', () => {
    expect(recover(join(temporaryDir(), 'nobody'))).toEqual({ numbers: [], damages: [] });
    expect(hasSpooled(join(temporaryDir(), 'nobody'))).toBe(false);
  });

  it('ends before a torn tail, wherever the last write was cut', () => {
    const encoded = encodeRecord(eventRecord(4, BALLAST));
    for (let cutBytes = 1; cutBytes < encoded.length; cutBytes += 13) {
      const dir = deadSpool(3);
      appendFileSync(join(dir, '1.seg'), encoded.subarray(0, cutBytes));
      const { numbers, damages } = recover(dir);
      expect(numbers).toEqual([1, 2, 3]);
      expect(damages).toMatchObject([{ lostBytes: cutBytes, isTornTail: true }]);
    }
  });

  it('ends before zeros the file system left where a write should have been', () => {
    const dir = deadSpool(3);
    appendFileSync(join(dir, '1.seg'), Buffer.alloc(64));
    expect(recover(dir).numbers).toEqual([1, 2, 3]);
  });

  it('never yields a record with a flipped bit', () => {
    const dir = deadSpool(2);
    const path = join(dir, '1.seg');
    const sound = readFileSync(path);
    const firstBytes = encodeRecord(eventRecord(1, BALLAST)).length;
    for (let at = firstBytes; at < sound.length; at += 11) {
      const damaged = Buffer.from(sound);
      damaged[at] = sound[at]! ^ 4;
      writeFileSync(path, damaged);
      expect(recover(dir).numbers).toEqual([1]);
    }
  });

  it('goes on behind damage in the middle, under the right numbers, and tells of it', () => {
    const dir = deadSpool(30);
    const [first, second] = segmentsIn(dir);
    truncateSync(first!.path, readFileSync(first!.path).length - 5);
    const { numbers, damages } = recover(dir);
    expect(numbers).toEqual(upTo(30).filter((number) => number !== second!.first - 1));
    expect(damages).toMatchObject([{ isTornTail: false }]);
  });

  it('can be cleared and removed in two steps', () => {
    const dir = deadSpool(30);
    expect(hasSpooled(dir)).toBe(true);
    clearSpool(dir);
    expect(hasSpooled(dir)).toBe(false);
    removeSpool(dir);
    removeSpool(dir);
    expect(giveUpSpool(dir)).toBe(false);
  });
});

describe('a spool that was given up', () => {
  it('says so to its node, and so does one that was removed', () => {
    const dir = join(temporaryDir(), 'node-a');
    const spool = openSpool({ dir, reserveBytes: 0 });
    expect(spool.isGivenUp).toBe(false);
    expect(giveUpSpool(dir)).toBe(true);
    expect(spool.isGivenUp).toBe(true);
    removeSpool(dir);
    mkdirSync(dir);
    expect(spool.isGivenUp).toBe(true);
  });
});
