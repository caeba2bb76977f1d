import { readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VoiceError } from '../../../src/base/errors.ts';
import type { EventRecord } from '../../../src/events/envelope.ts';
import type { WriteAt } from '../../../src/link/spool/reserve.ts';
import { recoverSpool } from '../../../src/link/spool/recovery.ts';
import { openSpool, type Spool, type SpoolOptions } from '../../../src/link/spool/spool.ts';
import { eventRecord, temporaryDir, upTo } from '../link-fixtures.ts';

const BALLAST = 'x'.repeat(700);

function open(options: Partial<SpoolOptions> = {}): { spool: Spool; dir: string } {
  const dir = options.dir ?? join(temporaryDir(), 'node-a');
  const spool = openSpool({ dir, segmentBytes: 4096, reserveBytes: 0, ...options });
  onTestFinished(() => spool.close());
  return { spool, dir };
}

function fill(spool: Spool, first: number, count: number): void {
  for (let i = 0; i < count; i++) spool.append(eventRecord(first + i, BALLAST));
}

function numbersFrom(spool: Spool, number: number): readonly number[] {
  const numbers: number[] = [];
  for (let next = number; next <= spool.lastRecord;) {
    const payloads = spool.readFrom(next, 7);
    for (const payload of payloads) {
      numbers.push((JSON.parse(payload.toString()) as EventRecord).envelope.sequence);
    }
    next += payloads.length;
  }
  return numbers;
}

function onDisk(dir: string): readonly number[] {
  return [...recoverSpool(dir, 0, () => {})].map(({ number }) => number);
}

/** A disk of so many bytes, shared by all files of a directory; when it is full it takes a part first. */
class SmallDisk {
  capacityBytes: number;
  readonly #dir: string;

  constructor(dir: string, capacityBytes: number) {
    this.#dir = dir;
    this.capacityBytes = capacityBytes;
  }

  readonly write: WriteAt = (fd, bytes, length, position) => {
    const sizes = readdirSync(this.#dir).map((name) => statSync(join(this.#dir, name)).size);
    const freeBytes = this.capacityBytes - sizes.reduce((sum, size) => sum + size, 0);
    if (freeBytes <= 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    return writeSync(fd, bytes, 0, Math.min(length, freeBytes), position);
  };
}

describe('a spool', () => {
  it('numbers records from 1 and reads them back from any number, over many segments', () => {
    const { spool, dir } = open();
    expect(spool.append(eventRecord(1, BALLAST)).number).toBe(1);
    fill(spool, 2, 39);
    expect([spool.firstRecord, spool.lastRecord]).toEqual([1, 40]);
    expect(readdirSync(dir).filter((name) => name.endsWith('.seg')).length).toBeGreaterThan(5);
    for (const from of upTo(40)) expect(numbersFrom(spool, from)).toEqual(upTo(40).slice(from - 1));
    expect(spool.readFrom(41)).toEqual([]);
  });

  it('reads a record that is larger than one read', () => {
    const { spool } = open({ segmentBytes: 1024 * 1024 });
    spool.append(eventRecord(1, 'y'.repeat(300 * 1024)));
    spool.append(eventRecord(2));
    expect(spool.readFrom(1)).toHaveLength(1);
    expect(numbersFrom(spool, 1)).toEqual([1, 2]);
  });

  it('reads at most 128 KiB at a time', () => {
    const { spool } = open({ segmentBytes: 1024 * 1024 });
    fill(spool, 1, 400);
    const bytes = spool.readFrom(1).reduce((sum, payload) => sum + payload.length, 0);
    expect(bytes).toBeLessThanOrEqual(128 * 1024);
    expect(bytes).toBeGreaterThan(120 * 1024);
  });

  it('keeps its directory and its files to its owner', () => {
    const { spool, dir } = open();
    fill(spool, 1, 1);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, '1.seg')).mode & 0o777).toBe(0o600);
  });

  it('deletes whole segments once they are acknowledged, and no record before that', () => {
    const { spool, dir } = open();
    fill(spool, 1, 40);
    const bytes = spool.bytes;
    const second = Number(
      readdirSync(dir)
        .map((name) => parseInt(name))
        .sort((a, b) => a - b)[1],
    );
    spool.release(second - 2);
    expect(spool.firstRecord).toBe(1);
    spool.release(second - 1);
    expect(spool.firstRecord).toBe(second);
    expect(spool.bytes).toBeLessThan(bytes);
    spool.release(40);
    expect(readdirSync(dir).filter((name) => name.endsWith('.seg'))).toHaveLength(1);
    fill(spool, 41, 10);
    expect(numbersFrom(spool, 41)).toEqual(upTo(50).slice(40));
  });

  it('is near its limit at 85 percent, and no longer once control has caught up', () => {
    const { spool } = open({ bytesMax: 20_000 });
    while (spool.bytes < 16_900) spool.append(eventRecord(1));
    expect(spool.isNearLimit).toBe(false);
    while (spool.bytes < 17_000) spool.append(eventRecord(1));
    expect(spool.isNearLimit).toBe(true);
    spool.release(spool.lastRecord);
    expect(spool.isNearLimit).toBe(false);
  });

  it('refuses to go on with the spool of an earlier start', () => {
    const { dir } = open();
    expect(() => openSpool({ dir })).toThrow(VoiceError);
  });

  it('refuses an event no journal would take, and counts on', () => {
    const { spool } = open();
    expect(() => spool.append(eventRecord(1, 'z'.repeat(1024 * 1024)))).toThrow(/no event/);
    expect(spool.append(eventRecord(1)).number).toBe(1);
  });
});

describe('a spool on a full disk', () => {
  it('gives its reserve back, cuts the half-written record off and accepts on', () => {
    const dir = join(temporaryDir(), 'node-a');
    const disk = new SmallDisk(dir, 20_000);
    const { spool } = open({ dir, reserveBytes: 8000, write: disk.write });
    expect(spool.isNearLimit).toBe(false);
    fill(spool, 1, 15);
    expect(spool.stats).toMatchObject({ shortWrites: 1, releasedReserves: 1, heldRecords: 0 });
    expect(spool.isNearLimit).toBe(true);
    expect(numbersFrom(spool, 1)).toEqual(upTo(15));
    expect(onDisk(dir)).toEqual(upTo(15));
  });

  it('holds events in memory when nothing is left, in order, and writes them once there is room', () => {
    const dir = join(temporaryDir(), 'node-a');
    const disk = new SmallDisk(dir, 5000);
    const { spool } = open({ dir, write: disk.write });
    fill(spool, 1, 10);
    expect(spool.stats.heldRecords).toBeGreaterThan(0);
    expect(spool.isNearLimit).toBe(true);
    expect(numbersFrom(spool, 1)).toEqual(upTo(10));
    expect(numbersFrom(spool, 9)).toEqual([9, 10]);
    spool.tend();
    expect(onDisk(dir).length).toBeLessThan(10);
    disk.capacityBytes = 100_000;
    spool.tend();
    expect(spool.isNearLimit).toBe(false);
    fill(spool, 11, 3);
    expect(onDisk(dir)).toEqual(upTo(13));
    expect(numbersFrom(spool, 1)).toEqual(upTo(13));
  });

  it('refuses only when its memory is full too, counts that, and has lost nothing it accepted', () => {
    const dir = join(temporaryDir(), 'node-a');
    const disk = new SmallDisk(dir, 5000);
    const { spool } = open({ dir, write: disk.write, heldBytesMax: 5000 });
    let accepted = 0;
    expect(() => {
      for (; accepted < 100; accepted++) spool.append(eventRecord(accepted + 1, BALLAST));
    }).toThrow(expect.objectContaining({ code: 'unavailable' }));
    expect(spool.stats.refusedRecords).toBe(1);
    expect(spool.lastRecord).toBe(accepted);
    disk.capacityBytes = 100_000;
    spool.tend();
    expect(onDisk(dir)).toEqual(upTo(accepted));
  });

  it('lets go of what it holds once control has it, though the disk stays full', () => {
    const dir = join(temporaryDir(), 'node-a');
    const disk = new SmallDisk(dir, 5000);
    const { spool } = open({ dir, write: disk.write, heldBytesMax: 6000 });
    for (let round = 0; round < 20; round++) {
      fill(spool, round * 8 + 1, 8);
      spool.release(round * 8 + 7);
      expect(numbersFrom(spool, round * 8 + 8)).toEqual([round * 8 + 8]);
    }
    expect(spool.stats.refusedRecords).toBe(0);
    expect(spool.stats.heldRecords).toBeGreaterThan(20);
    expect(onDisk(dir).at(-1)).toBe(160);
  });

  it('refills its reserve step by step once there is room', () => {
    const dir = join(temporaryDir(), 'node-a');
    const disk = new SmallDisk(dir, 700_000);
    const { spool } = open({ dir, reserveBytes: 600_000, segmentBytes: 20_000, write: disk.write });
    fill(spool, 1, 120);
    expect(spool.stats.releasedReserves).toBe(1);
    spool.release(120);
    for (const step of upTo(3)) {
      expect({ step, isNearLimit: spool.isNearLimit }).toEqual({ step, isNearLimit: true });
      spool.tend();
    }
    expect(spool.isNearLimit).toBe(false);
    expect(statSync(join(dir, 'reserve')).size).toBe(600_000);
  });

  it('keeps its quota as if it were the disk', () => {
    const { spool, dir } = open({ bytesMax: 9000, heldBytesMax: 3000 });
    let accepted = 0;
    expect(() => {
      for (; accepted < 100; accepted++) spool.append(eventRecord(accepted + 1, BALLAST));
    }).toThrow(/over its limit/);
    spool.release(accepted);
    expect(spool.append(eventRecord(accepted + 1)).number).toBe(accepted + 1);
    expect(onDisk(dir)).toEqual([accepted + 1]);
  });
});
