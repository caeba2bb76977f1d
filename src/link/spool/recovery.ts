import { closeSync, openSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, parseObject } from '../../base/json.ts';
import type { EventRecord } from '../../events/envelope.ts';
import { findRecords, segmentsIn, TOMBSTONE_NAME, type SegmentFile } from './segment.ts';

export interface RecoveredRecord {
  readonly number: number;
  readonly record: EventRecord;
}

/** Bytes of a dead node's spool that are no record. */
export interface SpoolDamage {
  readonly path: string;
  readonly lostBytes: number;
  /** At the end of the last segment: a record whose write was cut short, and which was never accepted. */
  readonly isTornTail: boolean;
}

/**
 * The records after number `after` in the spool of a node that is dead. Reads one segment at a time. Damage
 * is told and passed over: what can be read of the segments behind it is yielded, under its own numbers.
 */
export function* recoverSpool(
  dir: string,
  after: number,
  onDamage: (damage: SpoolDamage) => void,
): Generator<RecoveredRecord> {
  const segments = segmentsIn(dir);
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1];
    if (next === undefined || next.first > after + 1) {
      yield* recoverSegment(segment, next === undefined, after, onDamage);
    }
  }
}

/** Whether a spool holds anything at all, sound or not. */
export function hasSpooled(dir: string): boolean {
  return segmentsIn(dir).some(({ path }) => statSync(path).size > 0);
}

/** Writes the tombstone; false when there is no such spool. */
export function giveUpSpool(dir: string): boolean {
  try {
    closeSync(openSync(join(dir, TOMBSTONE_NAME), 'w', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Removes the records of a spool and leaves its directory, which still names the incarnation. */
export function clearSpool(dir: string): void {
  for (const { path } of segmentsIn(dir)) unlinkSync(path);
}

/** Removes a spool altogether. */
export function removeSpool(dir: string): void {
  rmSync(dir, { recursive: true, force: true });
}

function* recoverSegment(
  segment: SegmentFile,
  isLast: boolean,
  after: number,
  onDamage: (damage: SpoolDamage) => void,
): Generator<RecoveredRecord> {
  const bytes = readFileSync(segment.path);
  const { payloads, consumedBytes } = findRecords(bytes, Infinity);
  for (const [index, payload] of payloads.entries()) {
    const number = segment.first + index;
    if (number <= after) continue;
    const record = readRecord(payload);
    if (record === undefined) onDamage({ path: segment.path, lostBytes: payload.length, isTornTail: false });
    else yield { number, record };
  }
  const lostBytes = bytes.length - consumedBytes;
  if (lostBytes > 0) onDamage({ path: segment.path, lostBytes, isTornTail: isLast });
}

function readRecord(payload: Buffer): EventRecord | undefined {
  const record = parseObject(payload);
  return isObject(record?.envelope) && isObject(record.stamps)
    ? (record as unknown as EventRecord)
    : undefined;
}
