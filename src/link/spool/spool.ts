import {
  closeSync,
  existsSync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { invariant, messageOf, VoiceError } from '../../base/errors.ts';
import type { EventRecord } from '../../events/envelope.ts';
import { SpoolReserve, type WriteAt } from './reserve.ts';
import {
  encodeRecord,
  findRecords,
  payloadOf,
  RESERVE_NAME,
  segmentPathOf,
  segmentsIn,
  TOMBSTONE_NAME,
} from './segment.ts';

const SEGMENT_BYTES = 4 * 1024 * 1024;
const BYTES_MAX = 256 * 1024 * 1024;
const RESERVE_BYTES = 8 * 1024 * 1024;
const HELD_BYTES_MAX = 8 * 1024 * 1024;
const READ_BYTES = 128 * 1024;
const READ_RECORDS = 500;
// From here on the node takes no new call; the rest is room for the running ones to end (cluster.md §2.9).
const NEAR_LIMIT_RATIO = 0.85;

export interface SpoolOptions {
  /** This incarnation's own directory; made here. */
  readonly dir: string;
  readonly segmentBytes?: number;
  readonly bytesMax?: number;
  readonly reserveBytes?: number;
  readonly heldBytesMax?: number;
  readonly write?: WriteAt;
}

/** An event the spool has taken: its number, and the JSON text it was written as. */
export interface SpooledRecord {
  readonly number: number;
  readonly payload: Buffer;
}

interface Segment {
  readonly first: number;
  readonly path: string;
  readonly fd: number;
  /** Where each record starts; 2 MiB of numbers for a full spool, and reading back costs no search. */
  readonly offsets: number[];
  bytes: number;
}

/** Opens the spool of one incarnation, which starts empty. */
export function openSpool(options: SpoolOptions): Spool {
  return new Spool(options);
}

/**
 * The events of one node incarnation that control has not yet acknowledged: accepted by one write to a file,
 * kept until released, read back when the link has fallen behind.
 *
 * An accepted event is never dropped. When the disk is full the reserve is given back to it and the write
 * is made again; when that does not help either, records wait in memory, in order, until `tend` finds room;
 * only when that bounded memory is full is an event refused. From the first of these steps on the spool is
 * near its limit and the node takes no new calls. What waits in memory travels over the link like
 * everything else; it would be lost only if the node were also killed before control had it.
 */
export class Spool {
  readonly stats = {
    appendedRecords: 0,
    failedWrites: 0,
    shortWrites: 0,
    heldRecords: 0,
    refusedRecords: 0,
    releasedSegments: 0,
    releasedReserves: 0,
  };
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #bytesMax: number;
  readonly #heldBytesMax: number;
  readonly #write: WriteAt;
  readonly #reserve: SpoolReserve;
  #segments: Segment[] = [];
  #bytes = 0;
  #storedLast = 0;
  /** Encoded records no disk would take yet; they follow `#storedLast` without a hole. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #releasedRecord = 0;
  #lastFailure = '';
  #isClosed = false;

  constructor(options: SpoolOptions) {
    this.#dir = options.dir;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#bytesMax = options.bytesMax ?? BYTES_MAX;
    this.#heldBytesMax = options.heldBytesMax ?? HELD_BYTES_MAX;
    this.#write =
      options.write ?? ((fd, bytes, length, position) => writeSync(fd, bytes, 0, length, position));
    mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
    if (segmentsIn(this.#dir).length > 0) {
      throw new VoiceError(
        'conflict',
        `the spool ${this.#dir} is another start's: an incarnation starts once`,
      );
    }
    this.#openSegment();
    this.#reserve = new SpoolReserve(
      join(this.#dir, RESERVE_NAME),
      options.reserveBytes ?? RESERVE_BYTES,
      this.#write,
    );
    while (this.#reserve.grow());
  }

  /** Number of the first record still kept; one after the last when none is. */
  get firstRecord(): number {
    return this.#segments[0]!.first;
  }

  /** Number of the last record accepted; 0 when none was. */
  get lastRecord(): number {
    return this.#storedLast + this.#held.length;
  }

  /** Number of the last record control has; 0 when it has none. */
  get releasedRecord(): number {
    return this.#releasedRecord;
  }

  /** Bytes kept, on disk and in memory. */
  get bytes(): number {
    return this.#bytes + this.#heldBytes;
  }

  /** True when the node should take no new call. */
  get isNearLimit(): boolean {
    return this.#held.length > 0 || !this.#reserve.isFull || this.#bytes >= this.#bytesMax * NEAR_LIMIT_RATIO;
  }

  /** Why the disk last refused, for people; empty when it never has. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  /** True when control has given this spool up for dead, or somebody removed it: nobody would read it. */
  get isGivenUp(): boolean {
    return existsSync(join(this.#dir, TOMBSTONE_NAME)) || !existsSync(this.#current.path);
  }

  /** Accepts an event. Throws only when every place to keep it is full; then it was not accepted. */
  append(record: EventRecord): SpooledRecord {
    invariant(!this.#isClosed, 'nothing is spooled after the spool was closed');
    const encoded = encodeRecord(record);
    if (this.#held.length > 0 || !this.#store(encoded)) this.#hold(encoded);
    this.stats.appendedRecords++;
    return { number: this.lastRecord, payload: payloadOf(encoded) };
  }

  /** Records from `number` on, as many as one read gives; at least one unless `number` is past the last. */
  readFrom(number: number, recordsMax = READ_RECORDS): readonly Buffer[] {
    if (number > this.#storedLast) {
      const heldFrom = number - this.#storedLast - 1;
      return this.#held.slice(heldFrom, heldFrom + recordsMax).map((encoded) => payloadOf(encoded));
    }
    invariant(number >= this.firstRecord, `record ${number} is still kept`);
    const segment = this.#segments.findLast(({ first }) => first <= number)!;
    const { payloads } = findRecords(readSegment(segment, number - segment.first), recordsMax);
    invariant(payloads.length > 0, `record ${number} of ${segment.path} reads as it was written`);
    return payloads;
  }

  /** Forgets records up to `number`: control has them. Whole segments go; the current one stays. */
  release(number: number): void {
    this.#releasedRecord = Math.max(this.#releasedRecord, number);
    while (this.#segments.length > 1 && number >= this.#segments[1]!.first - 1) {
      const done = this.#segments.shift()!;
      closeSync(done.fd);
      unlinkSync(done.path);
      this.#bytes -= done.bytes;
      this.stats.releasedSegments++;
    }
    if (this.#held.length === 0) return;
    if (number > this.#storedLast) this.#restartAfter(number);
    this.#storeHeld();
  }

  /** Twice a second: moves what waits in memory to the disk when it has room, then refills the reserve. */
  tend(): void {
    this.#storeHeld();
    if (this.#held.length === 0) this.#reserve.grow();
  }

  /** Closes the files and leaves them: what is in them is control's to read. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { fd } of this.#segments) closeOnDisk(fd);
    this.#reserve.close();
  }

  get #current(): Segment {
    return this.#segments.at(-1)!;
  }

  #store(encoded: Buffer): boolean {
    if (this.#bytes + encoded.length > this.#bytesMax) return false;
    if (this.#tryWrite(encoded)) return true;
    if (!this.#reserve.release()) return false;
    this.stats.releasedReserves++;
    return this.#tryWrite(encoded);
  }

  #tryWrite(encoded: Buffer): boolean {
    try {
      const segment = this.#segmentToWrite();
      const writtenBytes = this.#write(segment.fd, encoded, encoded.length, segment.bytes);
      if (writtenBytes < encoded.length) return this.#takeBack(segment);
      segment.offsets.push(segment.bytes);
      segment.bytes += encoded.length;
      this.#bytes += encoded.length;
      this.#storedLast++;
      return true;
    } catch (error) {
      this.stats.failedWrites++;
      this.#lastFailure = messageOf(error);
      return false;
    }
  }

  // A full disk takes a part first and says ENOSPC only to the next write (cluster.md §2.9). Writes name
  // their position, so even a part that cannot be cut off is overwritten by the next record.
  #takeBack(segment: Segment): boolean {
    this.stats.shortWrites++;
    this.#lastFailure = 'the disk took a part of a record: it is full';
    ftruncateSync(segment.fd, segment.bytes);
    return false;
  }

  #segmentToWrite(): Segment {
    if (this.#current.bytes < this.#segmentBytes) return this.#current;
    return this.#openSegment();
  }

  #openSegment(): Segment {
    const first = this.#storedLast + 1;
    const path = segmentPathOf(this.#dir, first);
    const segment = { first, path, fd: openSync(path, 'wx+', 0o600), offsets: [], bytes: 0 };
    this.#segments.push(segment);
    return segment;
  }

  // Control has everything the disk has and some of what it would not take: that part need not be written any
  // more. The one segment left starts anew behind it, under a new name, which asks a full disk for nothing.
  #restartAfter(number: number): void {
    const gone = this.#held.splice(0, number - this.#storedLast);
    for (const encoded of gone) this.#heldBytes -= encoded.length;
    const { fd, path: oldPath, bytes } = this.#current;
    const first = number + 1;
    const path = segmentPathOf(this.#dir, first);
    ftruncateSync(fd, 0);
    renameSync(oldPath, path);
    this.#segments = [{ first, path, fd, offsets: [], bytes: 0 }];
    this.#bytes -= bytes;
    this.#storedLast = number;
  }

  #hold(encoded: Buffer): void {
    if (this.#heldBytes + encoded.length > this.#heldBytesMax) {
      this.stats.refusedRecords++;
      throw new VoiceError('unavailable', `the spool is full: ${this.#lastFailure || 'over its limit'}`);
    }
    this.#held.push(encoded);
    this.#heldBytes += encoded.length;
    this.stats.heldRecords++;
  }

  #storeHeld(): void {
    let stored = 0;
    for (const encoded of this.#held) {
      if (!this.#store(encoded)) break;
      this.#heldBytes -= encoded.length;
      stored++;
    }
    this.#held.splice(0, stored);
  }
}

/** The bytes of one read: whole records from `index` on, up to `READ_BYTES` but at least one. */
function readSegment(segment: Segment, index: number): Buffer {
  const start = segment.offsets[index]!;
  let end = segment.offsets[index + 1] ?? segment.bytes;
  for (let i = index + 2; end < segment.bytes; i++) {
    const next = segment.offsets[i] ?? segment.bytes;
    if (next - start > READ_BYTES) break;
    end = next;
  }
  const bytes = Buffer.allocUnsafe(end - start);
  return bytes.subarray(0, readSync(segment.fd, bytes, 0, bytes.length, start));
}

/** Who leaves in order leaves nothing to the power supply. */
function closeOnDisk(fd: number): void {
  try {
    fdatasyncSync(fd);
  } catch {
    // A disk that fails now keeps what it has; the bytes are with the kernel all the same.
  }
  closeSync(fd);
}
