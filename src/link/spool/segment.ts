import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { VoiceError } from '../../base/errors.ts';
import type { EventRecord } from '../../events/envelope.ts';

/** Length (4 bytes, big-endian) and CRC-32 of the payload (4 bytes), then the payload: one JSON text. */
const RECORD_HEADER_BYTES = 8;

/** Four times the largest payload of an event (contract.md §5.1); a longer length is damage, not a record. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** The file of a spool that holds disk space back. */
export const RESERVE_NAME = 'reserve';

/** The file by which control says that it took a spool's node for dead before it ever listened. */
export const TOMBSTONE_NAME = 'given-up';

const SEGMENT_NAME = /^([1-9]\d{0,15})\.seg$/;

/** Records in a row, found at the start of some bytes. */
export interface FoundRecords {
  readonly payloads: readonly Buffer[];
  /** Bytes they take; what follows is incomplete, damaged or beyond the limit. */
  readonly consumedBytes: number;
}

/** A segment file on disk; its first record's number is its name. */
export interface SegmentFile {
  readonly first: number;
  readonly path: string;
}

/** Header and payload in one buffer, so that a record reaches the file in one write. */
export function encodeRecord(record: EventRecord): Buffer {
  const text = JSON.stringify(record);
  const payloadBytes = Buffer.byteLength(text);
  if (payloadBytes > RECORD_BYTES_MAX) {
    throw new VoiceError('payload_too_large', `an event of ${payloadBytes} bytes is no event`);
  }
  const encoded = Buffer.allocUnsafe(RECORD_HEADER_BYTES + payloadBytes);
  encoded.write(text, RECORD_HEADER_BYTES);
  encoded.writeUInt32BE(payloadBytes, 0);
  encoded.writeUInt32BE(crc32(payloadOf(encoded)), 4);
  return encoded;
}

/** The payload of one encoded record, sharing its memory. */
export function payloadOf(encoded: Buffer): Buffer {
  return encoded.subarray(RECORD_HEADER_BYTES);
}

/** Up to `recordsMax` whole and sound records at the start of `bytes`, sharing its memory. */
export function findRecords(bytes: Buffer, recordsMax: number): FoundRecords {
  const payloads: Buffer[] = [];
  let offset = 0;
  while (payloads.length < recordsMax) {
    const payload = payloadAt(bytes, offset);
    if (payload === undefined) break;
    payloads.push(payload);
    offset += RECORD_HEADER_BYTES + payload.length;
  }
  return { payloads, consumedBytes: offset };
}

/** The segments of a spool directory, oldest first; none when there is no such directory. */
export function segmentsIn(dir: string): readonly SegmentFile[] {
  return namesIn(dir)
    .flatMap((name) => {
      const first = SEGMENT_NAME.exec(name)?.[1];
      return first === undefined ? [] : [{ first: Number(first), path: join(dir, name) }];
    })
    .sort((a, b) => a.first - b.first);
}

export function segmentPathOf(dir: string, first: number): string {
  return join(dir, `${first}.seg`);
}

function payloadAt(bytes: Buffer, offset: number): Buffer | undefined {
  if (offset + RECORD_HEADER_BYTES > bytes.length) return undefined;
  const payloadBytes = bytes.readUInt32BE(offset);
  const end = offset + RECORD_HEADER_BYTES + payloadBytes;
  // An empty payload is no record: a file of zeros would otherwise be full of them (the CRC of nothing is 0).
  if (payloadBytes === 0 || payloadBytes > RECORD_BYTES_MAX || end > bytes.length) return undefined;
  const payload = bytes.subarray(offset + RECORD_HEADER_BYTES, end);
  return crc32(payload) === bytes.readUInt32BE(offset + 4) ? payload : undefined;
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
